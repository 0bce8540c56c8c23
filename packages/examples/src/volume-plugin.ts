// The skeleton of a volume plug-in for Docker: each call of the engine is one request. The engine forgets to unmount in several ways, so
// that a plug-in needs more than this: an inventory, or `release` for containers that are gone.

import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { isMountkeeperError } from 'mountkeeper'
import type { Keeper } from 'mountkeeper'

/** What the engine sends: the name of a volume, and an id of the mount. */
export interface Call {
  readonly Name?: string
  readonly ID?: string
}

/** What the engine gets; `Err` is empty where all went well. */
export type Reply = Readonly<Record<string, unknown>>

/** Where volumes are, and what is mounted for each. */
export interface Plugin {
  readonly keeper: Keeper
  readonly root: string
  readonly filesystemOf: (volume: string) => Parameters<Keeper['attach']>[0]['filesystem']
}

const mountpointOf = ({ root }: Plugin, volume: string): string => `${root}/${volume}`

const served = async (plugin: Plugin, path: string, { Name: volume = '', ID: consumer = '' }: Call): Promise<Reply> => {
  const mountpoint = mountpointOf(plugin, volume)
  switch (path) {
    case '/Plugin.Activate':
      return { Implements: ['VolumeDriver'] }
    case '/VolumeDriver.Create':
    case '/VolumeDriver.Remove':
      return { Err: '' }
    case '/VolumeDriver.Capabilities':
      return { Capabilities: { Scope: 'local' } }
    case '/VolumeDriver.Get':
      return { Volume: { Name: volume, Mountpoint: mountpoint }, Err: '' }
    case '/VolumeDriver.Mount':
      await plugin.keeper.attach({ mountpoint, filesystem: plugin.filesystemOf(volume), volume, consumer })
      return { Mountpoint: mountpoint, Err: '' }
    case '/VolumeDriver.Unmount':
      await plugin.keeper.detach({ mountpoint, volume, consumer })
      return { Err: '' }
    default:
      return { Err: `${path} is not served` }
  }
}

/** Serves one call. A refusal is the text that the engine shows to its user. */
export const handle = async (plugin: Plugin, path: string, call: Call): Promise<Reply> => {
  try {
    return await served(plugin, path, call)
  } catch (error) {
    if (isMountkeeperError(error)) return { Err: error.message }
    throw error
  }
}

/** Serves the engine; `listen` it on the socket of the plug-in. */
export const createPlugin = (plugin: Plugin): Server =>
  createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void (async () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const reply = await handle(plugin, request.url ?? '', (text === '' ? {} : JSON.parse(text)) as Call).catch(
          (error: unknown) => ({ Err: String(error) }),
        )
        response.setHeader('content-type', 'application/vnd.docker.plugins.v1.1+json')
        response.end(JSON.stringify(reply))
      })().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
    })
  })

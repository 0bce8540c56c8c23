// A headless Chromium that a test drives through the pipe of its devtools protocol, with nothing in between.

import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const found = ((): string | undefined => {
  try {
    return execFileSync('sh', ['-c', 'command -v chromium || command -v google-chrome'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
})()

/** Whether there is one on this machine. */
export const hasChromium = found !== undefined

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

export interface Tab {
  /** The value of an expression in the page. */
  readonly value: <A>(expression: string) => Promise<A>
  readonly press: (key: string) => Promise<void>
  /** A picture of the page, PNG. */
  readonly picture: () => Promise<Buffer>
  /** What the page was refused or has thrown. */
  readonly complaints: readonly string[]
}

export interface Browser {
  readonly open: (url: string) => Promise<Tab>
  readonly close: () => Promise<void>
}

/** Starts one; its profile is a folder of its own. */
export const startChromium = (): Browser => {
  const profile = mkdtempSync(join(tmpdir(), 'mountkeeper-chromium-'))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const child: ChildProcess = spawn(
    found ?? 'chromium',
    [...flags, '--remote-debugging-pipe', '--window-size=1500,900', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  )
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const [, , , to, from] = child.stdio as unknown as [null, null, null, Writable, Readable]
  const waiting = new Map<number, (message: Message) => void>()
  const listeners = new Set<(message: Message) => void>()
  let last = 0
  let text = ''
  from.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    const messages = text.split('\0')
    text = messages.pop() ?? ''
    for (const each of messages) {
      const message = JSON.parse(each) as Message
      if (message.id === undefined) for (const listen of listeners) listen(message)
      else waiting.get(message.id)?.(message)
    }
  })
  const call = (method: string, params: object = {}, sessionId?: string): Promise<Readonly<Record<string, unknown>>> =>
    new Promise((resolve, reject) => {
      const id = (last += 1)
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id)
        if (error === undefined) resolve(result ?? {})
        else reject(new Error(`${method}: ${error.message}`))
      })
      to.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`)
    })

  return {
    open: async (url) => {
      const complaints: string[] = []
      const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = (await call('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string }
      const loaded = new Promise<void>((resolve) => {
        listeners.add((message) => {
          if (message.sessionId !== sessionId) return
          if (message.method === 'Page.loadEventFired') resolve()
          if (message.method === 'Runtime.exceptionThrown' || message.method === 'Log.entryAdded')
            complaints.push(JSON.stringify(message.params))
        })
      })
      for (const domain of ['Page', 'Runtime', 'Log']) await call(`${domain}.enable`, {}, sessionId)
      await call(
        'Emulation.setDeviceMetricsOverride',
        { width: 1_500, height: 900, deviceScaleFactor: 1, mobile: false },
        sessionId,
      )
      await call('Page.navigate', { url }, sessionId)
      await loaded
      return {
        complaints,
        value: async <A>(expression: string) => {
          const asked = { expression, awaitPromise: true, returnByValue: true }
          const { result, exceptionDetails } = await call('Runtime.evaluate', asked, sessionId)
          if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
          return (result as { readonly value: A }).value
        },
        press: async (key) => {
          const shown = key.length === 1 ? { text: key } : key === 'Enter' ? { text: '\r' } : {}
          await call('Input.dispatchKeyEvent', { type: 'keyDown', key, ...shown }, sessionId)
          await call('Input.dispatchKeyEvent', { type: 'keyUp', key }, sessionId)
        },
        picture: async () => {
          const { data } = await call('Page.captureScreenshot', { format: 'png' }, sessionId)
          return Buffer.from(String(data), 'base64')
        },
      }
    },
    close: async () => {
      child.kill('SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

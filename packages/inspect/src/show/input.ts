// Renderings of inputs.

import type { Input, Request, StatusRequest } from '@mountkeeper/core'
import { showCommandError, showEffectFound, showFilesystem, showSourceSeen } from './found.js'
import { line, quoted, word } from './line.js'

const page = ({ mountpoint, limit, after }: StatusRequest): string =>
  line(
    mountpoint === undefined ? undefined : word(mountpoint),
    limit === undefined ? undefined : `limit ${limit}`,
    after === undefined ? undefined : `after ${word(after)}`,
  )

const body = (request: Request): string => {
  switch (request.op) {
    case 'attach':
      return `${word(request.mountpoint)} ${showFilesystem(request.filesystem)} ${word(request.volume)} of ${word(request.consumer)}`
    case 'detach':
      return `${word(request.mountpoint)} ${word(request.volume)} of ${word(request.consumer)}`
    case 'release':
      return word(request.consumer)
    case 'cancel':
      return word(request.target)
    case 'host-down':
      return request.reason === undefined ? '' : quoted(request.reason)
    case 'host-up':
      return ''
    case 'status':
      return page(request)
    case 'reconcile':
      return request.apply ? 'apply' : ''
    case 'retry':
      return word(request.mountpoint)
    case 'forget':
      return line(word(request.mountpoint), request.force ? 'force' : undefined)
    case 'refuse-new':
    case 'allow-new':
      return 'server' in request ? `server ${word(request.server)}` : word(request.mountpoint)
  }
}

/** What was asked: `attach /srv/mounts/a tmpfs:scratch vol-1 of vm-1 id x within 5000 ms`. */
export const showRequest = (request: Request): string =>
  line(
    request.op,
    body(request),
    request.id === undefined ? undefined : `id ${word(request.id)}`,
    request.deadlineMs === undefined ? undefined : `within ${request.deadlineMs} ms`,
  )

const at = (mountpoint: string | undefined): string => (mountpoint === undefined ? 'host' : word(mountpoint))

/** Any input, without its time: `outcome #3 /srv/mounts/a Directory`, `granted /srv/mounts/a`, `deadline of 2`. */
export const showInput = (input: Input): string => {
  switch (input._tag) {
    case 'Requested':
      return line(
        `request ${input.request} ${showRequest(input.body)}`,
        input.stream === undefined ? undefined : `stream ${word(input.stream)}`,
      )
    case 'Outcome':
      return line(
        `outcome #${input.effect} ${at(input.mountpoint)} ${showEffectFound(input.found)}`,
        input.source === undefined ? undefined : showSourceSeen(input.source),
        input.submounts === undefined ? undefined : `submounts ${input.submounts.map(word).join(' ')}`,
        input.missingHelper === undefined ? undefined : `missing helper ${word(input.missingHelper)}`,
        input.elsewhere === undefined ? undefined : `elsewhere ${word(input.elsewhere)}`,
        input.error === undefined ? undefined : `error ${showCommandError(input.error)}`,
      )
    case 'Ended':
      return `ended #${input.effect} ${at(input.mountpoint)}`
    case 'Granted':
      return `granted ${word(input.mountpoint)}`
    case 'Deadline':
      return `deadline of ${input.request}`
    case 'Observed':
      return `observed ${word(input.mountpoint)}`
    case 'Stopped':
      return `stopped ${input.how}`
  }
}

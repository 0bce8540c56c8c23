// Requests, as directives write them.

import type { Filesystem, MountOption, Request } from '../../src/index.js'
import { requestId } from '../../src/index.js'
import { path } from './outcome.js'
import type { Story } from './story.js'
import { feed, tick } from './story.js'
import type { Words } from './words.js'
import { expectWords, fail, numeric } from './words.js'

const FILESYSTEM = /^([^:]*):(.*?)(?:\[([^[\]]*)\])?$/s
const SECRET = /^([^=]+)=@(.+)$/s

const option = (text: string): MountOption => {
  const [, name, secretFile] = SECRET.exec(text) ?? []
  return name === undefined || secretFile === undefined ? text : { name, secretFile }
}

const BETWEEN_OPTIONS = /(?<!\\),/

/** `tmpfs:scratch[size=1m,mode=700]`; an option `name=@/path` refers to a secret, `\,` is a comma inside of one. */
export const readFilesystem = (text: string): Filesystem => {
  const [, type, source, options] = FILESYSTEM.exec(text) ?? fail(`not type:source[options]: ${text}`)
  const all = options?.split(BETWEEN_OPTIONS).map((each) => each.replaceAll('\\,', ',')) ?? []
  return { type: type!, source: source!, options: all.map(option) }
}

type Reader = (given: Words) => Request

const ASKED = ['id', 'deadline', 'stream']

const maintained = ({ plain, named }: Words): { readonly mountpoint: string } | { readonly server: string } => {
  const server = named.get('server')
  if (server !== undefined) return { server }
  return plain[0] === undefined ? fail('which mountpoint, or server=?') : { mountpoint: path(plain[0]) }
}

const READERS: Readonly<Record<Request['op'], { least: number; most: number; names?: string[]; read: Reader }>> = {
  attach: {
    least: 4,
    most: 4,
    read: ({ plain }) => ({
      op: 'attach',
      mountpoint: path(plain[0]!),
      filesystem: readFilesystem(plain[1]!),
      volume: plain[2]!,
      consumer: plain[3]!,
    }),
  },
  detach: {
    least: 3,
    most: 3,
    read: ({ plain }) => ({ op: 'detach', mountpoint: path(plain[0]!), volume: plain[1]!, consumer: plain[2]! }),
  },
  release: { least: 1, most: 1, read: ({ plain }) => ({ op: 'release', consumer: plain[0]! }) },
  cancel: { least: 1, most: 1, read: ({ plain }) => ({ op: 'cancel', target: plain[0]! }) },
  'host-up': { least: 0, most: 0, read: () => ({ op: 'host-up' }) },
  'host-down': { least: 0, most: 0, read: () => ({ op: 'host-down' }) },
  status: {
    least: 0,
    most: 1,
    names: ['limit', 'after'],
    read: ({ plain, named }) => ({
      op: 'status',
      ...(plain[0] === undefined ? {} : { mountpoint: path(plain[0]) }),
      ...(named.has('limit') ? { limit: numeric(named.get('limit')!) } : {}),
      ...(named.has('after') ? { after: path(named.get('after')!) } : {}),
    }),
  },
  reconcile: { least: 0, most: 1, read: ({ plain }) => ({ op: 'reconcile', apply: word(plain[0], 'apply') }) },
  retry: { least: 1, most: 1, read: ({ plain }) => ({ op: 'retry', mountpoint: path(plain[0]!) }) },
  forget: {
    least: 1,
    most: 2,
    read: ({ plain }) => ({ op: 'forget', mountpoint: path(plain[0]!), force: word(plain[1], 'force') }),
  },
  'refuse-new': { least: 0, most: 1, names: ['server'], read: (given) => ({ op: 'refuse-new', ...maintained(given) }) },
  'allow-new': { least: 0, most: 1, names: ['server'], read: (given) => ({ op: 'allow-new', ...maintained(given) }) },
}

const word = (said: string | undefined, wanted: string): boolean =>
  said === undefined || said === wanted ? said === wanted : fail(`${said} instead of ${wanted}`)

/** Whether a directive is a request. */
export const isRequest = (name: string): name is Request['op'] => Object.hasOwn(READERS, name)

/** Feeds a request; requests are numbered as they arrive. */
export const request = (story: Story, op: Request['op'], given: Words): void => {
  const { least, most, names = [], read } = READERS[op]
  expectWords(given, least, most, [...ASKED, ...names])
  const id = given.named.get('id')
  const deadline = given.named.get('deadline')
  const stream = given.named.get('stream')
  const body: Request = {
    ...read(given),
    ...(id === undefined ? {} : { id }),
    ...(deadline === undefined ? {} : { deadlineMs: numeric(deadline) }),
  }
  story.lastRequest += 1
  story.unanswered.add(story.lastRequest)
  const number = requestId(story.lastRequest)
  feed(story, {
    _tag: 'Requested',
    at: tick(story),
    request: number,
    body,
    ...(stream === undefined ? {} : { stream }),
  })
}

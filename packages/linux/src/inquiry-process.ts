// The look process as it answers one question of a person (inquiry.ts starts it, and kills it when its time is over). Each thing that it finds
// is a line at once, so that what hangs later costs nothing that was found before.

import { closeSync, constants, openSync, readFileSync, readdirSync, readlinkSync, statfsSync, writeSync } from 'node:fs'
import type { Inquiry, InquiryLine, InspectQuestion, Space, Use } from './inquiry-line.js'
import { SHOWN_MAX } from './inquiry-line.js'
import type { TableLine } from './mountinfo.js'
import { parseMountInfo } from './mountinfo.js'

const O_PATH = 0o10000000

const say = (line: InquiryLine): void => {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

const namesIn = (path: string): readonly string[] => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

const tableIn = (pid: string): readonly TableLine[] => {
  try {
    return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`)).lines
  } catch {
    return []
  }
}

const isBelow = (path: string, directory: string): boolean =>
  directory === '/' || path === directory || path.startsWith(`${directory}/`)

/** Those at one target, the one on top first: it is no parent of another one there. */
const topFirst = (layers: readonly TableLine[]): readonly TableLine[] => {
  const depthOf = (line: TableLine): number => {
    let depth = 0
    for (let at: TableLine | undefined = line; at !== undefined && depth <= layers.length; depth += 1) {
      const { parentId }: TableLine = at
      at = layers.find((each) => each.mountId === parentId)
    }
    return depth
  }
  return [...layers].sort((one, other) => depthOf(other) - depthOf(one))
}

const chosen = (question: InspectQuestion): readonly TableLine[] => {
  const table = tableIn('self')
  if ('source' in question) return table.filter(({ source }) => source === question.source)
  const over = table.filter(({ target }) => isBelow(question.path, target))
  const longest = Math.max(...over.map(({ target }) => target.length))
  return topFirst(over.filter(({ target }) => target.length === longest))
}

/** By the mount itself: where the path leads to another one, that one is not asked. */
const spaceOf = ({ target, mountId }: TableLine): Space => {
  let fd
  try {
    fd = openSync(target, O_PATH | constants.O_NOFOLLOW)
    const id = /^mnt_id:\s*(\d+)$/m.exec(textOf(`/proc/self/fdinfo/${fd}`) ?? '')?.[1]
    if (Number(id) !== mountId) return { _tag: 'Covered' }
    const { bsize, blocks, bfree, bavail, files, ffree } = statfsSync(`/proc/self/fd/${fd}`)
    return {
      ...{ _tag: 'Space', bytes: blocks * bsize, bytesFree: bfree * bsize, bytesAvailable: bavail * bsize },
      ...{ inodes: files, inodesFree: ffree },
    }
  } catch (error) {
    return { _tag: 'Unreadable', why: error instanceof Error && 'code' in error ? String(error.code) : String(error) }
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const inspect = (question: InspectQuestion): void => {
  const all = chosen(question)
  const shown = all.slice(0, SHOWN_MAX)
  for (const { target, fstype, source, root, flags, superOptions } of shown) {
    const options = [...flags, ...superOptions.split(',')]
    say({ mount: { mountpoint: target, type: fstype, source, root, options } })
  }
  for (const [of, line] of shown.entries()) say({ of, space: spaceOf(line) })
  say({ end: { more: all.length > shown.length, unreadable: 0 } })
}

/** How a process uses what is mounted there. Paths are texts of the kernel: none of them is gone to. */
const usesOf = (pid: string, mountpoint: string, ids: ReadonlySet<number>, isNear: boolean): readonly Use[] => {
  const leads = (name: string): boolean => isNear && isBelow(linkOf(`/proc/${pid}/${name}`) ?? '', mountpoint)
  const opens = namesIn(`/proc/${pid}/fdinfo`).some((fd) => {
    const id = /^mnt_id:\s*(\d+)$/m.exec(textOf(`/proc/${pid}/fdinfo/${fd}`) ?? '')?.[1]
    return id !== undefined && ids.has(Number(id))
  })
  const maps = isNear ? (textOf(`/proc/${pid}/maps`) ?? '') : ''
  return [
    ...(leads('cwd') ? (['cwd'] as const) : []),
    ...(leads('root') ? (['root'] as const) : []),
    ...(opens ? (['open file'] as const) : []),
    ...(maps.includes(` ${mountpoint}/`) ? (['mapping'] as const) : []),
  ]
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

const why = (mountpoint: string): void => {
  const table = tableIn('self')
  const layers = table.filter(({ target }) => target === mountpoint)
  const ids = new Set(layers.map(({ mountId }) => mountId))
  say({ isMounted: layers.length > 0 })
  let [shown, unreadable] = [0, 0]
  const found = (user: Extract<InquiryLine, { readonly user: unknown }>['user']): void => {
    shown += 1
    if (shown <= SHOWN_MAX) say({ user })
  }
  for (const { target } of table) {
    if (target !== mountpoint && isBelow(target, mountpoint)) found({ _tag: 'Mount', mountpoint: target })
  }
  for (const device of namesIn('/sys/block').filter((name) => name.startsWith('loop'))) {
    const file = textOf(`/sys/block/${device}/loop/backing_file`)?.replace(/\n$/, '')
    if (file !== undefined && isBelow(file, mountpoint)) found({ _tag: 'LoopDevice', device: `/dev/${device}`, file })
  }
  for (const line of (textOf('/proc/swaps') ?? '').split('\n').slice(1)) {
    const file = unescaped(line.split(/\s/)[0] ?? '')
    if (isBelow(file, mountpoint)) found({ _tag: 'SwapFile', file })
  }
  const own = linkOf('/proc/self/ns/mnt')
  const namespaces = new Set([own])
  for (const pid of namesIn('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`)
    const command = textOf(`/proc/${pid}/comm`)?.replace(/\n$/, '')
    // A thread of the kernel, or a process that has just ended, has no command or no namespace.
    if (command === undefined) continue
    if (namespace === undefined) {
      unreadable += 1
      continue
    }
    const uses = usesOf(pid, mountpoint, ids, namespace === own)
    if (uses.length > 0) found({ _tag: 'Process', pid: Number(pid), command, uses })
    if (namespaces.has(namespace)) continue
    namespaces.add(namespace)
    const isSame = ({ device, root }: TableLine): boolean =>
      layers.some((layer) => layer.device === device && layer.root === root)
    const copy = tableIn(pid).find(isSame)
    if (copy !== undefined) found({ _tag: 'Namespace', pid: Number(pid), command, mountpoint: copy.target })
  }
  say({ end: { more: shown > SHOWN_MAX, unreadable } })
}

/** Answers the question that a process was started with. */
export const answerInquiry = (text: string): void => {
  const inquiry = JSON.parse(text) as Inquiry
  if (inquiry.op === 'inspect') inspect(inquiry)
  else why(inquiry.mountpoint)
}

// What may differ between a simulated and a real host, taken out of answers and facts: moments, words, numbers of processes,
// and the numbers of mounts, devices and inodes, which are renamed in order of appearance within one value.

const DROPPED = new Set(['at', 'since', 'nextTryMs', 'text', 'detail', 'request', 'boot', 'mountNamespace', 'pid'])
const FLAGS = ['ro', 'rw', 'nosuid', 'nodev', 'noexec']

/** `why` is a sentence, but where it is one of the closed list of reasons not to know. */
const isWords = (key: string, within: object): boolean =>
  (key === 'why' && !('_tag' in within && within._tag === 'Unknown')) || (key === 'reason' && 'nextTryMs' in within)

/** What a source leads to: the same path is on another device, and has another inode. */
const withoutNumbers = (part: unknown): unknown =>
  typeof part === 'string' ? part.replace(/ on [0-9:]+| inode [0-9]+/g, '') : part

/** The value without what may differ. */
export const plain = (value: unknown): unknown => {
  const names = new Map<string, string>()
  const renamed = (kind: string, number: unknown): string => {
    const key = `${kind} ${String(number)}`
    const name = names.get(key) ?? `${kind} ${names.size + 1}`
    names.set(key, name)
    return name
  }
  const walk = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(walk)
    if (typeof each !== 'object' || each === null) return each
    const kept = Object.entries(each).filter(
      ([key, part]) => part !== undefined && !DROPPED.has(key) && !isWords(key, each),
    )
    return Object.fromEntries(
      kept.map(([key, part]: [string, unknown]) => {
        if (key === 'mountId' || key === 'device' || key === 'inode') return [key, renamed(key, part)]
        if (key === 'was' || key === 'is') return [key, withoutNumbers(part)]
        if (key === 'flags') return [key, FLAGS.filter((flag) => Array.isArray(part) && part.includes(flag))]
        if (key === 'error' || key === 'lastError') return [key, isCommandError(part) ? 'a command failed' : walk(part)]
        return [key, walk(part)]
      }),
    )
  }
  return walk(value)
}

const isCommandError = (part: unknown): boolean => typeof part === 'object' && part !== null && 'command' in part

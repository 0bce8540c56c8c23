// Whether libvirt is there, and that something changed: one virsh that first lists the domains and then waits for events. Its
// end is the loss; libvirt is back when another one has listed them again.

import type { InventoryNews } from '@mountkeeper/runtime'
import type { LibvirtOptions } from './options.js'
import { listDomains } from './read.js'
import type { Session } from './session.js'
import { openSession } from './session.js'

/** Unanswered messages after which the connection counts as dead. */
const KEEPALIVE_COUNT = 3

const keepalive = (seconds: number): readonly string[] => [
  ...['--keepalive-interval', String(seconds)],
  ...(seconds === 0 ? [] : ['--keepalive-count', String(KEEPALIVE_COUNT)]),
]

/** Watches until the returned function is called. Keeps no process running by itself. */
export const watchLibvirt = (options: LibvirtOptions, listener: (news: InventoryNews) => void): (() => void) => {
  const { uri, limitMs, keepaliveSeconds, retryFirstMs, retryCeilingMs, program = 'virsh' } = options
  let stopped = false
  let session: Session | undefined
  let timer: NodeJS.Timeout | undefined
  let delayMs = retryFirstMs

  const isStopped = (): boolean => stopped

  const later = (): void => {
    if (stopped) return
    timer = setTimeout(() => void attempt(), delayMs).unref()
    delayMs = Math.min(delayMs * 2, retryCeilingMs)
  }

  /** A virsh that libvirt lets wait is not notified: keepalive begins when it is connected. */
  const listInTime = async (asked: Session): Promise<boolean> => {
    const limit = setTimeout(() => {
      asked.close(`virsh gave no answer within ${limitMs} ms`)
    }, limitMs).unref()
    const listed = await listDomains(asked)
    clearTimeout(limit)
    return listed._tag === 'Right'
  }

  const attempt = async (): Promise<void> => {
    const opened = await openSession({ uri, program, options: keepalive(keepaliveSeconds) })
    if (typeof opened === 'string') {
      later()
      return
    }
    session = opened
    if (isStopped()) opened.close('')
    const isThere = await listInTime(opened)
    if (isStopped()) return
    if (!isThere) {
      opened.close('the domains cannot be listed')
      later()
      return
    }
    delayMs = retryFirstMs
    opened.listen(() => {
      if (!stopped) listener({ _tag: 'Changed' })
    })
    listener({ _tag: 'Back' })
    const why = await opened.ended
    if (isStopped()) return
    listener({ _tag: 'Lost', why: `libvirt at ${uri}: ${why}` })
    later()
  }

  void attempt()
  return () => {
    stopped = true
    clearTimeout(timer)
    session?.close('')
  }
}

// What may be asked on a socket. The file's owner and mode decide who opens it; this decides which requests are passed on.

import type { QuestionRequest, RequestOrPlan, SocketSettings } from '@mountkeeper/codec'
import type { Invalid } from '@mountkeeper/core'

/** What may be asked. */
export type Domain = Pick<SocketSettings, 'operations' | 'consumers'>

const ESCAPED = /[\\^$.*+?()[\]{}|]/g

const matcher = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(ESCAPED, '\\$&'))
      .join('.*')}$`,
    'su',
  )

const refused = (field: string, why: string): Invalid => ({ _tag: 'Invalid', field, why })

/** Why a request is not passed on; absent where it is. Made once for each socket. */
export const createGate = ({
  operations,
  consumers,
}: Domain): ((request: RequestOrPlan | QuestionRequest) => Invalid | undefined) => {
  const allowed: ReadonlySet<string> = new Set(operations)
  // A run of `*` means no more than one, and would cost much more.
  const patterns = consumers.map((pattern) => matcher(pattern.replaceAll(/\*+/g, '*')))
  const check = (request: RequestOrPlan | QuestionRequest, at: string): Invalid | undefined => {
    if (!allowed.has(request.op)) return refused(`${at}op`, `${request.op} is not allowed on this socket`)
    if ('consumer' in request && !patterns.some((pattern) => pattern.test(request.consumer)))
      return refused(`${at}consumer`, 'is not allowed on this socket')
    return undefined
  }
  return (request) => {
    const wrong = check(request, '')
    if (wrong !== undefined || request.op !== 'plan') return wrong
    for (const [index, each] of request.requests.entries()) {
      const inner = check(each, `requests[${index}].`)
      if (inner !== undefined) return inner
    }
    return undefined
  }
}

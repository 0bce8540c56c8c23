// Steps of a script: requests, what others do, faults and time, as data, the same for both managers.

import type { Effect, Filesystem, Request } from '@mountkeeper/core'
import type { ThirdPartyAct } from '@mountkeeper/simulator'
import { EXPORTS, ROOT } from '@mountkeeper/simulator'
import type { Planted } from './planted.js'

/** Effects that can be made to fail. */
export type Faulty = Extract<Effect['_tag'], 'MakeDirectory' | 'Mount' | 'Unmount' | 'RemoveDirectory'>

/** One step. */
export type Step =
  /** `goes on`: the next step does not wait for the answer. `rests`: it waits until nothing runs on the host any more. */
  | { readonly _tag: 'Ask'; readonly body: Request; readonly then: 'waits' | 'goes on' | 'rests' }
  /** Until everything that was asked is answered, and nothing runs on the host any more. */
  | { readonly _tag: 'Answered' }
  | { readonly _tag: 'Interfere'; readonly act: ThirdPartyAct }
  /** The next effects of that kind go wrong. */
  | { readonly _tag: 'Fault'; readonly effect: Faulty; readonly planted: Planted; readonly times: number }
  | { readonly _tag: 'Pass'; readonly ms: number }
  /** Until the program of the last fault, one that waits, has begun. */
  | { readonly _tag: 'Begun' }
  /** It waits no longer. */
  | { readonly _tag: 'GoOn' }
  /** Until no mountpoint is uncertain: what was overdue has ended, and a look has followed. */
  | { readonly _tag: 'Certain' }
  | { readonly _tag: 'Observe'; readonly mountpoint: string }
  /** The manager dies, and another begins with what was durable. */
  | { readonly _tag: 'Restart' }

/** The path of a mountpoint. */
export const at = (name: string): string => `${ROOT}/${name}`

export const tmpfs = (source: string, ...options: readonly string[]): Filesystem => ({ type: 'tmpfs', source, options })
export const bind = (name: string, ...options: readonly string[]): Filesystem => ({
  type: 'bind',
  source: `${EXPORTS}/${name}`,
  options,
})

const F = tmpfs('f')

export const ask = (body: Request): Step => ({ _tag: 'Ask', body, then: 'waits' })

/** The same, without waiting for the answer. */
export const meanwhile = (step: Step): Step => (step._tag === 'Ask' ? { ...step, then: 'goes on' } : step)

/** Consumer `vm-N` with its volume `vol-N`. */
export const attach = (consumer: number, name = 'a', filesystem = F, more: Partial<Request> = {}): Step =>
  ask({
    op: 'attach',
    mountpoint: at(name),
    filesystem,
    volume: `vol-${consumer}`,
    consumer: `vm-${consumer}`,
    ...more,
  } as Request)

export const detach = (consumer: number, name = 'a', more: Partial<Request> = {}): Step =>
  ask({
    op: 'detach',
    mountpoint: at(name),
    volume: `vol-${consumer}`,
    consumer: `vm-${consumer}`,
    ...more,
  } as Request)

// These are answered before all that they lead to has happened.
export const retry = (name = 'a'): Step => ({ _tag: 'Ask', body: { op: 'retry', mountpoint: at(name) }, then: 'rests' })

export const reconcile = (apply: boolean): Step => ({ _tag: 'Ask', body: { op: 'reconcile', apply }, then: 'rests' })
export const hostUp: Step = { _tag: 'Ask', body: { op: 'host-up' }, then: 'rests' }
export const hostDown: Step = ask({ op: 'host-down' })
export const status: Step = ask({ op: 'status' })
export const answered: Step = { _tag: 'Answered' }
export const restart: Step = { _tag: 'Restart' }
export const pass = (ms: number): Step => ({ _tag: 'Pass', ms })
export const begun: Step = { _tag: 'Begun' }
export const goOn: Step = { _tag: 'GoOn' }
export const certain: Step = { _tag: 'Certain' }
export const observe = (name = 'a'): Step => ({ _tag: 'Observe', mountpoint: at(name) })
export const fault = (effect: Faulty, planted: Planted, times = 1): Step => ({ _tag: 'Fault', effect, planted, times })
export const others = (act: ThirdPartyAct): Step => ({ _tag: 'Interfere', act })

export const theyMount = (path: string, source = 'theirs', flags: readonly string[] = ['rw']): Step =>
  others({ _tag: 'Mounts', path, fstype: 'tmpfs', source, flags })
export const theyUnmount = (path = at('a'), how: 'plain' | 'lazy' = 'plain'): Step =>
  others({ _tag: 'Unmounts', path, how })
export const theyWrite = (path: string): Step => others({ _tag: 'Writes', path })
export const theyDelete = (path: string): Step => others({ _tag: 'Deletes', path })
export const theyMake = (path: string): Step => others({ _tag: 'MakesDirectory', path })
export const theyRemove = (path: string): Step => others({ _tag: 'RemovesDirectory', path })
export const theyLink = (path: string, target: string): Step => others({ _tag: 'Links', path, target })
export const theyRename = (from: string, to: string): Step => others({ _tag: 'Renames', from, to })
export const theyEnter = (path: string, uses: 'working directory' | 'open file'): Step =>
  others({ _tag: 'Enters', path, uses })
export const theyLeave: Step = others({ _tag: 'Leaves' })

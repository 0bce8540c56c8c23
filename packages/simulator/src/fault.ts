// Faults: the ways in which an effect can end other than well, as data. Whatever the fault, the kernel's own answers stay in
// force: a busy layer stays busy, a directory with contents stays.

import type { Effect } from '@mountkeeper/core'

/** How an effect ends. */
export type Fault =
  /** As it should. */
  | { readonly _tag: 'None' }
  /** The command fails, having done its work or not. */
  | { readonly _tag: 'Fails'; readonly worked: boolean }
  /** Exit 0, and nothing was done. */
  | { readonly _tag: 'DoesNothing' }
  /** `Mount`, `Unmount`: exit 0, and what it did becomes visible only later: a mount that appears, a layer that still shows. */
  | { readonly _tag: 'Late'; readonly afterMs: number }
  /** Passes its deadline. Its processes end after that many ms, having worked or not; absent: when a third party ends them, or never. */
  | { readonly _tag: 'Hangs'; readonly worked: boolean; readonly endsAfterMs: number | undefined }
  /**
   * The command ends, having worked or not, and no look is possible afterwards. `Discover` that worked shows the roots, and at no
   * mountpoint what is there.
   */
  | { readonly _tag: 'CannotTell'; readonly worked: boolean }
  /** `Mount`: exit 0, and another filesystem is there than was asked for: of another type, or from another directory. */
  | { readonly _tag: 'WrongFilesystem' }
  /** `Mount`: what was asked for, and the mount table spells its source differently; where that is a path, it shows what it is. */
  | { readonly _tag: 'Respelled' }
  /** `Mount`: the right filesystem without `nosuid`. */
  | { readonly _tag: 'MissingFlag' }
  /** `Mount`: two layers instead of one, as by a helper that tries again, and an error. */
  | { readonly _tag: 'Twice' }
  /** `Mount`, `Unmount`: what is there is not looked at again before the command runs. */
  | { readonly _tag: 'Unchecked' }
  /** `Probe`: mounted and dead. */
  | { readonly _tag: 'Dead' }

/** Which effects a fault is for. What is left out matches everything. */
export interface Injection {
  readonly effect: Exclude<Effect['_tag'], 'Wait'>
  readonly mountpoint?: string
  readonly fault: Fault
  /** How many of them; by default the next one only. */
  readonly times?: number
}

/** The fault that is none. */
export const NO_FAULT: Fault = { _tag: 'None' }

/** The one word for a fault, for transcripts. */
export const faultText = (fault: Fault): string => {
  switch (fault._tag) {
    case 'None':
      return 'ends well'
    case 'Fails':
      return fault.worked ? 'works, but with an error' : 'fails'
    case 'DoesNothing':
      return 'exits 0 with nothing done'
    case 'Late':
      return `works, visible ${fault.afterMs} ms later`
    case 'Hangs':
      return `hangs, ${fault.worked ? 'will have worked' : 'will have done nothing'}${
        fault.endsAfterMs === undefined ? '' : `, ends after ${fault.endsAfterMs} ms`
      }`
    case 'CannotTell':
      return `${fault.worked ? 'works' : 'does nothing'}, and its end is unknown`
    case 'WrongFilesystem':
      return 'mounts something else'
    case 'Respelled':
      return 'mounts, and shows its source in other words'
    case 'MissingFlag':
      return 'mounts without nosuid'
    case 'Twice':
      return 'mounts twice, with an error'
    case 'Unchecked':
      return 'ends, on whatever is there'
    case 'Dead':
      return 'finds it dead'
  }
}

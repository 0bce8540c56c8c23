// A run is a list of actions: everything that is not decided by the core or the model, as plain data, so that a run can be
// written down, repeated and made smaller. Numbers that choose among what is there (`which`) wrap around, so that every
// action means something, or nothing, in every run.

import type { Request } from '@mountkeeper/core'
import type { Fault } from '../fault.js'
import { faultText } from '../fault.js'
import type { ThirdPartyAct } from '../third-party.js'

/** What becomes, at a crash, of a command that runs. */
export type Fate = 'never ran' | 'worked' | 'lives and will work' | 'lives and does nothing'

/** One thing that happens. */
export type Action =
  /** A caller asks. */
  | { readonly _tag: 'Ask'; readonly body: Request }
  /** One of the effects that run on the host ends; of one that is overdue its last process does. */
  | { readonly _tag: 'End'; readonly which: number; readonly fault: Fault }
  /** Time passes: delays, deadlines and late visibility that fall due come in their order. Without `ms`: to the next of them. */
  | { readonly _tag: 'Pass'; readonly ms: number | undefined }
  /** The time of one of the unanswered requests is over, sooner than its deadline says. */
  | { readonly _tag: 'Deadline'; readonly which: number }
  | { readonly _tag: 'ThirdParty'; readonly act: ThirdPartyAct }
  /** Something was seen at a mountpoint without being asked for. */
  | { readonly _tag: 'Observe'; readonly mountpoint: string }
  /** An outcome comes once more, or an end, or the end of a delay that was replaced, or an outcome of an unknown effect. */
  | { readonly _tag: 'Echo'; readonly which: number; readonly as: 'it was' | 'an end' | 'of another effect' }
  /** The disk has caught up with that many decisions. */
  | { readonly _tag: 'Durable'; readonly count: number }
  /**
   * The manager dies, and another begins. `kept`: how many of the decisions that the disk had not confirmed are on it all the
   * same; `fates`: of the commands that run, in turn.
   */
  | { readonly _tag: 'Crash'; readonly kept: number; readonly fates: readonly Fate[]; readonly reboot: boolean }
  /** A command that outlived a crash ends. */
  | { readonly _tag: 'OrphanEnds'; readonly which: number }
  | { readonly _tag: 'Stop'; readonly how: 'drain' | 'hard' }

const actText = (act: ThirdPartyAct): string => {
  const { _tag, ...rest } = act
  return `${_tag} ${Object.values(rest).map(String).join(' ')}`
}

/** An action on one line, for transcripts; requests and outcomes are shown by what they lead to. */
export const actionText = (action: Action): string => {
  switch (action._tag) {
    case 'Ask':
      return `ask ${action.body.op}`
    case 'End':
      return `effect ${action.which} ${faultText(action.fault)}`
    case 'Pass':
      return action.ms === undefined ? 'time passes to what is due next' : `${action.ms} ms pass`
    case 'Deadline':
      return `the time of unanswered request ${action.which} is over`
    case 'ThirdParty':
      return `a third party: ${actText(action.act)}`
    case 'Observe':
      return `something is seen at ${action.mountpoint}`
    case 'Echo':
      return `outcome ${action.which} comes again, as ${action.as}`
    case 'Durable':
      return `${action.count} decisions are durable`
    case 'Crash':
      return `${action.reboot ? 'reboot' : 'crash'}, ${action.kept} decisions kept, commands: ${action.fates.join(', ')}`
    case 'OrphanEnds':
      return `command ${action.which} of an earlier life ends`
    case 'Stop':
      return `stop, ${action.how}`
  }
}

// Holding: how attachments become holders once the right layer was seen on top (L16, L21), and who shares one result.

import type { Attached, Warning } from '../answer.js'
import type { Overloaded } from '../refusal.js'
import type { Fact } from '../fact.js'
import type { Filesystem } from '../filesystem.js'
import type { Identity, ResolvedSource, SourceSeen } from '../found.js'
import { countHolders } from '../holders.js'
import type { Unanswered } from '../host.js'
import type { Waiting } from '../mountpoint.js'
import type { RequestId } from '../id.js'
import { optionName } from '../filesystem.js'
import { DEFAULT_STREAM } from '../lane.js'
import { warningsAbout } from '../layer.js'
import { isForBoot } from '@mountkeeper/types'
import type { Draft, Out } from './draft.js'
import { holderOf, holdersLeft, set, recordFact } from './draft.js'
import { answer, unansweredOf } from './reply.js'
import { leaveQueue, refuseWaiting } from './leave.js'
import { arrivedBefore, endClaim, finish, settingsOf, shares } from './steps.js'

/** A bind shows the directories under what is mounted below its source, and what is written there is hidden by it. */
const hiddenBelow = ({ record, submounts }: Draft): readonly Warning[] => {
  const [first] = submounts
  if (first === undefined) return []
  const more = submounts.length > 1 ? ` and ${submounts.length - 1} more` : ''
  const text = `${record.path} hides the mount on ${first}${more}; data written there goes to the filesystem below`
  return [{ _tag: 'SubmountsHidden', text, paths: submounts }]
}

/** Words of fstab that a request was copied with: it is served, and the caller learns that they say nothing here. */
const withoutEffect = (filesystem: Filesystem | undefined): readonly Warning[] => {
  const words = filesystem?.options.map(optionName).filter(isForBoot) ?? []
  if (words.length === 0) return []
  const text = `${words.join(', ')}: for fstab and systemd, without effect here; leave ${words.length > 1 ? 'them' : 'it'} out`
  return [{ _tag: 'WithoutEffect', text }]
}

/** How many attachments a consumer has, wherever they are, before this decision. */
export const heldAnywhere = ({ host }: Out, consumer: string): number => {
  const at = host.consumers.get(consumer)
  if (typeof at !== 'string') return at?.held ?? 0
  const entry = host.mountpoints.get(at)
  return entry === undefined ? 0 : countHolders(entry.holders, consumer)
}

/** The limit that one more holder would exceed. Others that arrived beside this attach have become holders since its arrival. */
const exceeded = (draft: Draft, consumer: string): Overloaded | undefined => {
  const { holdersPerMountpoint: here, holdersPerConsumer: anywhere } = settingsOf(draft).limits
  if (holdersLeft(draft) >= here) return { _tag: 'Overloaded', limit: 'holdersPerMountpoint', value: here }
  if (anywhere === undefined) return undefined
  const added = draft.added.filter((holder) => holder.consumer === consumer).length
  const held = heldAnywhere(draft.out, consumer) + added - (draft.removed?.get(consumer)?.size ?? 0)
  return held < anywhere ? undefined : { _tag: 'Overloaded', limit: 'holdersPerConsumer', value: anywhere }
}

/** The id that a request was asked with, and its stream: as the fact about its holder says it. */
const askedUnder = (
  unanswered: Unanswered | undefined,
): Pick<Extract<Fact, { readonly _tag: 'Held' }>, 'id' | 'stream'> => {
  if (unanswered?.id === undefined) return {}
  const { id, stream } = unanswered
  return stream === DEFAULT_STREAM ? { id } : { id, stream }
}

/** Makes an attachment a holder, or finds that it is one, and answers. */
const becomeHolder = (draft: Draft, waiting: Waiting, mount: Attached['mount'], warnings: readonly Warning[]): void => {
  const { out, record } = draft
  const [volume = ''] = waiting.volumes
  const { consumer, request } = waiting
  const asked = askedUnder(unansweredOf(out, request))
  const known = holderOf(draft, volume, consumer)
  const full = known === undefined ? exceeded(draft, consumer) : undefined
  if (full !== undefined) {
    refuseWaiting(draft, waiting, full)
    return
  }
  if (known === undefined) {
    const held = { volume, consumer, since: out.at, knowledge: 'request' as const, ...asked }
    recordFact(draft, { _tag: 'Held', at: out.at, mountpoint: record.path, ...held })
  }
  const isRepeat = asked.id !== undefined && known?.id === asked.id && known.stream === asked.stream
  const holder = known === undefined || isRepeat ? 'added' : 'already-held'
  leaveQueue(draft, request)
  answer(out, request, {
    _tag: 'Attached',
    holder,
    mount,
    instance: record.instance,
    generation: out.generation,
    warnings: [...warnings, ...hiddenBelow(draft), ...withoutEffect(waiting.filesystem)],
  })
}

/** The unbroken run of attaches of this filesystem at the head of the queue that one result may serve. */
const runAtHead = (
  draft: Draft,
  filesystem: Filesystem,
  isServed: (waiting: Waiting) => boolean,
): readonly Waiting[] => {
  const { waiting } = draft.record
  const end = waiting.findIndex(
    (each) => each.generation > draft.out.generation || !isServed(each) || !shares(draft, each.filesystem, filesystem),
  )
  return end < 0 ? waiting : waiting.slice(0, end)
}

/** Our layer is on top, as the last look showed: serves all who had arrived before that look and want the same. */
export const share = (draft: Draft, filesystem: Filesystem, warnings: readonly Warning[]): void => {
  const lookedFor = draft.record.work?.lookedFor ?? 0
  const run = runAtHead(draft, filesystem, (each) => each.request <= lookedFor)
  finish(draft)
  for (const each of run) becomeHolder(draft, each, 'shared', warnings)
}

/**
 * Our own mount is there: serves the claim, and the run behind it that had arrived before it was seen (R5.13).
 * Warnings about the command are the claim's own, those about the layer go to all.
 */
export const succeed = (
  draft: Draft,
  filesystem: Filesystem,
  lookedFor: RequestId,
  warnings: { readonly own: readonly Warning[]; readonly all: readonly Warning[] },
): void => {
  const remounted = holdersLeft(draft) > 0
  const run = runAtHead(draft, filesystem, (each) => arrivedBefore(each, lookedFor))
  finish(draft)
  run.forEach((each, index) => {
    if (index === 0) becomeHolder(draft, each, remounted ? 'remounted' : 'mounted', [...warnings.own, ...warnings.all])
    else becomeHolder(draft, each, 'shared', warnings.all)
  })
  // `Held` has ended the claim; where no holder was added, the claim ends by a fact of its own.
  endClaim(draft, 'settled')
}

/** What an adopted layer's source leads to, for the fact; absent where that is not known. */
export const knownSource = (seen: SourceSeen | undefined): { readonly source?: ResolvedSource } =>
  seen?.asked._tag === 'At' || seen?.asked._tag === 'Files' ? { source: seen.asked } : {}

/** Makes a fitting layer that we did not mount ours, by policy; not its directory, unless we had made that. */
export const adopt = (
  draft: Draft,
  filesystem: Filesystem,
  layers: readonly Identity[],
  top: Identity,
  seen: SourceSeen | undefined,
): void => {
  const { out, record } = draft
  const known = knownSource(seen)
  recordFact(draft, { _tag: 'Adopted', at: out.at, mountpoint: record.path, identity: top, filesystem, ...known })
  set(draft, { seen: top, covered: false, foreign: layers.slice(1), reason: undefined })
  const warnings = warningsAbout(filesystem, top, seen?.asked)
  const run = runAtHead(draft, filesystem, (each) => arrivedBefore(each, record.work?.lookedFor ?? each.request))
  finish(draft)
  run.forEach((each, index) => becomeHolder(draft, each, index === 0 ? 'adopted' : 'shared', warnings))
}

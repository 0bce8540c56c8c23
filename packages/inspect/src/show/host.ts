// Renderings of the host and of its mountpoints.

import type { Entry, Host } from '@mountkeeper/core'
import type { Delay, EffectInFlight, Waiting } from '@mountkeeper/core/state'
import { GOAL_WORDS, allHolders } from '@mountkeeper/core/state'
import { showReason } from './answer.js'
import { showAttachment, showFilesystem, showFound, showIdentity, showLayers, showResolvedSource } from './found.js'
import { counted, line, quoted, word } from './line.js'

const flying = (label: string, effect: EffectInFlight | undefined): string | undefined =>
  effect === undefined ? undefined : `${label} #${effect.effect} ${effect.kind}`

const delay = (wait: Delay | undefined): string | undefined =>
  wait === undefined ? undefined : `wait #${wait.effect} ${wait.why} ${wait.delayMs} ms`

const waits = ({ request, op, consumer, volumes }: Waiting): string =>
  `${request} ${op} ${volumes.map(word).join(' ')} of ${word(consumer)}`

const listed = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(', ')

/** The phase of a mountpoint and how many hold it: `/srv/mounts/a: vacant Stacked, 0 holders`. */
export const showPhase = ({ record, holders }: Entry): string =>
  `${word(record.path)}: ${listed([
    line(
      record.phase,
      record.reason === undefined ? undefined : showReason(record.reason),
      record.unknown === undefined ? undefined : showFound(record.unknown),
    ),
    counted(holders.count, 'holder'),
    record.claim === undefined ? undefined : `claim ${showAttachment(record.claim)}`,
    record.waiting.length === 0 ? undefined : `${record.waiting.length} waiting`,
    ...record.overdue.map((effect) => flying('overdue', effect)),
  ])}`

/** What is known of a mountpoint, and what is under way there, on one line. */
export const showMountpoint = (entry: Entry): string => {
  const { record } = entry
  const { work } = record
  return listed([
    showPhase(entry),
    `since ${record.since}`,
    record.root === undefined ? 'unmanaged' : undefined,
    record.filesystem === undefined ? undefined : showFilesystem(record.filesystem),
    record.layer === undefined ? undefined : `layer ${showIdentity(record.layer)}`,
    record.source === undefined ? undefined : `from ${showResolvedSource(record.source)}`,
    record.covered ? 'covered' : undefined,
    record.dead === undefined ? undefined : `dead ${word(record.dead.errno)} since ${record.dead.at}`,
    record.elsewhere === undefined ? undefined : `elsewhere ${word(record.elsewhere)}`,
    record.foreign.length === 0 ? undefined : `foreign ${showLayers(record.foreign)}`,
    `directory ${record.directory}`,
    `instance ${record.instance}`,
    record.intent === undefined ? undefined : `intent before ${showLayers(record.intent.layersBefore)}`,
    record.intent?.explains === undefined ? undefined : `which explains ${record.intent.explains}`,
    ...allHolders(entry.holders).map((each) => `held by ${showAttachment(each)}`),
    ...record.waiting.map((each) => `waiting ${waits(each)}`),
    work === undefined
      ? undefined
      : line('goal', GOAL_WORDS[work.goal._tag], work.request === undefined ? 'background' : `for ${work.request}`),
    flying('in flight', record.inFlight),
    delay(record.wait),
    record.slot === 'none'
      ? undefined
      : line(
          'slot',
          record.slot,
          record.lane === '' ? undefined : `of ${word(record.lane)}`,
          record.background && record.slot === 'wanted' ? 'in the background' : undefined,
        ),
    record.unresolved === undefined ? undefined : `unresolved ${record.unresolved.kind}`,
  ])
}

/** The host without its mountpoints: `host: up, generation 1`, `host: down "…", generation 1`. */
export const showHost = (host: Host): string =>
  `host: ${listed([
    line(host.phase, host.phase === 'down' || host.phase === 'retrying' ? quoted(host.downReason) : undefined),
    `generation ${host.generation}`,
    host.stopping === 'no' ? undefined : `stopping ${host.stopping}`,
    host.hostUps.length === 0 ? undefined : `host-up of ${host.hostUps.join(' ')} waiting`,
    ...[...host.refusing].sort().map((target) => `refusing ${word(target)}`),
    ...[...host.changedRoots].sort().map((root) => `root changed ${word(root)}`),
  ])}`

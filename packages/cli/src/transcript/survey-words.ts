// A survey as a table for people: one line a mountpoint, below it who holds it and what else there is to know.

import type { Difference, HolderStatus, MountpointStatus } from '@mountkeeper/core'
import type { Survey } from '@mountkeeper/plan'
import {
  attachmentWords,
  counted,
  deadWords,
  differenceWords,
  filesystemWords,
  lastCommandWords,
  overdueWords,
  reasonWords,
  timeWords,
  word,
} from 'mountkeeper/parts'
import type { Paint } from './paint.js'

/** Holders that are shown of one mountpoint; `--json` shows all. */
const HOLDERS_SHOWN_MAX = 10

const COLUMNS = ['MOUNTPOINT', 'FILESYSTEM', 'PHASE', 'HOLDERS', 'SINCE', 'KNOWN BY', 'DRIFT'] as const

const knownBy = (holders: readonly HolderStatus[]): string =>
  [...new Set(holders.map(({ knowledge }) => knowledge))].sort().join(', ') || '–'

const driftAt = (mountpoint: string, differences: readonly Difference[]): string =>
  differences
    .filter((each) => each.mountpoint === mountpoint)
    .map(({ _tag }) => _tag)
    .join(', ') || '–'

const row = (status: MountpointStatus, differences: readonly Difference[]): readonly string[] => [
  word(status.mountpoint),
  status.filesystem === undefined ? '–' : filesystemWords(status.filesystem),
  status.phase,
  String(status.holders.length),
  timeWords(status.since),
  knownBy(status.holders),
  driftAt(status.mountpoint, differences),
]

const details = ({
  holders,
  dead,
  reason,
  overdue,
  lastError,
  unmanaged,
  instance,
}: MountpointStatus): readonly string[] => [
  ...holders
    .slice(0, HOLDERS_SHOWN_MAX)
    .map((holder) => `held by ${attachmentWords(holder)} since ${timeWords(holder.since)}, by ${holder.knowledge}`),
  ...(holders.length > HOLDERS_SHOWN_MAX
    ? [`and ${holders.length - HOLDERS_SHOWN_MAX} more; use --json to see all`]
    : []),
  ...(instance > 1 ? [`mounted ${instance} times since it is recorded`] : []),
  ...(dead === undefined ? [] : [deadWords(dead)]),
  ...(reason === undefined ? [] : [reasonWords(reason)]),
  ...(overdue === undefined ? [] : [overdueWords(overdue)]),
  ...(lastError === undefined ? [] : [lastCommandWords(lastError)]),
  ...(unmanaged === true ? ['outside the current configuration: it can be detached and released, not attached'] : []),
]

const PHASES_WELL: ReadonlySet<string> = new Set(['mounted'])

const painted = (line: string, phase: string, paint: Paint): string =>
  line.replace(phase, PHASES_WELL.has(phase) ? paint.good(phase) : paint.bad(phase))

/** The table, and below it what people can do about the differences. */
export const surveyLines = ({ status, differences }: Survey, paint: Paint): readonly string[] => {
  const { mountpoints, generation, next } = status
  const rows = mountpoints.map((each) => row(each, differences))
  const widths = COLUMNS.map((name, column) =>
    Math.max(name.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  )
  const aligned = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const table = mountpoints.flatMap((each, index) => [
    painted(aligned(rows[index] ?? []), each.phase, paint),
    ...details(each).map((text) => `  ${text}`),
  ])
  const summary = [
    `generation ${generation}`,
    counted(mountpoints.length, 'mountpoint'),
    counted(differences.length, 'difference'),
  ].join(', ')
  return [
    ...(mountpoints.length === 0 ? [] : [paint.title(aligned(COLUMNS)), ...table, '']),
    ...differences.map(differenceWords),
    ...(differences.length === 0 ? [] : ['']),
    summary,
    ...(next === undefined ? [] : [`there are more: run it again with --after ${word(next)}`]),
  ]
}

// The cells of the table of the core (`table.ts`), as decisions of an exploration or of scenarios have shown them: in which situation
// what happened, and which situation it led to. Compared with what the table says, both ways.

import type { HostPhase, Input } from '@mountkeeper/core'
import type { Happening, Mountpoint, Situation } from '@mountkeeper/core/state'
import { ON, situationOf } from '@mountkeeper/core/state'

/** A host before or after a decision: its phase, and the records of the mountpoints that are watched, in one order. */
export interface Watched {
  readonly host: HostPhase
  readonly records: readonly { readonly path: string; readonly record: Mountpoint | undefined }[]
}

/** Where each cell was seen to lead: `running Reported` to situations; an ignored one that changed a record, to `changed`. */
export type Cells = Map<string, Set<Situation | 'changed'>>

const SITUATIONS = Object.keys(ON) as readonly Situation[]
const HAPPENINGS = Object.keys(ON.resting) as readonly Happening[]

const situation = (record: Mountpoint | undefined): Situation =>
  record === undefined ? 'resting' : situationOf(record)

/** What an input is at one mountpoint; nothing where it is about another one, or is refused before it comes there. */
const happeningAt = (
  input: Input,
  path: string,
  before: Mountpoint | undefined,
  after: Mountpoint | undefined,
): Happening | undefined => {
  switch (input._tag) {
    case 'Requested':
      return after?.waiting.some(({ request }) => request === input.request) === true ? 'Arrived' : undefined
    case 'Deadline':
      return before?.waiting.some(({ request }) => request === input.request) === true ? 'Deadline' : undefined
    case 'Stopped':
      return undefined
    default:
      break
  }
  if (before === undefined || input.mountpoint !== path) return undefined
  if (input._tag !== 'Outcome') return input._tag
  return before.wait?.effect === input.effect ? 'Elapsed' : 'Reported'
}

const isStray = (input: Input, { inFlight }: Mountpoint): boolean =>
  input._tag === 'Outcome' && inFlight?.effect !== input.effect

/** Notes the cells that one input went through. */
export const noteCells = (cells: Cells, input: Input, was: Watched, is: Watched): void => {
  was.records.forEach(({ path, record: before }, index) => {
    const after = is.records[index]?.record
    const happening = happeningAt(input, path, before, after)
    if (happening === undefined || (happening === 'Observed' && was.host !== 'up')) return
    const from = situation(before)
    const { does } = ON[from][happening]
    // An outcome that belongs to no effect in flight is none of the table's; that it changes nothing is judged elsewhere.
    if (happening === 'Reported' && does !== 'ignore' && before !== undefined && isStray(input, before)) return
    const name = `${from} ${happening}`
    const seen = cells.get(name) ?? new Set()
    cells.set(name, seen)
    if (does !== 'ignore') seen.add(situation(after))
    else if (before !== after) seen.add('changed')
  })
}

const every = <A>(of: (from: Situation, happening: Happening) => readonly A[]): readonly A[] =>
  SITUATIONS.flatMap((from) => HAPPENINGS.flatMap((happening) => of(from, happening)))

/** What was seen, and the table does not say. */
export const notInTable = (cells: Cells): readonly string[] =>
  every((from, happening) => {
    const says: readonly string[] = ON[from][happening].to
    return [...(cells.get(`${from} ${happening}`) ?? [])]
      .filter((to) => !says.includes(to))
      .map((to) => `${from} ${happening} leads to ${to}`)
  })

/** What the table says, and was never seen. */
export const notSeen = (cells: Cells): readonly string[] =>
  every((from, happening) => {
    const seen = cells.get(`${from} ${happening}`)
    return ON[from][happening].to
      .filter((to) => seen?.has(to) !== true)
      .map((to) => `${from} ${happening} never leads to ${to}`)
  })

/** The table of the core as a part of the page of transitions. */
export const showTable = (): readonly string[] => [
  `| | ${HAPPENINGS.join(' | ')} |`,
  `| --- |${' --- |'.repeat(HAPPENINGS.length)}`,
  ...SITUATIONS.map((from) => {
    const cells = HAPPENINGS.map((happening) => {
      const { does, to } = ON[from][happening]
      return does === 'ignore' ? '' : `\`${does}\` → ${to.join(', ')}`
    })
    return `| **${from}** | ${cells.join(' | ')} |`
  }),
]

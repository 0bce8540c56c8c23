// What happened last in a lane, what is wrong, and the report of it: enough to see without the run what broke.

import { readFileSync, readdirSync } from 'node:fs'
import type { Place } from './ground.js'
import { commandsAt, contentsOf, layersBelow } from './ground.js'

/** A law was broken. */
export class Violation extends Error {}

/** Sees everything that happens in a lane. */
export interface Witness {
  readonly note: (text: string) => void
  /** What is wrong, if anything; it is reported by the next `assert`, so that a listener need not throw. */
  readonly check: (wrong: readonly string[]) => void
  readonly assert: () => void
  /** A violation that ends the lane. */
  readonly violation: (wrong: readonly string[]) => Violation
}

const LOG_MAX = 300

const stateText = (place: Place): string =>
  readdirSync(place.state)
    .filter((name) => name.startsWith('journal'))
    .map((name) => `${name}:\n${readFileSync(`${place.state}/${name}`, 'utf8')}`)
    .join('\n')

export const createWitness = (name: string, place: Place): Witness => {
  const began = performance.now()
  const log: string[] = []
  const faults: string[] = []
  const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`)
  const violation = (wrong: readonly string[]): Violation =>
    new Violation(
      [
        `${name}:`,
        ...indented(wrong),
        'What happened last:',
        ...indented(log),
        'Mount table:',
        ...indented(layersBelow(place.root).map((layer) => JSON.stringify(layer))),
        'Directories below the mounts:',
        ...indented(contentsOf(place.bare) ?? []),
        'Commands:',
        ...indented(commandsAt(`${name}-`)),
        stateText(place),
      ].join('\n'),
    )
  return {
    note: (text) => {
      log.push(`${((performance.now() - began) / 1_000).toFixed(3)} ${text}`)
      if (log.length > LOG_MAX) log.shift()
    },
    check: (wrong) => void faults.push(...wrong),
    assert: () => {
      if (faults.length > 0) throw violation(faults)
    },
    violation,
  }
}

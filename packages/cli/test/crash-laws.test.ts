// The laws over random runs with crashes, with the facts going through the form in which the journal writes them: at a crash
// one write is under way, and of that any number of bytes, with or without a hole, is on the disk. What recovery reads from
// these bytes is what the next life begins with, and the simulator's oracles judge all of it from outside.

import type { Fact } from '@mountkeeper/core'
import { snapshot } from '@mountkeeper/core'
import { encodeHead, encodeWrite, scanBytes } from '@mountkeeper/journal'
import type { Medium, Parcel } from '@mountkeeper/simulator'
import { anyRun, brokenLaws, play } from '@mountkeeper/simulator'
import fc from 'fast-check'
import { expect, test } from 'vitest'

interface Seen {
  crashes: number
  torn: number
  whole: number
  holes: number
}

/** The file at a crash, cut and read; `chance` gives whole numbers below another. */
const journalOnDisk =
  (chance: (below: number) => number, seen: Seen): Medium =>
  (durable, parcels) => {
    // All that was durable: as a snapshot, or as it was appended, in writes of any size.
    const isShort = chance(3) === 0
    const facts = isShort ? snapshot(durable) : durable
    const before = isShort ? snapshotOf(facts) : encodeHead(0) + writesOf(facts, chance)
    // One write is under way: some of what waits, in order. What came later was not begun.
    const waiting = parcels.filter((parcel) => parcel.facts.length > 0)
    const under = waiting.slice(0, chance(3) === 0 ? chance(waiting.length + 1) : waiting.length)
    const write = under.length === 0 ? '' : encodeWrite(under.flatMap((parcel) => parcel.facts))
    const file = Buffer.from(before + write)
    const begins = Buffer.byteLength(before)
    const cut = chance(3) === 0 ? file.length : begins + chance(file.length - begins + 1)
    const isHoled = cut > begins && chance(4) === 0
    const hole = begins + chance(cut - begins)
    if (isHoled) file.fill(0, hole, Math.min(cut, hole + 1 + chance(200)))
    const { fault, read, wholeBytes } = scanBytes(file.subarray(0, cut))
    const isWhole = wholeBytes === file.length && write !== ''
    seen.crashes += 1
    if (isWhole) seen.whole += 1
    if (fault?._tag === 'Torn') seen.torn += 1
    if (isHoled) seen.holes += 1
    if (fault !== undefined && fault._tag !== 'Torn')
      throw new Error(`line ${fault.line} of ${file.toString()}: ${fault.why}`)
    if (wholeBytes !== (isWhole ? file.length : begins))
      throw new Error(`a part of a write was read: ${wholeBytes} bytes`)
    return { parcels: isWhole ? upTo(parcels, under) : 0, facts: read }
  }

/** How many parcels are durable once these are. */
const upTo = (parcels: readonly Parcel[], under: readonly Parcel[]): number => {
  const last = under.at(-1)
  return last === undefined ? 0 : parcels.indexOf(last) + 1
}

const snapshotOf = (facts: readonly Fact[]): string =>
  encodeHead(facts.length) + facts.map((fact) => encodeWrite([fact])).join('')

const writesOf = (facts: readonly Fact[], chance: (below: number) => number): string => {
  let text = ''
  for (let at = 0, size = 0; at < facts.length; at += size) {
    size = 1 + chance(5)
    text += encodeWrite(facts.slice(at, at + size))
  }
  return text
}

/** A list of numbers as chances, over and over. */
const chancesOf = (numbers: readonly number[]): ((below: number) => number) => {
  let next = 0
  return (below) => {
    next += 1
    return below === 0 ? 0 : (numbers[next % numbers.length]! + next) % below
  }
}

test('L25 to L36 and all others hold over crashes at any byte of a write', () => {
  const seen: Seen = { crashes: 0, torn: 0, whole: 0, holes: 0 }
  fc.assert(
    fc.property(anyRun, fc.array(fc.nat(), { minLength: 20, maxLength: 20 }), (run, numbers) => {
      const { history } = play({ ...run, journal: 'behind' }, undefined, journalOnDisk(chancesOf(numbers), seen))
      expect(brokenLaws(history.breaches), JSON.stringify(history.breaches[0])).toEqual([])
    }),
    { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 3_000), seed: Number(process.env['FC_SEED'] ?? 1) },
  )
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(40)
}, 120_000)

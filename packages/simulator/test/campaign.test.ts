// Campaigns: the same seeds are the same runs, and nothing goes wrong but what is named. That they find mistakes, and how short
// these are shown, stands with the planted ones.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FAULT_KINDS, actionOf, beginCampaign, goOnWith, runOf } from '../src/index.js'
import type { Action, Campaign, FaultKind } from '../src/index.js'

const played = (seed: number, runs: number): Campaign => {
  const campaign = beginCampaign({ seed, runs })
  while (goOnWith(campaign, 3)) expect(campaign.broken).toBeUndefined()
  return campaign
}

test('run number k of a seed is the first run of the seed k further', () => {
  const together = played(4_294_967_293, 5)
  const alone = [4_294_967_293, 4_294_967_294, 4_294_967_295, 0, 1].map((seed) => played(seed, 1))
  const sum = (count: (campaign: Campaign) => number) => alone.reduce((total, each) => total + count(each), 0)
  expect([together.runs, together.actions, together.decisions]).toEqual([
    5,
    sum(({ actions }) => actions),
    sum(({ decisions }) => decisions),
  ])
  expect(new Set(alone.map(({ actions }) => actions)).size).toBeGreaterThan(2)
})

const kindsOf = (action: Action): readonly string[] => {
  switch (action._tag) {
    case 'End':
      return action.fault._tag === 'None' ? [] : [action.fault._tag.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase()]
    case 'Crash':
      return [action.reboot ? 'reboot' : 'crash']
    case 'Echo':
      return ['echo']
    case 'ThirdParty':
      return ['third-party']
    default:
      return []
  }
}

const seenWith = (kinds: readonly FaultKind[]): ReadonlySet<string> =>
  new Set(fc.sample(actionOf(new Set(kinds)), { numRuns: 2_000, seed: 1 }).flatMap(kindsOf))

test.each(FAULT_KINDS)('%s alone goes wrong when it alone is named', (kind) => {
  expect(seenWith([kind])).toEqual(new Set([kind]))
})

test('everything goes wrong when everything is named, and nothing when nothing is', () => {
  expect(seenWith(FAULT_KINDS)).toEqual(new Set(FAULT_KINDS))
  expect(seenWith([])).toEqual(new Set())
  expect(fc.sample(runOf(new Set()), { numRuns: 20, seed: 1 }).flatMap(({ actions }) => actions)).not.toEqual([])
})

// Planted bugs: the explorer has to find each of them, by a trace that is short enough to read.
import type { Change, Decision, Host, Input } from '@mountkeeper/core'
import { apply, decide } from '@mountkeeper/core'
import { isUnmounting } from '@mountkeeper/core/state'
import { expect, test } from 'vitest'
import * as explorer from '../../src/explore/index.js'

/** Both decisions as one: what the first emits never leaves. */
const inOne = (host: Host, input: Input, next: (first: Decision) => Input | undefined): Decision => {
  const first = decide(host, input)
  const then = next(first)
  if (then === undefined) return first
  const after = explorer.thaw(host.settings, explorer.freeze(host))
  apply(after, first)
  const second = decide(after, then)
  return {
    changes: [...first.changes, ...second.changes],
    append: [...first.append, ...second.append],
    then: { answers: [...first.then.answers, ...second.then.answers], effects: second.then.effects },
  }
}

/** Trusts its record where it should look before an unmount. */
const withoutLook: explorer.Decide = (host, input) =>
  inOne(host, input, ({ then: { effects } }) => {
    if (input._tag !== 'Granted') return undefined
    const { record } = host.mountpoints.get(input.mountpoint) ?? {}
    const [look] = effects
    if (!isUnmounting(record?.work) || record?.layer === undefined || look === undefined) return undefined
    const found = { _tag: 'Mounted', layers: [record.layer] } as const
    return { _tag: 'Outcome', at: 0, effect: look.effect, mountpoint: input.mountpoint, found }
  })

/** Forgets that a command has not ended when its deadline has passed. */
const withoutOverdue: explorer.Decide = (host, input) =>
  inOne(host, input, () =>
    input._tag === 'Outcome' && input.found._tag === 'Unknown' && input.found.why === 'TimedOut'
      ? { _tag: 'Ended', at: 0, effect: input.effect, mountpoint: input.mountpoint }
      : undefined,
  )

const leavingOut =
  (tag: Decision['append'][number]['_tag']): explorer.Decide =>
  (host, input) => {
    const decision = decide(host, input)
    return { ...decision, append: decision.append.filter((fact) => fact._tag !== tag) }
  }

/** Gives every answer twice. */
const repeating: explorer.Decide = (host, input) => {
  const decision = decide(host, input)
  const { answers, effects } = decision.then
  return { ...decision, then: { answers: [...answers, ...answers], effects } }
}

/** Answers an attach whose probe has ended by the look before it, whatever a survey has shown in between. */
const withoutDoubt: explorer.Decide = (host, input) => {
  const decision = decide(host, input)
  if (input._tag !== 'Outcome' || input.found._tag !== 'Discovered') return decision
  const isProbing = (change: Change): boolean => change._tag === 'Record' && change.record?.inFlight?.kind === 'Probe'
  return { ...decision, changes: decision.changes.filter((change) => !isProbing(change)) }
}

test.each([
  ['no look before an unmount', withoutLook, ['L20'], 8],
  ['an overdue command that is forgotten', withoutOverdue, ['L22', 'L23'], 6],
  ['a holder that is not durable', leavingOut('Held'), ['section 7'], 5],
  ['a holder that leaves in memory only', leavingOut('Left'), ['section 7'], 8],
  ['a claim that is not durable', leavingOut('Claimed'), ['L3', 'section 7'], 5],
  ['a claim that never ends durably', leavingOut('ClaimEnded'), ['section 7'], 6],
  ['an unmount whose intent is not durable', leavingOut('Unmounting'), ['L30'], 8],
  ['two answers', repeating, ['L45'], 3],
  ['a survey that is ignored during a probe', withoutDoubt, ['L16'], 8, explorer.PROBED],
] as const)(
  '%s is found',
  (_, planted, laws: readonly string[], steps, configuration = explorer.SHARED) => {
    const exploration = explorer.explore(configuration, { decide: planted })
    expect(exploration.status).toBe('broken')
    const finding = exploration.finding!
    expect(laws).toContain(finding.broken[0]!.law)
    expect(explorer.wayTo(exploration, finding.from).length).toBeLessThanOrEqual(steps)
    expect(explorer.tellFinding(exploration, finding)).toContain(`${finding.broken[0]!.law} is broken`)
  },
  120_000,
)

test('the trace of a finding reads as a story', () => {
  const exploration = explorer.explore(explorer.SHARED, { decide: withoutLook })
  expect(explorer.tellFinding(exploration, exploration.finding!)).toMatchInlineSnapshot(`
    "begins with /m/a: no directory
    1. a caller asks: attach /m/a tmpfs:f v1 of c1 id r2
      request 2 attach /m/a tmpfs:f v1 of c1 id r2
      granted /m/a
        effect #2 Look /m/a for tmpfs:f within 10000 ms
    2. Look #2 reports: well
      outcome #2 /m/a NoDirectory
        fact Claimed /m/a tmpfs:f v1 of c1 found NoDirectory
        effect #3 MakeDirectory /m/a within 10000 ms
    3. MakeDirectory #3 does its work; MakeDirectory #3 reports: well
      outcome #3 /m/a Directory
        fact DirectoryMade /m/a
        effect #4 Mount /m/a tmpfs:f nosuid,nodev,size=16m,nr_inodes=4096 within 120000 ms
        host   /m/a: directory ours
    4. Mount #4 does its work; Mount #4 reports: well
      outcome #4 /m/a Mounted 100 tmpfs f / 0:100 rw,nosuid,nodev
        fact Mounted /m/a 100 tmpfs f / 0:100 rw,nosuid,nodev
        fact Held /m/a v1 of c1 by request id r2
        answer -> 2 attach id r2 ok Attached added mounted instance 1 generation 1
        host   /m/a: directory ours, f (100)
    5. a caller asks: detach /m/a v1 of c1 id r3
      request 3 detach /m/a v1 of c1 id r3
        fact Left /m/a v1 of c1
      granted /m/a
        fact Unmounting /m/a 100 tmpfs f / 0:100 rw,nosuid,nodev
        effect #6 Unmount /m/a plain 100 tmpfs f / 0:100 rw,nosuid,nodev within 60000 ms
    L20 is broken: Unmount #6 although no look showed that very layer on top"
  `)
}, 120_000)

// How often look processes are started and asked, with processes that are played: one that ends costs its batch one round more, not
// a round for each question.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Seen } from '../src/look.js'
import type { LookChildEvents, StartLookChild } from '../src/look-child.js'
import type { Prober } from '../src/prober.js'
import { HUNG_PER_SERVER_MAX, createProber } from '../src/prober.js'
import type { Question } from '../src/question.js'
import { GREETING } from '../src/question.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const TRUST = { uid: 0, owners: [] }

type Play = (child: Child, names: readonly string[]) => 'answer' | 'end' | 'hang'

interface Child {
  readonly number: number
  readonly events: LookChildEvents
  /** The sizes of the batches that it was asked. */
  readonly rounds: number[]
  killed: boolean
  dismissed: boolean
}

interface World {
  readonly prober: Prober
  readonly children: Child[]
  readonly rounds: () => readonly number[]
}

/** `starts`: how a child begins; `ends` before it greets. `killable`: whether a kill ends it. */
interface WorldOptions {
  readonly play?: Play
  readonly starts?: 'greets' | 'ends' | 'never'
  readonly killable?: boolean
}

const nameOf = (question: Question): string => (question._tag === 'Look' ? question.request.mountpoint : question.path)

const world = ({ play = () => 'answer', starts = 'greets', killable = true }: WorldOptions = {}): World => {
  const children: Child[] = []
  const start: StartLookChild = (events) => {
    const child: Child = { number: children.length, events, rounds: [], killed: false, dismissed: false }
    children.push(child)
    if (starts === 'greets') setImmediate(() => events.line(GREETING))
    if (starts === 'ends') setImmediate(() => events.ended('the look process ended (1)'))
    return {
      pid: 1_000 + child.number,
      ask: (line) => {
        const names = (JSON.parse(line) as readonly Question[]).map(nameOf)
        child.rounds.push(names.length)
        const how = play(child, names)
        if (how === 'end') setImmediate(() => events.ended('the look process ended (SIGKILL)'))
        if (how === 'answer' && starts === 'greets') {
          const seen = names.map((name): Seen => ({
            found: { _tag: 'Obstacle', kind: 'file' },
            source: { asked: { _tag: 'Absent', path: name } },
          }))
          setImmediate(() => {
            if (!child.killed) events.line(JSON.stringify(seen))
          })
        }
      },
      dismiss: () => {
        child.dismissed = true
        setImmediate(() => events.ended('the look process ended (0)'))
      },
      kill: () => {
        child.killed = true
        if (killable) setImmediate(() => events.ended('the look process ended (SIGKILL)'))
      },
    }
  }
  return { prober: createProber({ start }), children, rounds: () => children.flatMap(({ rounds }) => rounds) }
}

const look = ({ prober }: World, name: string, deadlineMs = 10_000, server = ''): Promise<Seen> =>
  prober.look({
    mountpoint: name,
    root: undefined,
    filesystem: undefined,
    rule: { appears: { _tag: 'Growth' }, sourceIsPath: false, pathOptions: [] },
    server,
    trust: TRUST,
    mayBe: 'anything',
    deadlineMs,
  })

const lookAtAll = (one: World, count: number): Promise<readonly Seen[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => look(one, `a${index}`)))

/** Each answer is that of its question. */
const expectAllSeen = (all: readonly Seen[]): void => {
  expect(all.map(({ source }) => (source?.asked as { readonly path?: string } | undefined)?.path)).toEqual(
    all.map((_, index) => `a${index}`),
  )
}

/** Lets the played processes act, and time go by. */
const after = async <A>(answer: Promise<A>, stepMs = 100): Promise<A> => {
  const state = { done: false }
  void answer.finally(() => (state.done = true))
  while (!state.done) {
    await new Promise<void>((turn) => void setImmediate(turn))
    await new Promise<void>((turn) => void setImmediate(turn))
    if (stepMs > 0) vi.advanceTimersByTime(stepMs)
  }
  return answer
}

describe('a look process that dies (F7)', () => {
  test('undisturbed: one process, one round for up to 1,024 looks', async () => {
    const one = world()
    expectAllSeen(await after(lookAtAll(one, 1_000), 0))
    expect(one.rounds()).toEqual([1_000])
  })
  test('killed once: its batch is asked again in two halves at once', async () => {
    const one = world({ play: ({ number }) => (number === 0 ? 'end' : 'answer') })
    expectAllSeen(await after(lookAtAll(one, 1_000), 0))
    expect(one.children.map(({ rounds }) => rounds)).toEqual([[1_000], [500], [500]])
  })
  test('with more that wait: they are asked afterwards, by a process that is there', async () => {
    const one = world({ play: ({ number }) => (number === 0 ? 'end' : 'answer') })
    expectAllSeen(await after(lookAtAll(one, 3_000), 0))
    expect(one.children.map(({ rounds }) => rounds)).toEqual([[1_024], [512], [512, 1_024, 952]])
  })
  test('one look that ends every process is found by halves, and the others are answered', async () => {
    const one = world({ play: (_, names) => (names.includes('a700') ? 'end' : 'answer') })
    const all = await after(lookAtAll(one, 1_000), 0)
    expect(all.filter(({ found }) => found._tag === 'Unknown')).toHaveLength(1)
    expect(all[700]).toMatchObject({ found: { why: 'Unreadable', detail: 'the look process ended (SIGKILL)' } })
    // Ten halvings, and three times alone.
    expect(one.children.length).toBeLessThanOrEqual(14)
    expect(one.rounds().length).toBeLessThanOrEqual(24)
  })
  test('killed three times in a row: still no round for each', async () => {
    const one = world({ play: ({ number }) => (number < 3 ? 'end' : 'answer') })
    expectAllSeen(await after(lookAtAll(one, 1_000), 0))
    expect(one.children).toHaveLength(5)
    expect(one.rounds().length).toBeLessThanOrEqual(8)
  })
  test('none can be started: all are answered so, after a few starts', async () => {
    const one = world({ starts: 'ends' })
    const all = await after(lookAtAll(one, 3_000), 0)
    expect(all.every(({ found }) => found._tag === 'Unknown' && found.why === 'Unreadable')).toBe(true)
    expect(one.children.length).toBeLessThanOrEqual(10)
  })
})

describe('patience', () => {
  test('begins with the greeting: a process that is slow to start is not mistaken for one that hangs', async () => {
    const one = world({ starts: 'never' })
    const seen = look(one, 'a0', 60_000)
    await after(Promise.resolve())
    vi.advanceTimersByTime(5_000)
    expect(one.children.map(({ killed }) => killed)).toEqual([false])
    one.children[0]!.events.line(GREETING)
    one.children[0]!.events.line(JSON.stringify([{ found: { _tag: 'NoDirectory' } }]))
    expect(await seen).toEqual({ found: { _tag: 'NoDirectory' } })
  })
  test('a process that never greets is given up', async () => {
    const one = world({ starts: 'never' })
    const both = Promise.all([look(one, 'a0', 60_000), look(one, 'a1', 60_000)])
    expect((await after(both, 1_000)).map(({ found }) => found)).toMatchObject([
      { _tag: 'Unknown', why: 'TimedOut' },
      { _tag: 'Unknown', why: 'TimedOut' },
    ])
    expect(one.children[0]!.killed).toBe(true)
  })
  test('an idle process that was stopped: a single look is asked elsewhere, long before its deadline', async () => {
    let stopped = false
    const one = world({ play: ({ number }) => (number === 0 && stopped ? 'hang' : 'answer') })
    await after(look(one, 'a'), 0)
    stopped = true
    const since = performance.now()
    expect((await after(look(one, 'b'))).found._tag).toBe('Obstacle')
    expect(performance.now() - since).toBeLessThan(1_000)
    expect(one.children.map(({ rounds }) => rounds)).toEqual([[1, 1], [1]])
  })
  test('a look that hangs elsewhere too stays where it is, until its deadline', async () => {
    const one = world({ play: (_, names) => (names.includes('hang') ? 'hang' : 'answer') })
    await after(look(one, 'a'), 0)
    expect((await after(look(one, 'hang'))).found).toMatchObject({ why: 'TimedOut' })
    expect(one.children.map(({ rounds }) => rounds)).toEqual([[1, 1], [1]])
  })
  test('one of many that hangs: they are asked in parts, then one by one', async () => {
    const one = world({ play: (_, names) => (names.includes('a700') ? 'hang' : 'answer') })
    const all = await after(lookAtAll(one, 1_000))
    expect(all.filter(({ found }) => found._tag === 'Unknown')).toHaveLength(1)
    // Once together, in 32 parts, those of one part alone, and the one that hangs elsewhere once more.
    expect(one.rounds().length).toBeLessThanOrEqual(1 + 32 + 32 + 1)
  })
  test('a server whose looks hang beyond the kill has so many processes and no more', async () => {
    const one = world({ play: () => 'hang', killable: false })
    const all = Promise.all(Array.from({ length: 20 }, (_, index) => look(one, `a${index}`, 5_000, 'server')))
    for (let step = 0; step < 100; step += 1) {
      await new Promise<void>((turn) => void setImmediate(turn))
      vi.advanceTimersByTime(100)
    }
    // The first one had all of them, and hangs as well.
    expect(one.children.length).toBeLessThanOrEqual(1 + HUNG_PER_SERVER_MAX)
    for (const child of one.children) child.events.ended('the look process ended (SIGKILL)')
    expect((await after(all)).every(({ found }) => found._tag === 'Unknown')).toBe(true)
  })
})

describe('processes', () => {
  test('one is kept when nothing waits', async () => {
    const one = world({ play: (_, names) => (names.length > 1 && names.length < 1_000 ? 'answer' : 'hang') })
    const all = lookAtAll(one, 1_000)
    await after(all)
    expect(one.children.filter(({ killed, dismissed }) => !killed && !dismissed)).toHaveLength(1)
  })
  test('F8: a directory is given up at its deadline, also where the kill does nothing', async () => {
    const one = world({ play: () => 'hang', killable: false })
    expect(await after(one.prober.directory('root', '/srv/mounts', TRUST, 3_000))).toBeUndefined()
    expect(one.prober.processes()).toEqual({ asked: [], left: [1_000] })
  })
})

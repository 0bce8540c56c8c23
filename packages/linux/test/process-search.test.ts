// The search of all processes: one for all who wait for a command's end.
import { spawn, spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SearchTogether } from '../src/process-search.js'
import { createSearch } from '../src/process-search.js'
import type { Process } from '../src/processes.js'
import { allEnded, processes } from '../src/processes.js'

describe('searched together', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** A search that takes so long by a clock of its own, which the timers follow. */
  const world = (
    durationMs: number,
  ): { search: SearchTogether<Process>; begun: number[]; pass: (ms: number) => void } => {
    let now = 0
    const begun: number[] = []
    const find = (): readonly Process[] => {
      begun.push(now)
      now += durationMs
      return []
    }
    const pass = (ms: number): void => {
      now += ms
      vi.advanceTimersByTime(ms)
    }
    return { search: createSearch(find, () => now), begun, pass }
  }

  test('one search for all who ask before it begins, and another for who asks later', async () => {
    const { search, begun, pass } = world(1)
    const all = Array.from({ length: 50 }, () => search())
    expect(begun).toEqual([])
    pass(0)
    const found = await Promise.all(all)
    expect(new Set(found).size).toBe(1)
    expect(begun).toHaveLength(1)
    const later = search()
    pass(19)
    expect(begun).toHaveLength(1)
    pass(1)
    await later
    expect(begun).toHaveLength(2)
  })
  test('a search that takes half a second is done once a second', async () => {
    const { search, begun, pass } = world(500)
    for (let round = 0; round < 5; round += 1) {
      const all = Array.from({ length: 30 }, () => search())
      pass(1_000)
      await Promise.all(all)
    }
    expect(begun).toHaveLength(5)
  })
})

test('many overdue commands whose leaders are gone cost one search, not one each', async () => {
  const gone = Array.from({ length: 40 }, () => spawnSync('true').pid)
  let searches = 0
  const search = createSearch(() => {
    searches += 1
    return processes()
  })
  await Promise.all(gone.map((pid) => allEnded({ pid, started: undefined }, search)))
  expect(searches).toBe(1)
})

test('as long as the leader lives nothing is searched', async () => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  let searches = 0
  const wait = { isOver: false }
  const search: SearchTogether<Process> = () => {
    searches += 1
    return Promise.resolve(processes())
  }
  const ended = allEnded({ pid: child.pid!, started: undefined }, search).then(() => (wait.isOver = true))
  await new Promise((wake) => setTimeout(wake, 50))
  expect({ searches, isOver: wait.isOver }).toEqual({ searches: 0, isOver: false })
  child.kill('SIGKILL')
  await ended
  expect(searches).toBeGreaterThan(0)
})

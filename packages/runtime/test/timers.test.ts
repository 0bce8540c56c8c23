import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMemoryJournal, createSystemTimers } from '../src/index.js'
import { factOf } from './world.js'

describe('the timers of the operating system', () => {
  afterEach(() => void vi.useRealTimers())

  test('call once, later, and not at all when called off', async () => {
    const { after } = createSystemTimers()
    const calls: string[] = []
    const done = new Promise<void>((resolve) => {
      void after(5, () => {
        calls.push('kept')
        resolve()
      })
    })
    after(1, () => calls.push('called off'))()
    expect(calls).toEqual([])
    const alive = setTimeout(() => undefined, 1_000)
    await done
    clearTimeout(alive)
    expect(calls).toEqual(['kept'])
  })

  test('know delays longer than a timer of Node can be', () => {
    vi.useFakeTimers()
    const { after, now } = createSystemTimers()
    const from = now()
    const ends: number[] = []
    const fiftyDays = 50 * 24 * 3_600_000
    void after(fiftyDays, () => ends.push(now() - from))
    const callOff = after(2 * fiftyDays, () => ends.push(-1))
    vi.advanceTimersByTime(fiftyDays - 1)
    expect(ends).toEqual([])
    vi.advanceTimersByTime(1)
    expect(ends).toEqual([fiftyDays])
    callOff()
    vi.advanceTimersByTime(2 * fiftyDays)
    expect(ends).toEqual([fiftyDays])
    // Longer than three timers of Node.
    const later = now()
    void after(2 * fiftyDays, () => ends.push(now() - later))
    vi.advanceTimersByTime(2 * fiftyDays - 1)
    expect(ends).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(ends.slice(1)).toEqual([2 * fiftyDays])
  })

  test('keep the process alive while a holder exists, and not by themselves', () => {
    const timers = createSystemTimers()
    const keeping = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = keeping()
    const callOff = timers.after(60_000, () => undefined)
    expect(keeping()).toBe(before)
    const one = timers.hold()
    const other = timers.hold()
    expect(keeping()).toBe(before + 1)
    one()
    one()
    expect(keeping()).toBe(before + 1)
    other()
    expect(keeping()).toBe(before)
    timers.hold()()
    expect(keeping()).toBe(before)
    callOff()
  })

  test('are held again after they were let go of, as often as that is', () => {
    const { hold } = createSystemTimers()
    const keeping = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = keeping()
    for (let time = 0; time < 3; time += 1) {
      const letGo = [hold(), hold()]
      expect(keeping()).toBe(before + 1)
      for (const end of letGo) end()
      expect(keeping()).toBe(before)
    }
  })
})

describe('the journal in memory', () => {
  test('keeps facts in the order in which they were appended, after those it began with', async () => {
    const journal = createMemoryJournal([factOf('0')])
    const late = journal.append([factOf('2')])
    await journal.append([factOf('1')])()
    await late()
    const kept = ['0', '1', '2'].map(factOf)
    expect(journal.facts).toEqual(kept)
    expect(await journal.read()).toEqual({ _tag: 'Right', right: kept })
  })
})

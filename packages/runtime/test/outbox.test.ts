// The outbox alone, in front of a journal whose appends the test ends: nothing leaves it out of turn, and nothing once it is shut.

import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { JournalFailed } from '../src/index.js'
import type { Parcel } from '../src/outbox.js'
import { createOutbox } from '../src/outbox.js'
import { factOf, settled } from './world.js'

const FULL: JournalFailed = { _tag: 'JournalFailed', why: 'the disk is full' }
const DURABLE: Either<JournalFailed, void> = right(undefined)

const outbox = () => {
  const appends: ((result: Either<JournalFailed, void>) => void)[] = []
  const gone: string[] = []
  const failures: JournalFailed[] = []
  const names = new Map<Parcel, string>()
  const box = createOutbox({
    journal: { append: () => () => new Promise((resolve) => appends.push(resolve)) },
    leave: (parcel) => void gone.push(names.get(parcel) ?? ''),
    failed: (failure) => void failures.push(failure),
  })
  /** A name in capitals is that of a parcel with facts. */
  const send = (...all: readonly string[]): void => {
    for (const name of all) {
      const facts = name === name.toUpperCase() ? [factOf('f')] : []
      const parcel: Parcel = { facts, answers: [], events: [], effects: [] }
      names.set(parcel, name)
      box.send(parcel)
    }
  }
  const end = async (index: number, result: Either<JournalFailed, void>): Promise<void> => {
    appends[index]?.(result)
    await settled()
  }
  return { ...box, send, end, appends, gone, failures }
}

describe('an outbox', () => {
  test('lets nothing overtake what waits for the disk, and counts what waits', async () => {
    const { send, end, waiting, gone } = outbox()
    send('a', 'B', 'c', 'D', 'e')
    expect([gone, waiting()]).toEqual([['a'], 4])
    await end(1, DURABLE)
    expect([gone, waiting()]).toEqual([['a'], 4])
    await end(0, DURABLE)
    expect([gone, waiting()]).toEqual([['a', 'B', 'c', 'D', 'e'], 0])
    send('f', 'G', 'h')
    expect([gone.slice(5), waiting()]).toEqual([['f'], 2])
    await end(2, DURABLE)
    expect([gone.slice(6), waiting()]).toEqual([['G', 'h'], 0])
  })

  test('keeps the order where thousands have left and some always wait', async () => {
    const { send, end, waiting, gone, appends } = outbox()
    const sent: string[] = []
    for (let index = 0; index < 3_000; index += 1) {
      sent.push(`N${index}`, `n${index}`)
      send(`N${index}`, `n${index}`)
      if (index >= 10) appends[index - 10]?.(DURABLE)
      await Promise.resolve()
    }
    await settled()
    expect([gone.length, waiting()]).toEqual([2 * 2_990, 20])
    for (let index = 2_990; index < 3_000; index += 1) await end(index, DURABLE)
    expect([gone, waiting()]).toEqual([sent, 0])
  })

  test('that has failed says so once, and lets nothing out any more', async () => {
    const { send, end, waiting, gone, failures, appends } = outbox()
    send('A', 'b', 'C', 'D')
    await end(0, left(FULL))
    expect([failures, waiting()]).toEqual([[FULL], 0])
    await end(1, left({ ...FULL, why: 'it is still full' }))
    await end(2, Promise.reject(new Error('it is gone')) as never)
    send('e', 'F')
    expect([gone, failures, appends.length, waiting()]).toEqual([[], [FULL], 3, 0])
  })

  test('whose later append succeeds after a failure lets nothing out either', async () => {
    const { send, end, gone, failures } = outbox()
    send('A', 'B', 'c')
    await end(0, left(FULL))
    await end(1, DURABLE)
    expect([gone, failures]).toEqual([[], [FULL]])
  })

  test('that is shut forgets what waits, and no append of it is heard', async () => {
    const { send, end, shut, waiting, gone, failures, appends } = outbox()
    send('A', 'b', 'C')
    shut()
    expect(waiting()).toBe(0)
    await end(0, DURABLE)
    await end(1, left(FULL))
    send('d', 'E')
    expect([gone, failures, appends.length]).toEqual([[], [], 2])
  })
})

// How much one answer to a status shows: a reader that is slow, and the manager, hold all of it in memory.

import { defaultSettings } from '@mountkeeper/border'
import { describe, expect, test } from 'vitest'
import type { Fact, Status } from '../src/index.js'
import { decide, requestId, restore } from '../src/index.js'
import { STATUS_ENTRIES_MAX, statusOfHost } from '../src/status.js'

const hostWith = (holders: readonly number[]) => {
  const facts = holders.flatMap((count, place) =>
    Array.from({ length: count }, (_, index): Fact => ({
      _tag: 'Held',
      at: 1,
      mountpoint: `/m/${place}`,
      volume: `v${index}`,
      consumer: `c${index}`,
      since: 1,
      knowledge: 'request',
    })),
  )
  return restore(defaultSettings('/m'), facts)
}

const asked = (holders: readonly number[], after?: string): Status => {
  const body = { op: 'status' as const, ...(after === undefined ? {} : { after }) }
  const [answer] = decide(hostWith(holders), { _tag: 'Requested', at: 1, request: requestId(1), body }).then.answers
  if (answer?.ok !== true || answer.result._tag !== 'Status') throw new Error(JSON.stringify(answer))
  return answer.result
}

const shown = ({ mountpoints, next }: Status) => ({
  mountpoints: mountpoints.map(({ mountpoint, holders, holdersNotShown }) => [
    mountpoint,
    holders.length,
    holdersNotShown,
  ]),
  next,
})

describe('a status', () => {
  test('ends before the mountpoint whose holders would be too many, and goes on after it', () => {
    const holders = [4_000, 5_000, 1_001, 3]
    expect(shown(asked(holders))).toEqual({
      mountpoints: [
        ['/m/0', 4_000, undefined],
        ['/m/1', 5_000, undefined],
      ],
      next: '/m/1',
    })
    expect(shown(asked(holders, '/m/1'))).toEqual({
      mountpoints: [
        ['/m/2', 1_001, undefined],
        ['/m/3', 3, undefined],
      ],
      next: undefined,
    })
  })

  test('shows one mountpoint with too many in part, and says how many are left out', () => {
    expect(shown(asked([STATUS_ENTRIES_MAX + 7, 1]))).toEqual({
      mountpoints: [['/m/0', STATUS_ENTRIES_MAX, 7]],
      next: '/m/0',
    })
  })

  test('of a host that no other manager reads shows all', () => {
    expect(shown(statusOfHost(hostWith([STATUS_ENTRIES_MAX, 2]))).mountpoints).toEqual([
      ['/m/0', STATUS_ENTRIES_MAX, undefined],
      ['/m/1', 2, undefined],
    ])
  })
})

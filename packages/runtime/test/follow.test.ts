// What is heard of an authority, whatever it says and does: news lead to requests, and all else to a complaint and to nothing.

import type { Host, Request } from '@mountkeeper/core'
import { describe, expect, test } from 'vitest'
import { followInventory } from '../src/follow.js'
import type { InventoryNews, InventoryPort } from '../src/index.js'

const BACK: InventoryNews = { _tag: 'Back' }
const LOST: InventoryNews = { _tag: 'Lost', why: 'it ended' }

const following = (watch?: (tell: (news: unknown) => void) => unknown) => {
  const host = { phase: 'up' as Host['phase'] }
  const asked: string[] = []
  const heard: unknown[] = []
  const complaints: string[] = []
  let tell: (news: unknown) => void = () => undefined
  let watched = 0
  let unwatched = 0
  const usual = (listener: (news: unknown) => void): (() => void) => {
    tell = listener
    watched += 1
    return () => void (unwatched += 1)
  }
  const inventory = { ask: () => () => new Promise(() => undefined), watch: watch ?? usual } as unknown as InventoryPort
  const follower = followInventory({
    inventory,
    submit: (request: Request) => {
      asked.push(request.op === 'host-down' ? `host-down ${request.reason ?? 'plainly'}` : request.op)
      return new Promise(() => undefined)
    },
    host: host as Host,
    observer: { onInventory: (news) => void heard.push(news) },
    complain: (of, why) => void complaints.push(`${of}: ${why}`),
  })
  return {
    host,
    asked,
    heard,
    complaints,
    wish: (op: 'host-up' | 'host-down') => void follower.submit({ op }),
    tell: (...all: readonly unknown[]) => {
      for (const news of all) tell(news)
    },
    stop: follower.stop,
    counts: () => [watched, unwatched],
  }
}

const DOWN = 'host-down the inventory was lost: it ended'

describe('news', () => {
  test('of a loss take a host down that is up, and not one that is down already', () => {
    for (const [phase, expected] of [
      ['up', [DOWN]],
      ['down', []],
      ['retrying', []],
    ] as const) {
      const { wish, tell, asked, host } = following()
      wish('host-up')
      host.phase = phase
      tell(LOST)
      expect(asked.slice(1)).toEqual(expected)
    }
  })

  test('of a return bring up what a loss has taken down, once, and nothing that is up', () => {
    const { wish, tell, asked } = following()
    wish('host-up')
    tell(BACK)
    expect(asked).toEqual(['host-up'])
    // The host is down only when its turn comes.
    tell(LOST, BACK, BACK)
    expect(asked).toEqual(['host-up', DOWN, 'host-up'])
  })

  test('of a return change nothing after a wish to be up that came meanwhile', () => {
    const { wish, tell, asked } = following()
    wish('host-up')
    tell(LOST)
    wish('host-up')
    tell(BACK)
    expect(asked).toEqual(['host-up', DOWN, 'host-up'])
  })

  test('of a change are shown, and lead to nothing', () => {
    const { wish, tell, asked, heard, complaints } = following()
    wish('host-up')
    tell({ _tag: 'Changed' })
    expect([asked, heard, complaints]).toEqual([['host-up'], [{ _tag: 'Changed' }], []])
  })

  test('are shown to who watches also while the callers wish the host to be down', () => {
    const { wish, tell, asked, heard } = following()
    wish('host-up')
    wish('host-down')
    tell(LOST, BACK)
    expect([asked, heard]).toEqual([
      ['host-up', 'host-down plainly'],
      [LOST, BACK],
    ])
  })

  test('need no watcher', () => {
    const asked: string[] = []
    const follower = followInventory({
      inventory: {
        ask: () => () => new Promise(() => undefined),
        watch: (listener) => {
          listener(LOST)
          return () => undefined
        },
      },
      submit: ({ op }) => {
        asked.push(op)
        return new Promise(() => undefined)
      },
      host: { phase: 'up' } as Host,
      observer: undefined,
      complain: () => undefined,
    })
    void follower.submit({ op: 'host-up' })
    expect(asked).toEqual(['host-down', 'host-up'])
  })

  test.each([
    undefined,
    null,
    7,
    {},
    { _tag: 'Lost' },
    { _tag: 'Lost', why: 7 },
    { _tag: 'Gone' },
    { _tag: 'Gone', why: 'x' },
  ])('%j are none: that is reported, shown to no caller, and leads to nothing', (news) => {
    const { wish, tell, asked, heard, complaints } = following()
    wish('host-up')
    tell(news)
    expect([asked, heard]).toEqual([['host-up'], []])
    expect(complaints).toEqual([
      expect.stringMatching(/^inventory: the watch of the inventory gave an invalid report: /) as string,
    ])
  })
})

describe('an authority', () => {
  test('is watched once, from the first wish to be up until the stop, and not again', () => {
    const { wish, tell, stop, asked, heard, counts } = following()
    wish('host-down')
    expect(counts()).toEqual([0, 0])
    wish('host-up')
    wish('host-up')
    expect(counts()).toEqual([1, 0])
    stop()
    stop()
    expect(counts()).toEqual([1, 1])
    const before = asked.length
    tell(LOST, BACK)
    wish('host-up')
    expect([counts(), asked.length, heard]).toEqual([[1, 1], before + 1, []])
  })

  test('that is never watched can be stopped', () => {
    const { stop, complaints } = following()
    stop()
    expect(complaints).toEqual([])
  })

  test.each([
    ['returned no function to end it: 7', () => 7],
    [
      'threw: no socket',
      () => {
        throw new Error('no socket')
      },
    ],
    [
      'threw at its end: it hangs',
      () => () => {
        throw new Error('it hangs')
      },
    ],
  ])('whose watch %s is reported, and ends nothing', (what, watch) => {
    const { wish, stop, asked, complaints } = following(watch)
    wish('host-up')
    stop()
    stop()
    expect([asked, complaints]).toEqual([['host-up'], [`inventory: the watch of the inventory ${what}`]])
  })
})

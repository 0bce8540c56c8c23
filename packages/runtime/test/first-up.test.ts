// The first host-up that fails: the manager is taken down, and only then.

import { emptyHost } from '@mountkeeper/core'
import type { Answer, Host, Refusal, Request } from '@mountkeeper/core'
import { expect, test } from 'vitest'
import { downUnlessUp } from '../src/first-up.js'
import { SETTINGS } from './settings.js'
import { settled } from './world.js'

const UP: Request = { op: 'host-up' }
const FAILED: Refusal = { _tag: 'DiscoveryFailed', reason: 'no table', nextTryMs: 1 }
const answerOf = (error?: Refusal): Answer =>
  (error === undefined ? { ok: true, result: { _tag: 'Up' } } : { ok: false, error }) as unknown as Answer

/** Submits these one after the other; gives what was asked besides. */
const asked = async (
  phase: Host['phase'],
  ...all: readonly (readonly [Request, Refusal | undefined])[]
): Promise<readonly unknown[]> => {
  const besides: Request[] = []
  const host = { ...emptyHost(SETTINGS), phase }
  let next: Answer | undefined
  const submit = downUnlessUp((request) => {
    if (next === undefined) besides.push(request)
    const answer = next ?? answerOf()
    next = undefined
    return Promise.resolve(answer)
  }, host)
  for (const [request, error] of all) {
    next = answerOf(error)
    const expected = next
    expect(await submit(request)).toBe(expected)
    await settled()
  }
  return besides
}

test('is followed by a host-down with the reason, each time', async () => {
  const down = { op: 'host-down', reason: 'discovery failed: no table' }
  expect(await asked('retrying', [UP, FAILED])).toEqual([down])
  expect(await asked('retrying', [UP, FAILED], [UP, FAILED])).toEqual([down, down])
})

test('leads to nothing once the host has been up', async () => {
  expect(await asked('retrying', [UP, undefined], [UP, FAILED])).toEqual([])
})

test('leads to nothing where another discovery is under way, or it was refused for another reason', async () => {
  expect(await asked('discovering', [UP, FAILED])).toEqual([])
  expect(await asked('retrying', [UP, { _tag: 'Stopped' }])).toEqual([])
})

test('is only that of a host-up: other requests, and their answers, mean nothing', async () => {
  const down = { op: 'host-down', reason: 'discovery failed: no table' }
  expect(await asked('retrying', [{ op: 'status' }, undefined], [UP, FAILED])).toEqual([down])
  expect(await asked('retrying', [{ op: 'status' }, FAILED])).toEqual([])
})

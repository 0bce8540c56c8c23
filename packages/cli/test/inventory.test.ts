// A session with an authority on what is in use: what its loss and return lead to, and what is reported of them.
import { left, right } from 'fp-ts/lib/Either.js'
import type { InventoryNews, InventoryPort } from '@mountkeeper/runtime'
import { expect, test } from 'vitest'
import { attach, drive } from './drive.js'

const scripted = () => {
  let listener: (news: InventoryNews) => void = () => undefined
  const script = { failing: undefined as string | undefined }
  const port: InventoryPort = {
    ask: () => () =>
      Promise.resolve(
        script.failing === undefined
          ? right({ startedAt: 0, files: [] })
          : left({ _tag: 'InventoryFailed', why: script.failing }),
      ),
    watch: (heard) => {
      listener = heard
      return () => undefined
    },
  }
  return { port, script, tell: (news: InventoryNews) => listener(news) }
}

test('an authority that does not answer is why a run does not begin', async () => {
  const { port, script } = scripted()
  script.failing = 'no socket'
  const run = drive({ inventory: port })
  expect(await run.exit).toBe(3)
  expect(run.streams.stderr.text()).toBe('mountkeeper: the host could not come up: the inventory failed: no socket\n')
})

test('lost, requests are refused; back, the host has a new generation; both are reported once', async () => {
  const { port, tell } = scripted()
  const run = drive({ inventory: port })
  run.send(attach('1', 'a'))
  await run.until(1)
  tell({ _tag: 'Back' })
  tell({ _tag: 'Changed' })
  tell({ _tag: 'Lost', why: 'virsh ended with 1' })
  run.send(attach('2', 'a'))
  await run.until(2)
  tell({ _tag: 'Back' })
  run.send({ op: 'status', id: '3' })
  await run.until(3)
  run.send(attach('4', 'a'))
  run.end()
  await run.exit
  expect(run.answers()).toMatchObject([
    { id: '1', result: { _tag: 'Attached', generation: 1 } },
    { id: '2', ok: false, error: { _tag: 'HostDown' } },
    { id: '3', result: { _tag: 'Status' } },
    { id: '4', result: { _tag: 'Attached', mount: 'shared', generation: 2 } },
  ])
  const lines = run.streams.stderr
    .text()
    .split('\n')
    .filter((line) => line.includes('inventory'))
  expect(lines).toEqual([
    'mountkeeper: the inventory is unavailable, so the host is down until it is back: virsh ended with 1',
    'mountkeeper: the inventory is back',
  ])
})

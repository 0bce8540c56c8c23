// A refused attach leaves everything as it was (L7); what it has done is undone in reverse order, past errors, and the first
// cause is reported (L8).

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { act, fault, identityOf, stackAt, directoryAt } from '../../src/index.js'
import type { Fault, ModelHost } from '../../src/index.js'
import { numRuns, seed } from '../corpus.js'
import { A, attach, BIND, NFS, serve, stage, statusOf, tagOf, TMPFS } from './stage.js'

const lookOf = (host: ModelHost): object => ({
  layers: stackAt(host, A).map((id) => identityOf(host, id)),
  directory: directoryAt(host, A) !== undefined,
})

const filesystems = fc.constantFrom(TMPFS, NFS, BIND, { ...TMPFS, source: 'g' })
const faults = fc.record({
  Look: fc.array(fault, { maxLength: 1 }),
  MakeDirectory: fc.array(fault, { maxLength: 1 }),
  Mount: fc.array(fault, { maxLength: 1 }),
  Probe: fc.array(fault, { maxLength: 1 }),
})

/** After these the manager cannot know at the answer what is there: it is put right later (L7). */
const LATER = new Set<Fault['_tag']>(['Late', 'Hangs', 'CannotTell', 'WrongFilesystem', 'Twice', 'Unchecked'])

test('L7: record, directory and layers are as before, whatever other holders there are and whatever fails', () => {
  const refused = new Map<string, number>()
  fc.assert(
    fc.property(
      fc.constantFrom(undefined, TMPFS, NFS),
      fc.boolean(),
      filesystems,
      faults,
      (held, made, filesystem, failing) => {
        const on = stage()
        if (held !== undefined) serve(on, attach(held, 'other', 'd'))
        else if (made) act(on.simulation, { _tag: 'ThirdParty', act: { _tag: 'MakesDirectory', path: A } })
        const before = { host: lookOf(on.simulation.model), status: statusOf(on) }
        const answer = serve(on, { ...attach(filesystem), deadlineMs: 86_400_000 }, failing)
        if (answer.ok) return
        refused.set(tagOf(answer), (refused.get(tagOf(answer)) ?? 0) + 1)
        const after = statusOf(on)
        expect(after?.holders ?? []).toEqual(before.status?.holders ?? [])
        if (
          Object.values(failing)
            .flat()
            .some(({ _tag }) => LATER.has(_tag))
        )
          return
        expect({ host: lookOf(on.simulation.model), phase: after?.phase }).toEqual({
          host: before.host,
          phase: before.status?.phase,
        })
      },
    ),
    { numRuns: numRuns(2_000), seed: seed() },
  )
  expect([...refused.keys()]).toEqual(expect.arrayContaining(['MountFailed', 'Conflict', 'Broken']))
})

describe('L8: a mount without a flag that is demanded', () => {
  const fails: Fault = { _tag: 'Fails', worked: false }
  const unmounts = [[], [fails, fails, fails]] as const
  const removals = [[], [fails]] as const
  const cases = unmounts.flatMap((Unmount) => removals.map((RemoveDirectory) => ({ Unmount, RemoveDirectory })))

  test.each(cases)('is undone in reverse order: %o', ({ Unmount, RemoveDirectory }) => {
    const on = stage()
    const answer = serve(on, attach(), { Mount: [{ _tag: 'MissingFlag' }], Unmount, RemoveDirectory })
    const steps = [...(Unmount.length > 0 ? ['unmount'] : RemoveDirectory.length > 0 ? ['directory'] : [])]
    expect(answer).toMatchObject({
      ok: false,
      error: { _tag: 'MountFailed', step: 'mount', rollback: steps.map((each) => ({ step: each })) },
    })
    const undone = on.started
      .filter((each) => /^(Unmount|RemoveDirectory)/.test(each))
      .map((each) => each.split(' ')[0])
    const tries = Math.max(1, Unmount.length)
    const expected = [...Array<string>(tries).fill('Unmount'), ...(Unmount.length === 0 ? ['RemoveDirectory'] : [])]
    expect(undone.slice(0, expected.length)).toEqual(expected)
    expect(on.history.breaches).toEqual([])
  })
})

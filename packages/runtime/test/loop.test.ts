import type { Answer, Input, Request, RequestId } from '@mountkeeper/core'
import { describe, expect, test, vi } from 'vitest'
import { INPUTS_PER_RUN_MAX, createLoop } from '../src/index.js'
import type { Core } from '../src/index.js'
import { SETTINGS } from './settings.js'
import { ask, delay, good, look, nameOf, settled, world } from './world.js'
import type { Part } from './world.js'

/** Answers every request at once, without facts. */
const echo = (input: Input): Part => (input._tag === 'Requested' ? { answers: [good(input.request)] } : {})

/** A fact for requests whose id begins with `f`; answers all. */
const recording = (input: Input): Part => {
  if (input._tag !== 'Requested') return {}
  const name = nameOf(input)
  return { answers: [good(input.request)], ...(name.startsWith('f') ? { facts: [name] } : {}) }
}

const timedOut = (ended: Promise<void>) => ({ found: { _tag: 'Unknown', why: 'TimedOut' } as const, ended })

const tags = (inputs: readonly Input[]): readonly string[] => inputs.map(({ _tag }) => _tag)

describe('a turn', () => {
  test('takes all that is in the inbox, in order, and asks the journal once', async () => {
    const { loop, core, journal, submit } = world(recording, { journal: 'by hand' })
    void submit('f1')
    void submit('f2')
    loop.observed('/srv/mounts/a')
    await settled()
    expect(tags(core.inputs)).toEqual(['Requested', 'Requested', 'Observed'])
    expect(journal.open.map(({ facts }) => facts.length)).toEqual([2])
  })

  test('delivers the answers before it starts the effects', async () => {
    const { log, submit } = world((input) =>
      input._tag === 'Requested' ? { effects: [look(1)], answers: [good(input.request)] } : {},
    )
    const seen: string[] = []
    await submit('1').then(() => seen.push(...log))
    expect(log).toEqual(['start Look 1', 'answer 1 Retried'])
  })

  test('gives 10,000 requests at once one answer each, and lets timers and I/O run between', async () => {
    const { loop, core } = world(echo)
    let hops = 0
    let counting = true
    const count = (): void => {
      hops += 1
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    const answers = await Promise.all(Array.from({ length: 10_000 }, (_, index) => loop.submit(ask(`${index}`))))
    counting = false
    expect(new Set(answers.map(({ request }) => request)).size).toBe(10_000)
    expect(core.inputs).toHaveLength(10_000)
    expect(hops).toBeGreaterThanOrEqual(Math.floor(10_000 / INPUTS_PER_RUN_MAX))
  })

  test('that is fed from microtasks only does not starve the process', async () => {
    const { loop } = world(echo)
    const immediate = new Promise<void>((resolve) => void setImmediate(resolve))
    let asked = 0
    let asking = true
    const askOn = async (): Promise<void> => {
      while (asking && asked < 100_000) {
        await loop.submit(ask(`${asked}`))
        asked += 1
      }
    }
    const done = askOn()
    await immediate
    asking = false
    await done
    expect(asked).toBeLessThanOrEqual(INPUTS_PER_RUN_MAX + 1)
  })

  test('takes what an observer submits without deciding inside a decision', async () => {
    let depth = 0
    const extra: Promise<Answer>[] = []
    const { loop, core } = world(
      (input) => {
        depth += 1
        expect(depth).toBe(1)
        depth -= 1
        return echo(input)
      },
      {
        observer: {
          onDecision: () => {
            if (extra.length < 3) extra.push(loop.submit(ask('more')))
          },
        },
      },
    )
    await loop.submit(ask('1'))
    await Promise.all(extra)
    expect(core.inputs).toHaveLength(4)
  })

  test('feeds Granted after each input until none is named', async () => {
    const names = ['/srv/mounts/b', '/srv/mounts/c']
    const { loop, core } = world(echo, { core: { grantable: () => names.shift() } })
    await loop.submit(ask('1'))
    expect(tags(core.inputs)).toEqual(['Requested', 'Granted', 'Granted'])
    expect(core.inputs.map((input) => ('mountpoint' in input ? input.mountpoint : ''))).toEqual([
      '',
      '/srv/mounts/b',
      '/srv/mounts/c',
    ])
  })

  test('takes a burst of observations of one mountpoint as one', async () => {
    const { loop, core } = world(echo)
    for (const name of ['a', 'b', 'a', 'a']) loop.observed(`/srv/mounts/${name}`)
    await settled()
    loop.observed('/srv/mounts/a')
    await settled()
    expect(core.inputs.map((input) => ('mountpoint' in input ? input.mountpoint : ''))).toEqual([
      '/srv/mounts/a',
      '/srv/mounts/b',
      '/srv/mounts/a',
    ])
  })

  test('turns away what could not be served, before it is decided', async () => {
    const { loop, core } = world(() => ({}), { waitingPerHost: 2 })
    const detach: Request = { op: 'detach', id: '1', mountpoint: '/srv/mounts/a', volume: 'v', consumer: 'c' }
    for (let count = 0; count < 4; count += 1) void loop.submit(detach)
    const error = { _tag: 'Overloaded', limit: 'unansweredPerHost', value: 4 } as const
    expect(await loop.submit(detach)).toEqual({ request: 5, id: '1', op: 'detach', ok: false, error })
    const { op: _op, id: _id, ...pair } = detach
    const filesystem = { type: 'tmpfs', source: 'tmpfs', options: [] }
    expect(await loop.submit({ op: 'attach', ...pair, filesystem })).toMatchObject({ op: 'attach', error })
    expect(await loop.submit({ op: 'release', consumer: 'c' })).toMatchObject({ op: 'release', error })
    void loop.submit({ op: 'cancel', target: '1' })
    await settled()
    expect(core.inputs).toHaveLength(5)
  })

  test('turns away what one stream could not have served, and takes what another asks', async () => {
    const { loop } = world(() => ({}), { waitingPerHost: 4 })
    const detach: Request = { op: 'detach', mountpoint: '/srv/mounts/a', volume: 'v', consumer: 'c' }
    for (let count = 0; count < 4; count += 1) void loop.submit(detach, 'tenant')
    const error = { _tag: 'Overloaded', limit: 'unansweredPerStream', value: 4 } as const
    expect(await loop.submit(detach, 'tenant')).toMatchObject({ op: 'detach', ok: false, error })
    void loop.submit({ op: 'cancel', target: '1' }, 'tenant')
    for (let count = 0; count < 3; count += 1) void loop.submit(detach, 'neighbour')
    const full = { _tag: 'Overloaded', limit: 'unansweredPerHost', value: 8 } as const
    expect(await loop.submit(detach)).toMatchObject({ op: 'detach', ok: false, error: full })
  })

  test('numbers requests strictly upwards', async () => {
    const { loop } = world(echo)
    const answers = await Promise.all(['a', 'b', 'c'].map((id) => loop.submit(ask(id))))
    expect(answers.map(({ request }) => request)).toEqual([1, 2, 3])
  })
})

describe('the journal', () => {
  test('has the facts before the answer and the effects of their decision leave', async () => {
    const { log, journal, submit } = world(
      (input) =>
        input._tag === 'Requested' ? { facts: ['f'], effects: [look(1)], answers: [good(input.request)] } : {},
      { journal: 'by hand' },
    )
    void submit('f')
    await settled()
    expect(log).toEqual([])
    await journal.keep()
    expect(log).toEqual(['durable f', 'start Look 1', 'answer f Retried'])
  })

  test('holds back later decisions without facts as well, and keeps the order', async () => {
    const { log, journal, submit } = world(recording, { journal: 'by hand' })
    void submit('f1')
    await settled()
    void submit('2')
    await settled()
    void submit('f3')
    await settled()
    expect(log).toEqual([])
    await journal.keep()
    expect(log).toEqual(['durable f1', 'answer f1 Retried', 'answer 2 Retried'])
    await journal.keep()
    expect(log.slice(3)).toEqual(['durable f3', 'answer f3 Retried'])
  })

  test('lets decisions run ahead: a later append that ends first releases nothing by itself', async () => {
    const { log, journal, submit } = world(recording, { journal: 'by hand' })
    void submit('f1')
    await settled()
    void submit('f2')
    await settled()
    expect(journal.open).toHaveLength(2)
    journal.open[1]!.end({ _tag: 'Right', right: undefined })
    await settled()
    expect(log).toEqual(['durable f2'])
    await journal.keep()
    expect(log.slice(1)).toEqual(['durable f1', 'answer f1 Retried', 'answer f2 Retried'])
  })

  test('that is always a little behind holds everything back in order, however much goes through', async () => {
    const { loop, journal } = world(recording, { journal: 'by hand' })
    const answered: number[] = []
    for (let count = 1; count <= 3_000; count += 1) {
      void loop.submit(ask('f')).then(({ request }) => answered.push(request))
      await Promise.resolve()
      if (count % 500 === 0) await settled()
      if (journal.open.length > 1) journal.open.shift()!.end({ _tag: 'Right', right: undefined })
    }
    while (journal.open.length > 0) await journal.keep()
    expect(answered).toEqual(Array.from({ length: 3_000 }, (_, index) => index + 1))
  })

  test('that fails stops the manager: every request is refused, nothing else leaves', async () => {
    const { loop, log, core, journal, timers, submit } = world(
      (input) => {
        if (input._tag !== 'Requested') return {}
        if (nameOf(input) === 'f1') return { facts: ['f1'], effects: [look(1)], answers: [good(input.request)] }
        return nameOf(input) === '2' ? { effects: [look(2)], answers: [good(input.request)] } : {}
      },
      { journal: 'by hand' },
    )
    const all = [submit('f1')]
    await settled()
    all.push(submit('2'), submit('served'))
    await settled()
    await journal.fail()
    await Promise.all(all)
    expect(log).toEqual(['answer f1 Stopped', 'answer 2 Stopped', 'answer served Stopped'])
    expect(core.inputs.at(-1)).toMatchObject({ _tag: 'Stopped', how: 'hard' })
    expect(await loop.ended).toEqual({ _tag: 'JournalFailed', why: 'the disk is full' })
    const late = await loop.submit(ask('late'))
    expect(late).toMatchObject({ ok: false, op: 'retry', id: 'late', error: { _tag: 'Stopped' } })
    expect(core.inputs).toHaveLength(4)
    expect([timers.waiting(), timers.held()]).toEqual([0, 0])
  })

  test('that throws has failed', async () => {
    const { loop, journal } = world(recording)
    Object.assign(journal, {
      append: () => () => {
        throw new Error('no such disk')
      },
    })
    expect(await loop.submit(ask('f'))).toMatchObject({ error: { _tag: 'Stopped' } })
    expect(await loop.ended).toMatchObject({
      _tag: 'JournalFailed',
      why: expect.stringContaining('no such disk') as string,
    })
  })
})

describe('deadlines', () => {
  const held = new Map<string, RequestId>()
  const keeping = (input: Input): Part => {
    if (input._tag === 'Requested') held.set(nameOf(input), input.request)
    if (input._tag === 'Deadline') return { answers: [good(input.request)] }
    if (input._tag !== 'Observed') return {}
    return { answers: [good(held.get(input.mountpoint)!)] }
  }

  test('are an input when the time of a request is over', async () => {
    const { loop, timers, core } = world(keeping)
    const answer = loop.submit({ ...ask('a'), deadlineMs: 50 })
    await settled()
    await timers.advance(49)
    expect(core.inputs).toHaveLength(1)
    await timers.advance(1)
    expect(core.inputs[1]).toEqual({ _tag: 'Deadline', at: timers.now(), request: 1 })
    expect((await answer).request).toBe(1)
  })

  test('default to the settings', async () => {
    const { loop, timers, core } = world(keeping)
    void loop.submit(ask('a'))
    await settled()
    await timers.advance(SETTINGS.deadlinesMs.request - 1)
    expect(core.inputs).toHaveLength(1)
    await timers.advance(1)
    expect(tags(core.inputs)).toEqual(['Requested', 'Deadline'])
  })

  test('end with the answer, and none is started for those answered at once', async () => {
    const { loop, timers, core } = world(keeping)
    const answer = loop.submit(ask('a'))
    await settled()
    expect([timers.waiting(), timers.held()]).toEqual([1, 1])
    loop.observed('a')
    await answer
    await settled()
    expect([timers.waiting(), timers.held()]).toEqual([0, 0])
    await timers.advance(1_000_000)
    expect(tags(core.inputs)).toEqual(['Requested', 'Observed'])
    const quick = world(echo)
    await quick.loop.submit(ask('a'))
    expect(quick.timers.waiting()).toBe(0)
  })
})

describe('delays', () => {
  test('end as an outcome, and a new one replaces that of the same place only', async () => {
    const waits: Record<string, Part> = {
      a: { effects: [delay(1, 100, '/srv/mounts/a'), delay(2, 100, '/srv/mounts/b'), delay(3, 100, undefined)] },
      b: { effects: [delay(4, 300, '/srv/mounts/a'), delay(5, 200, undefined)] },
    }
    const { loop, timers, core } = world((input) => waits[nameOf(input)] ?? {})
    void loop.submit({ ...ask('a'), deadlineMs: 1e9 })
    void loop.submit({ ...ask('b'), deadlineMs: 1e9 })
    await settled()
    await timers.advance(1_000)
    const outcomes = core.inputs.filter((input) => input._tag === 'Outcome')
    expect(outcomes.map(({ effect, mountpoint, found }) => [effect, mountpoint, found._tag])).toEqual([
      [2, '/srv/mounts/b', 'Elapsed'],
      [5, undefined, 'Elapsed'],
      [4, '/srv/mounts/a', 'Elapsed'],
    ])
  })

  test('do not keep the process alive; what runs or waits for an answer does', async () => {
    const { loop, timers, port } = world((input) => {
      if (input._tag !== 'Requested') return {}
      return { answers: [good(input.request)], effects: nameOf(input) === 'wait' ? [delay(1, 1e6, 'x')] : [look(2)] }
    })
    await loop.submit(ask('wait'))
    await settled()
    expect([timers.waiting(), timers.held()]).toEqual([1, 0])
    await loop.submit(ask('look'))
    await settled()
    expect(timers.held()).toBe(1)
    port.running.get(2)!.report({ found: { _tag: 'Directory' } })
    await settled()
    expect(timers.held()).toBe(0)
  })
})

describe('effects', () => {
  const looking = (input: Input): Part =>
    input._tag === 'Requested' ? { effects: [look(7)], answers: [good(input.request)] } : {}

  test('end as one outcome with the evidence of the report', async () => {
    const { loop, port, core } = world(looking)
    await loop.submit(ask('1'))
    const error = { command: ['stat'], exitStatus: 1, stderr: 'no' }
    port.running
      .get(7)!
      .report({ found: { _tag: 'NoDirectory' }, error, source: { asked: { _tag: 'At', root: '/', device: '0:1' } } })
    await settled()
    expect(core.inputs[1]).toMatchObject({
      _tag: 'Outcome',
      effect: 7,
      mountpoint: '/srv/mounts/a',
      found: { _tag: 'NoDirectory' },
      error,
      source: { asked: { _tag: 'At', root: '/', device: '0:1' } },
    })
  })

  test('that are overdue end once more, after their outcome', async () => {
    const { loop, port, core } = world(looking)
    await loop.submit(ask('1'))
    let endIt: () => void = () => undefined
    port.running.get(7)!.report(timedOut(new Promise((resolve) => (endIt = resolve))))
    await settled()
    expect(tags(core.inputs)).toEqual(['Requested', 'Outcome'])
    endIt()
    endIt()
    await settled()
    expect(tags(core.inputs)).toEqual(['Requested', 'Outcome', 'Ended'])
    expect(core.inputs[2]).toMatchObject({ effect: 7, mountpoint: '/srv/mounts/a' })
  })

  test('whose end is already known when they report still end after their outcome', async () => {
    const { loop, port, core } = world(looking)
    await loop.submit(ask('1'))
    port.running.get(7)!.report(timedOut(Promise.resolve()))
    await settled()
    expect(tags(core.inputs)).toEqual(['Requested', 'Outcome', 'Ended'])
  })
})

describe('defects of the manager', () => {
  const outcome = async ({ loop, defects }: ReturnType<typeof world>, answer: Promise<Answer>): Promise<string> => {
    expect(await answer).toMatchObject({ ok: false, error: { _tag: 'Stopped' } })
    expect(await loop.ended).toMatchObject({ _tag: 'Defect', of: 'manager' })
    return defects.map(({ why }) => why).join()
  }

  test('are thrown where no code can catch them, unless a listener wants them', async () => {
    const later = vi.spyOn(globalThis, 'setImmediate')
    const { host, port, journal, timers } = world(echo)
    const broken: Core = { decide: () => ({}) as never, apply: () => undefined, grantable: () => undefined }
    const loop = createLoop({ host, port, journal, timers, core: broken })
    void later.mockImplementation(() => undefined as never)
    expect(await loop.submit(ask('1'))).toMatchObject({ error: { _tag: 'Stopped' } })
    const thrown = later.mock.lastCall?.[0] as () => never
    later.mockRestore()
    expect(thrown).toThrow('the core failed')
    expect(thrown).toThrow(expect.objectContaining({ cause: expect.any(TypeError) as TypeError }))
  })

  test('a core that answers twice', async () => {
    const tried = world((input) =>
      input._tag === 'Requested' ? { answers: [good(input.request), good(input.request)] } : {},
    )
    expect(await outcome(tried, tried.loop.submit(ask('1')))).toContain('twice')
  })

  test('a core that throws leaves no caller waiting and lets nothing out', async () => {
    const tried = world((input) => {
      if (nameOf(input) === 'bad') throw new Error('out of reach')
      return { facts: ['f'], effects: [look(1)] }
    })
    void tried.submit('1')
    expect(await outcome(tried, tried.loop.submit(ask('bad')))).toContain('out of reach')
    expect(tried.log).toEqual(['answer 1 Stopped'])
  })

  test('a core that names mountpoints for ever', async () => {
    const tried = world(() => ({}), {
      core: { decide: () => ({ changes: [], append: [], then: { answers: [], effects: [] } }), grantable: () => '/x' },
    })
    expect(await outcome(tried, tried.loop.submit(ask('1')))).toContain('for ever')
  })
})

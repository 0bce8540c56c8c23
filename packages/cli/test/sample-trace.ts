// Traces for the page of `trace view`: a host in virtual time, on which commands take as long as they do on a real one.

import { encodeTraceHeader, encodeTraceLine, traceDecision } from '@mountkeeper/codec'
import type { Input } from '@mountkeeper/core'
import { createSimulatedHost, simulatedSettings } from '@mountkeeper/simulator'
import type { SimulatedHost } from '@mountkeeper/simulator'
import type { MountManager } from '@mountkeeper/runtime'

/** How long each kind of effect takes, ms. */
const TAKES = { Look: 2, MakeDirectory: 4, Mount: 60, Unmount: 35, RemoveDirectory: 3, Probe: 8, Discover: 20 } as const

/** 2026-11-22 17:00:00Z, where the virtual clock begins. */
const BEGIN = Date.UTC(2026, 10, 22, 17)

export interface Recorded {
  readonly host: SimulatedHost
  readonly manager: MountManager
  /** Begins to attach or detach; the answer is in the trace. */
  readonly attach: (name: string, consumer: string, source?: string) => void
  readonly detach: (name: string, consumer: string) => void
  readonly pass: (ms: number) => Promise<void>
  readonly trace: () => string
}

/** Begins a run that is recorded. */
export const record = async (): Promise<Recorded> => {
  const settings = simulatedSettings()
  const host = createSimulatedHost({ settings })
  const lines: string[] = []
  const begin = host.timers.now()
  const shifted = <I extends Input>(input: I): I => ({ ...input, at: input.at - begin + BEGIN })
  const manager = await host.start({
    observer: {
      onBegin: (began) => lines.push(encodeTraceHeader({ format: 1, settings: began.settings, facts: [] })),
      onDecision: (input, decision) =>
        lines.push(encodeTraceLine({ n: lines.length, input: shifted(input), decision: traceDecision(decision) })),
    },
    host: {
      run: async (effect) => {
        await new Promise<void>((resolve) => void host.timers.after(TAKES[effect._tag], resolve))
        return host.run(effect)
      },
    },
  })
  await host.timers.pass(100)
  let asked = 0
  const attachment = (name: string, consumer: string) => ({
    id: `${consumer}-${(asked += 1)}`,
    mountpoint: `/srv/mounts/${name}`,
    volume: `disk-${name}`,
    consumer,
  })
  return {
    host,
    manager,
    attach: (name, consumer, source = `nfs-1:/export/${name}`) => {
      const filesystem = { type: 'nfs', source, options: [] }
      void manager.attach({ ...attachment(name, consumer), filesystem })()
    },
    detach: (name, consumer) => void manager.detach(attachment(name, consumer))(),
    pass: (ms) => host.timers.pass(ms),
    trace: () => `${lines.join('\n')}\n`,
  }
}

/** Some minutes of a small host on which several things go wrong: what the picture in the documentation shows. */
export const eventful = async (): Promise<string> => {
  const { host, attach, detach, pass, trace } = await record()
  attach('images', 'vm-1')
  await pass(20)
  attach('images', 'vm-2')
  attach('backup', 'job-7')
  await pass(30)
  attach('images', 'vm-3')
  await pass(300)
  host.inject({ effect: 'Mount', mountpoint: '/srv/mounts/scratch', fault: { _tag: 'Fails', worked: false } })
  attach('scratch', 'vm-2')
  await pass(400)
  attach('scratch', 'vm-2')
  attach('images', 'vm-4', 'nfs-2:/export/images')
  await pass(500)
  host.inject({
    effect: 'Mount',
    mountpoint: '/srv/mounts/archive',
    fault: { _tag: 'Hangs', worked: true, endsAfterMs: 4_000 },
  })
  attach('archive', 'job-8')
  attach('archive', 'job-9')
  for (const name of ['home', 'media', 'iso']) attach(name, 'vm-1')
  await pass(800)
  detach('images', 'vm-1')
  detach('backup', 'job-7')
  await pass(200)
  host.interfere({ _tag: 'Unmounts', path: '/srv/mounts/home', how: 'lazy' })
  attach('home', 'vm-5')
  host.inject({
    effect: 'Unmount',
    mountpoint: '/srv/mounts/media',
    fault: { _tag: 'Fails', worked: false },
    times: 2,
  })
  detach('media', 'vm-1')
  await pass(20_000)
  attach('iso', 'vm-2')
  attach('iso', 'vm-3')
  detach('images', 'vm-2')
  await pass(60)
  detach('images', 'vm-3')
  await pass(180_000)
  attach('archive', 'job-9')
  await pass(10_000)
  detach('iso', 'vm-1')
  await pass(5_000)
  return trace()
}

/** A long run: `inputs` or a few more, at forty mountpoints. */
export const long = async (inputs: number): Promise<string> => {
  const { host, attach, detach, pass, trace } = await record()
  const count = (): number => trace().split('\n').length
  for (let turn = 0; ; turn += 1) {
    for (let each = 0; each < 40; each += 1) {
      const name = `volume-${String(each).padStart(2, '0')}`
      if ((turn + each) % 4 < 2) attach(name, `vm-${(turn * 7 + each) % 12}`)
      else detach(name, `vm-${((turn - 2) * 7 + each + 24) % 12}`)
    }
    if (turn % 5 === 0) host.inject({ effect: 'Mount', fault: { _tag: 'Fails', worked: false } })
    await pass(400)
    if (turn % 4 === 3 && count() > inputs) return trace()
  }
}

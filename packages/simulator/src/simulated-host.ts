// A simulated host for the tests of services that embed the manager: the port of the runtime in front of the model, with
// virtual time, faults that are injected by effect, third parties, and the journal of a manager that can be started again.

import type { Discover, Identity, MountpointEffect, Settings } from '@mountkeeper/core'
import { createMemoryJournal, createMountManager } from '@mountkeeper/runtime'
import type { HostPort, MemoryJournal, MountManager, MountManagerOptions, Report } from '@mountkeeper/runtime'
import { complete, endOrphan, execute, executeDiscover, usualWording } from './execute.js'
import type { Fault, Injection } from './fault.js'
import { NO_FAULT } from './fault.js'
import { checkAct, checkInjection } from './given.js'
import type { ModelHost, Orphan } from './model/host.js'
import { inodeOf, mountOf } from './model/host.js'
import { directoryAt, identityOf, stackAt } from './model/look.js'
import { reboot } from './model/surroundings.js'
import { serverNameOf } from './perform.js'
import { modelHostOf, simulatedSettings } from './settings.js'
import type { ThirdPartyAct } from './third-party.js'
import { interfere } from './third-party.js'
import type { VirtualTimers } from './virtual-timers.js'
import { createVirtualTimers } from './virtual-timers.js'

/** What is seen at a path of the simulated host. */
export interface SeenAt {
  /** All layers, top first. */
  readonly layers: readonly (Identity & { readonly by: 'us' | 'stray' | 'others' })[]
  readonly directory: 'ours' | 'theirs' | 'none'
}

/** A host to put managers on. */
export interface SimulatedHost extends HostPort {
  readonly settings: Settings
  readonly timers: VirtualTimers
  /** Survives the managers that are started on this host, as a file would. */
  readonly journal: MemoryJournal
  /**
   * A manager on this host, up unless discovery was made to fail. `options` go to `createMountManager`. Called again, it is the
   * life after a crash: the manager before does nothing more from here on, and its commands that hang are found alive.
   */
  readonly start: (options?: Partial<MountManagerOptions>) => Promise<MountManager>
  /** The next effect of that kind ends that way. */
  readonly inject: (injection: Injection) => void
  /** A third party acts on the host. */
  readonly interfere: (act: ThirdPartyAct) => void
  /** Everything is unmounted, all processes end; the managers of before are gone. */
  readonly reboot: () => void
  readonly at: (path: string) => SeenAt
  /** Effects that were run so far, oldest first, such as `Mount /srv/mounts/a`. */
  readonly ran: readonly string[]
  /** The model, for a caller that wants to see more of it. */
  readonly model: () => ModelHost
}

/** What a simulated host is made of. */
export interface SimulatedHostOptions {
  readonly settings?: Settings
  /** By default the one that `modelHostOf` makes of the settings. */
  readonly model?: ModelHost
}

const isFor = ({ effect: kind, mountpoint }: Injection, effect: MountpointEffect | Discover): boolean =>
  kind === effect._tag && (mountpoint === undefined || (effect._tag !== 'Discover' && effect.mountpoint === mountpoint))

/** A command that passed its deadline. */
interface Hung {
  readonly effect: MountpointEffect
  readonly worked: boolean
  readonly ended: () => void
  /** As which the manager after a crash finds it. */
  orphan: Orphan | undefined
}

const serverOfEffect = (effect: MountpointEffect): string | undefined =>
  'filesystem' in effect && effect.filesystem !== undefined ? serverNameOf(effect.filesystem) : undefined

const NEVER = new Promise<never>(() => undefined)

/**
 * Makes a host: by default `/srv/mounts` to mount below, tmpfs and nfs from anywhere, bind from below `/srv/exports`. With
 * settings of one's own their roots are there, empty, and the directories that their lists name.
 */
export const createSimulatedHost = (options: SimulatedHostOptions = {}): SimulatedHost => {
  const settings = options.settings ?? simulatedSettings()
  const timers = createVirtualTimers()
  const journal = createMemoryJournal()
  const injections: { readonly injection: Injection; left: number }[] = []
  const ran: string[] = []
  let hung: Hung[] = []
  let model = options.model ?? modelHostOf(settings)
  let life = 0
  let boots = 0

  const faultFor = (effect: MountpointEffect | Discover): Fault => {
    const found = injections.find(({ injection, left }) => left > 0 && isFor(injection, effect))
    if (found === undefined) return NO_FAULT
    found.left -= 1
    return found.injection.fault
  }

  /** Happens on the host, whatever manager lives then, unless it is rebooted first. */
  const later = (afterMs: number, happen: () => void): void => {
    const boot = boots
    void timers.after(afterMs, () => {
      if (boot === boots) happen()
    })
  }

  const endHung = (each: Hung): void => {
    if (!hung.includes(each)) return
    hung = hung.filter((other) => other !== each)
    const orphan = each.orphan === undefined ? -1 : model.orphans.indexOf(each.orphan)
    if (orphan >= 0) model = endOrphan(model, orphan)
    else if (each.worked) model = complete(model, each.effect, 'runs now')
    each.ended()
  }

  const hang = (effect: MountpointEffect, worked: boolean, afterMs: number | undefined): Promise<void> =>
    new Promise((ended) => {
      const each: Hung = { effect, worked, ended, orphan: undefined }
      hung.push(each)
      if (afterMs !== undefined) later(effect.deadlineMs + afterMs, () => endHung(each))
    })

  const afterDeadline = (effect: MountpointEffect | Discover, report: Report): Promise<Report> =>
    new Promise((settle) => {
      void timers.after(effect.deadlineMs, () => settle(report))
    })

  const run = (effect: MountpointEffect | Discover): Promise<Report> => {
    ran.push(effect._tag === 'Discover' ? effect._tag : `${effect._tag} ${effect.mountpoint}`)
    const fault = faultFor(effect)
    if (effect._tag === 'Discover') {
      const found = executeDiscover(model, effect, fault)
      return found._tag === 'Unknown' ? afterDeadline(effect, { found }) : Promise.resolve({ found })
    }
    const { host, reported, toCome } = execute(model, effect, fault, usualWording)
    model = host
    switch (toCome._tag) {
      case 'Nothing':
        return Promise.resolve(reported)
      case 'Visible':
        later(toCome.afterMs, () => {
          model = complete(model, effect, 'becomes visible')
        })
        return Promise.resolve(reported)
      case 'End':
        return afterDeadline(effect, { ...reported, ended: hang(effect, toCome.worked, toCome.afterMs) })
    }
  }

  /** What only one life of a manager may use: in the next one nothing of it happens any more. */
  const livesOf = (mine: number): Required<Pick<MountManagerOptions, 'host' | 'journal' | 'timers'>> => ({
    host: { run: (effect) => (mine === life ? run(effect) : NEVER) },
    journal: { read: journal.read, append: (facts) => () => (mine === life ? journal.append(facts)() : NEVER) },
    timers: {
      now: timers.now,
      after: (delayMs, call) =>
        timers.after(delayMs, () => {
          if (mine === life) call()
        }),
    },
  })

  /** Commands that outlive their manager are found by the next one. */
  const orphanHung = (): void => {
    for (const each of hung) {
      if (each.orphan !== undefined) continue
      const { mountpoint } = each.effect
      each.orphan = { mountpoint, does: each.worked ? each.effect : undefined }
      model = { ...model, orphans: [...model.orphans, each.orphan] }
    }
  }

  return {
    run,
    settings,
    timers,
    journal,
    ran,
    model: () => model,
    start: async (own = {}) => {
      life += 1
      orphanHung()
      // A host whose discovery fails is what many tests are about: it tries again, as long as the test goes on.
      const created = await createMountManager({ settings, ...livesOf(life), keepTrying: true, ...own })()
      if (created._tag === 'Left')
        throw new Error('field' in created.left ? `${created.left.field}: ${created.left.why}` : created.left.why)
      const up = created.right.hostUp()()
      await Promise.race([up, timers.settle()])
      return created.right
    },
    inject: (injection) => {
      checkInjection(injection)
      injections.push({ injection: structuredClone(injection), left: injection.times ?? 1 })
    },
    interfere: (act) => {
      checkAct(act)
      model = interfere(model, act)
      if (act._tag !== 'Behaves' || act.as === 'hangs') return
      for (const each of hung) if (serverOfEffect(each.effect) === act.server) endHung(each)
    },
    reboot: () => {
      boots += 1
      life += 1
      hung = []
      model = reboot(model)
    },
    at: (path) => {
      const directory = directoryAt(model, path)
      const owner = directory === undefined ? undefined : inodeOf(model, directory).owner
      return {
        layers: stackAt(model, path).map((id) => ({ ...identityOf(model, id), by: mountOf(model, id).by })),
        directory: owner === undefined ? 'none' : owner === 'us' ? 'ours' : 'theirs',
      }
    },
  }
}

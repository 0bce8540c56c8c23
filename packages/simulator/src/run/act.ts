// Acting: what each action does to a simulation.

import type { Input, MountpointEffect } from '@mountkeeper/core'
import { effectId, restore } from '@mountkeeper/core'
import { complete, endOrphan, execute, executeDiscover } from '../execute.js'
import type { Fault } from '../fault.js'
import type { ModelHost } from '../model/host.js'
import { reboot } from '../model/surroundings.js'
import { interfere } from '../third-party.js'
import type { Action, Fate } from './action.js'
import type { Flight, Happening, Simulation } from './simulation.js'
import { ask, elapsed, feed, isAwaited, letOut, mountpointOf } from './simulation.js'

const pick = <Value>(list: readonly Value[], which: number): Value | undefined =>
  list.length === 0 ? undefined : list[which % list.length]

type How = (Happening & { readonly _tag: 'Acted' })['how']

const acted = (simulation: Simulation, effect: MountpointEffect, after: ModelHost, how: How): void => {
  const before = simulation.model
  simulation.model = after
  if (effect._tag !== 'Look' && effect._tag !== 'Probe') {
    simulation.watch({ _tag: 'Acted', effect, before, after, how }, simulation)
  }
}

const take = (simulation: Simulation, flight: Flight): void => {
  simulation.flights = simulation.flights.filter((each) => each !== flight)
}

const FAULTY = new Set<Fault['_tag']>(['WrongFilesystem', 'Respelled', 'MissingFlag', 'Twice', 'Unchecked'])

/** The last process of an overdue effect ends. */
const endOverdue = (simulation: Simulation, flight: Flight, worked: boolean, afterMs: number | undefined): void => {
  const { effect } = flight
  take(simulation, flight)
  if (effect._tag === 'Discover') return
  const isLate = afterMs !== undefined && (effect._tag === 'Mount' || effect._tag === 'Unmount')
  if (worked && isLate) simulation.unseen.push({ effect, dueAt: simulation.at + afterMs })
  else if (worked) acted(simulation, effect, complete(simulation.model, effect, 'runs now'), 'unchecked')
  const { mountpoint } = effect
  feed(simulation, { _tag: 'Ended', at: simulation.at, effect: effect.effect, mountpoint })
}

const endEffect = (simulation: Simulation, flight: Flight, fault: Fault): void => {
  const { effect } = flight
  const { at } = simulation
  if (flight.overdue) {
    const works = fault._tag === 'None' || fault._tag === 'Late' || ('worked' in fault && fault.worked)
    endOverdue(simulation, flight, works, fault._tag === 'Late' ? fault.afterMs : undefined)
    return
  }
  take(simulation, flight)
  const outcome = { _tag: 'Outcome' as const, at, effect: effect.effect, mountpoint: mountpointOf(effect) }
  if (effect._tag === 'Discover') {
    feed(simulation, { ...outcome, found: executeDiscover(simulation.model, effect, fault) })
    return
  }
  const { host, reported, toCome } = execute(simulation.model, effect, fault, simulation.words)
  acted(simulation, effect, host, FAULTY.has(fault._tag) ? 'faulty' : 'checked')
  if (toCome._tag === 'End') {
    const dueAt = toCome.afterMs === undefined ? undefined : at + toCome.afterMs
    simulation.flights.push({ effect, dueAt, overdue: true, worked: toCome.worked })
  } else if (toCome._tag === 'Visible') {
    simulation.unseen.push({ effect, dueAt: at + toCome.afterMs })
  }
  feed(simulation, { ...outcome, ...reported })
}

const TIMED_OUT: Fault = { _tag: 'Hangs', worked: false, endsAfterMs: undefined }

/** What falls due first: what becomes visible before any look, requests last. */
const nextDue = (simulation: Simulation): { readonly dueAt: number; readonly happen: () => void } | undefined => {
  const { unseen, flights, delays, open } = simulation
  const all = [
    ...unseen.map((each) => ({
      dueAt: each.dueAt,
      happen: () => {
        simulation.unseen = simulation.unseen.filter((other) => other !== each)
        acted(simulation, each.effect, complete(simulation.model, each.effect, 'becomes visible'), 'late')
      },
    })),
    ...flights.flatMap((flight) => {
      const { dueAt } = flight
      if (dueAt === undefined) return []
      const happen = () =>
        flight.overdue
          ? endOverdue(simulation, flight, flight.worked, undefined)
          : endEffect(simulation, flight, TIMED_OUT)
      return [{ dueAt, happen }]
    }),
    ...delays.map((delay) => ({
      dueAt: delay.dueAt,
      happen: () => {
        simulation.delays = simulation.delays.filter((other) => other !== delay)
        feed(simulation, elapsed(simulation, delay.effect))
      },
    })),
    ...open.map(({ request, dueAt }) => ({
      dueAt,
      happen: () => passDeadline(simulation, request),
    })),
  ]
  return all.reduce<(typeof all)[number] | undefined>(
    (first, each) => (first === undefined || each.dueAt < first.dueAt ? each : first),
    undefined,
  )
}

const passDeadline = (simulation: Simulation, request: Simulation['open'][number]['request']): void => {
  feed(simulation, { _tag: 'Deadline', at: simulation.at, request })
  // One that is not answered now never will be: the law on answers says so, and time goes on.
  simulation.open = simulation.open.filter((each) => each.request !== request)
}

const DUE_MAX = 10_000

/** Lets time pass, with all that falls due meanwhile; without `ms` to the next thing that does, if there is one. */
export const pass = (simulation: Simulation, ms: number | undefined): void => {
  if (ms === undefined) {
    const next = nextDue(simulation)
    if (next === undefined) return
    simulation.at = Math.max(simulation.at, next.dueAt)
    next.happen()
    return
  }
  const until = simulation.at + ms
  for (let count = 0; count < DUE_MAX; count += 1) {
    const next = nextDue(simulation)
    if (next === undefined || next.dueAt > until) break
    simulation.at = Math.max(simulation.at, next.dueAt)
    next.happen()
  }
  simulation.at = until
}

const echo = (simulation: Simulation, action: Action & { readonly _tag: 'Echo' }): void => {
  const known = pick(simulation.past, action.which)
  if (known === undefined || !('effect' in known)) return
  const { effect, mountpoint } = known
  const at = simulation.at
  const foreign = effectId(effect + 1_000_000)
  const input: Input =
    action.as === 'an end'
      ? { _tag: 'Ended', at, effect, mountpoint }
      : action.as === 'it was'
        ? { ...known, at }
        : { ...known, at, effect: foreign }
  if (isAwaited(simulation, input.effect)) return
  feed(simulation, input, 'echo')
}

const orphan = (host: ModelHost, effect: MountpointEffect, fate: Fate): ModelHost => {
  switch (fate) {
    case 'never ran':
      return host
    case 'worked':
      return complete(host, effect, 'runs now')
    case 'lives and will work':
      return { ...host, orphans: [...host.orphans, { mountpoint: effect.mountpoint, does: effect }] }
    case 'lives and does nothing':
      return { ...host, orphans: [...host.orphans, { mountpoint: effect.mountpoint, does: undefined }] }
  }
}

const isCommand = (effect: Flight['effect']): effect is MountpointEffect =>
  effect._tag !== 'Discover' && effect._tag !== 'Look' && effect._tag !== 'Probe'

const crash = (simulation: Simulation, action: Action & { readonly _tag: 'Crash' }): void => {
  const { parcels, durable } = simulation
  const survived = simulation.medium(durable, parcels, action.kept)
  simulation.durable = [...survived.facts]
  for (const { facts } of parcels.slice(0, survived.parcels)) simulation.watch({ _tag: 'Durable', facts }, simulation)
  const commands = simulation.flights.map(({ effect }) => effect).filter(isCommand)
  commands.forEach((effect, index) => {
    const fate = pick(action.fates, index) ?? 'never ran'
    acted(simulation, effect, orphan(simulation.model, effect, fate), 'unchecked')
  })
  if (action.reboot) simulation.model = reboot(simulation.model)
  simulation.core = restore(simulation.settings, simulation.durable)
  simulation.flights = []
  simulation.delays = []
  simulation.open = []
  simulation.parcels = []
  simulation.past = []
  if (action.reboot) simulation.unseen = []
  simulation.nextRequest = 1
  simulation.stopping = false
  simulation.ended = false
  simulation.watch({ _tag: 'Crashed', reboot: action.reboot }, simulation)
}

/** Does one action. What cannot be done now does nothing. */
export const act = (simulation: Simulation, action: Action): void => {
  switch (action._tag) {
    case 'Ask':
      ask(simulation, action.body)
      return
    case 'End': {
      const flight = pick(simulation.flights, action.which)
      if (flight !== undefined) endEffect(simulation, flight, action.fault)
      return
    }
    case 'Pass':
      pass(simulation, action.ms)
      return
    case 'Deadline': {
      const open = pick(simulation.open, action.which)
      if (open !== undefined) passDeadline(simulation, open.request)
      return
    }
    case 'ThirdParty': {
      const before = simulation.model
      simulation.model = interfere(before, action.act)
      if (before !== simulation.model)
        simulation.watch({ _tag: 'Interfered', before, after: simulation.model }, simulation)
      return
    }
    case 'Observe':
      feed(simulation, { _tag: 'Observed', at: simulation.at, mountpoint: action.mountpoint })
      return
    case 'Echo':
      echo(simulation, action)
      return
    case 'Durable':
      letOut(simulation, action.count)
      return
    case 'Crash':
      crash(simulation, action)
      return
    case 'OrphanEnds':
      if (simulation.model.orphans.length > 0) {
        simulation.model = endOrphan(simulation.model, action.which % simulation.model.orphans.length)
      }
      return
    case 'Stop':
      simulation.stopping = true
      feed(simulation, { _tag: 'Stopped', at: simulation.at, how: action.how })
      if (action.how === 'hard') simulation.ended = true
  }
}

// Settings of a story: `> settings keepMountedMs=5000 slots.perServer=1`, `> types nfs=server:/export/`.

import { DEFAULT_POLICIES } from '@mountkeeper/border'
import type { TypeRule } from '@mountkeeper/types'
import { typeRule } from '@mountkeeper/types'
import type { LadderPolicy, Policies, Settings } from '../../src/index.js'
import type { Words } from './words.js'
import { expectWords, fail, numeric, oneOf } from './words.js'

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  foreign: ['refuse', 'adopt'],
  lost: ['report', 'remount'],
  broken: ['refuse', 'remount'],
  detachWhileDown: ['refuse', 'record'],
  afterReboot: ['keep', 'remount', 'drop'],
  holders: ['union', 'inventory'],
  suid: ['refuse', 'allow'],
  dev: ['refuse', 'allow'],
}

const LADDER: readonly LadderPolicy[] = ['off', 'force', 'lazy']

const GROUPS: Readonly<Record<string, 'limits' | 'slots' | 'delaysMs' | 'deadlinesMs'>> = {
  limits: 'limits',
  slots: 'slots',
  delays: 'delaysMs',
  deadlines: 'deadlinesMs',
}

const policy = (settings: Settings, name: string, value: string): Settings => {
  if (!Object.hasOwn(DEFAULT_POLICIES, name)) fail(`there is no setting ${name}`)
  const is = DEFAULT_POLICIES[name as keyof Policies]
  const choices = CHOICES[name]
  const read = typeof is === 'number' || choices === undefined ? numeric(value) : oneOf(value, choices)
  return { ...settings, policies: { ...settings.policies, [name]: read } }
}

const numbers = (value: string): readonly number[] => (value === '' ? [] : value.split(',').map(numeric))

const OF_TYPE = ['look', 'mount', 'unmount', 'probe']

/** `deadlines.nfs.mount`: of a type, where it differs. */
const deadlineOfType = (settings: Settings, type: string, name: string, value: string): Settings => {
  const { deadlinesMs } = settings
  const perType = {
    ...deadlinesMs.perType,
    [type]: { ...deadlinesMs.perType[type], [oneOf(name, OF_TYPE)]: numeric(value) },
  }
  return { ...settings, deadlinesMs: { ...deadlinesMs, perType } }
}

const figure = (settings: Settings, groupName: string, name: string, value: string): Settings => {
  const group = GROUPS[groupName] ?? fail(`there is no group of settings ${groupName}`)
  const values: Readonly<Record<string, unknown>> = { ...settings[group] }
  if (!Object.hasOwn(values, name)) fail(`there is no setting ${groupName}.${name}`)
  const read = Array.isArray(values[name]) ? numbers(value) : numeric(value)
  return { ...settings, [group]: { ...values, [name]: read } }
}

/** One ladder for each root, in their order; the last one said is that of all further roots. */
const withLadders = (roots: Settings['roots'], said: readonly string[]): Settings['roots'] =>
  roots.map(({ path }, index) => ({ path, ladder: oneOf(said[index] ?? said.at(-1), LADDER) }))

/** `nas.corp:nas`: another name of a server, and the name it stands for. */
const aliasOf = (said: string): readonly [string, string] => {
  const [other, name] = said.split(':')
  return [other!, name ?? fail(`not another name and a name: ${said}`)]
}

const setting = (settings: Settings, name: string, value: string): Settings => {
  const { roots } = settings
  if (name === 'roots') return { ...settings, roots: value.split(',').map((path) => ({ path, ladder: 'off' })) }
  if (name === 'aliases') return { ...settings, aliases: Object.fromEntries(value.split(',').map(aliasOf)) }
  if (name === 'memory') return { ...settings, types: { ...settings.types, tmpfs: typeRule('tmpfs', ['*']) } }
  if (name === 'secrets') return { ...settings, secrets: { directories: value.split(','), environment: [] } }
  if (name === 'ladder') return { ...settings, roots: withLadders(roots, value.split(',')) }
  const [group, ...rest] = name.split('.')
  if (group === 'deadlines' && rest.length === 2) return deadlineOfType(settings, rest[0]!, rest[1]!, value)
  return rest.length === 0 ? policy(settings, name, value) : figure(settings, group!, rest.join('.'), value)
}

/** The settings with what a directive says; an unknown name or value fails. */
export const withSettings = (settings: Settings, given: Words): Settings => {
  if (given.plain.length > 0) fail(`a setting is name=value, not ${given.plain.join(' ')}`)
  return [...given.named].reduce((all, [name, value]) => setting(all, name, value), settings)
}

/** A rule that writes no sizes out, so that a story of something else is not about them; `memory.test.ts` is. */
export const ruleOfStory = (type: string, sources: readonly string[]): TypeRule => {
  const { memory: _, ...rule } = typeRule(type, sources)
  return rule
}

/** The settings with further types allowed, or with tmpfs from other sources; none after `=` takes a type away. */
export const withTypes = (settings: Settings, given: Words): Settings => {
  expectWords(given, 0, 0, [...given.named.keys()])
  const allowed = [...given.named].map(([type, sources]) => [type, ruleOfStory(type, sources.split(','))] as const)
  return { ...settings, types: { ...settings.types, ...Object.fromEntries(allowed) } }
}

// `mountkeeper doctor`: whether this host is as the manager needs it, one line per check, with the fix. Changes
// nothing, unless a journal is to be repaired.

import { shownJson } from '@mountkeeper/codec'
import * as E from 'fp-ts/lib/Either.js'
import type { Configuration } from '@mountkeeper/codec'
import type { Check } from '@mountkeeper/linux'
import type { DoctorArguments } from './arguments.js'
import { configurationOf, configuredInventory, counted, harmless, usageFailure } from 'mountkeeper/parts'
import type { Failure } from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import { journalChecks, repair } from './journal-checks.js'
import { listsChecks, listsText, sudoersText } from './privilege.js'
import { refusedEntries, upgradeChecks } from './upgrade.js'
import type { Streams } from './streams.js'
import { fail, wantsColour } from './streams.js'
import { paintOf } from './transcript/paint.js'
import type { Paint } from './transcript/paint.js'

const MARKS: Readonly<Record<Check['ok'], string>> = { ok: 'ok', warn: 'warn', fail: 'FAIL' }
const MARK_WIDTH = 4

const checkLine = ({ name, ok, text, mend }: Check, width: number, paint: Paint): string => {
  const mark = MARKS[ok].padEnd(MARK_WIDTH)
  const painted = ok === 'ok' ? paint.good(mark) : ok === 'fail' ? paint.bad(mark) : paint.title(mark)
  return `${painted}  ${harmless(name).padEnd(width)}  ${harmless(text)}${mend === undefined ? '' : `; fix: ${harmless(mend)}`}`
}

/** Checks as lines for people, and a line that sums them up. */
export const checkLines = (checks: readonly Check[], paint: Paint): readonly string[] => {
  const width = Math.max(0, ...checks.map(({ name }) => name.length))
  const failing = checks.filter(({ ok }) => ok === 'fail').length
  const warning = checks.filter(({ ok }) => ok === 'warn').length
  const all = failing > 0 ? paint.bad(`${counted(failing, 'check')} failed`) : paint.good('this host is ready')
  return [
    ...checks.map((check) => checkLine(check, width, paint)),
    '',
    `${all}${warning > 0 ? `, ${counted(warning, 'warning')}` : ''}`,
  ]
}

/** Runs the checks; fails when one of them does. */
export const doctor = async (asked: DoctorArguments, streams: Streams): Promise<ExitCode> => {
  const entries = asked.upgrade ? await refusedEntries(asked.config) : []
  if (entries.length > 0) return show(asked, streams, entries)
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  if (asked.exec) return printed(streams, listsText(configuration.right))
  if (asked.sudoers) return printSudoers(configuration.right, streams)
  const { settings, adapter } = configuration.right
  const { prefix, stateDirectory, trustedOwners } = adapter
  const repaired = asked.repair ? await repairIn(stateDirectory) : E.right([])
  if (E.isLeft(repaired)) return fail(streams, repaired.left)
  const { linuxChecks } = await import('@mountkeeper/linux')
  const roots = settings.roots.map(({ path }) => path)
  const checks = [
    ...repaired.right,
    ...linuxChecks({
      roots,
      trustedOwners,
      stateDirectory,
      secrets: settings.secrets,
      prefix,
      exec: adapter.exec,
      types: Object.keys(settings.types),
      inheritsNothing: true,
    }),
    ...(stateDirectory === undefined ? [] : await journalChecks(stateDirectory)),
    ...rootless(roots),
    ...listsChecks(configuration.right),
    ...(asked.upgrade ? await upgradeChecks(configuration.right) : []),
    ...(await inventoryChecks(configuration.right)),
  ]
  return show(asked, streams, checks)
}

const printed = (streams: Streams, text: string): ExitCode => {
  streams.stdout.write(text)
  return EXIT.ok
}

const printSudoers = async (configuration: Configuration, streams: Streams): Promise<ExitCode> => {
  const text = await sudoersText(configuration)
  return E.isLeft(text) ? fail(streams, text.left) : printed(streams, text.right)
}

const show = ({ json }: DoctorArguments, streams: Streams, checks: readonly Check[]): ExitCode => {
  const lines = json
    ? checks.map((check) => shownJson(check))
    : checkLines(checks, paintOf(wantsColour(streams) ? 'colour' : 'plain'))
  streams.stdout.write(`${lines.join('\n')}\n`)
  return checks.some(({ ok }) => ok === 'fail') ? EXIT.refused : EXIT.ok
}

/** Whether the authority answers within its limit; asked as it is when the host comes up. */
const inventoryChecks = async (configuration: Configuration): Promise<readonly Check[]> => {
  const inventory = await configuredInventory(configuration)
  if (inventory === undefined) return []
  const name = 'inventory'
  const since = performance.now()
  const asked = await inventory.ask(configuration.settings.deadlinesMs.discover)()
  if (E.isLeft(asked)) {
    const mend =
      'install virsh and setpriv, start libvirtd, check inventory.libvirt.uri and the permission for read-only connections'
    return [{ name, ok: 'fail', text: asked.left.why, mend }]
  }
  const consumers = new Set(asked.right.files.map(({ consumer }) => consumer))
  const tookMs = Math.round(performance.now() - since)
  return [{ name, ok: 'ok', text: `it answers in ${tookMs} ms, ${counted(consumers.size, 'consumer')} with files` }]
}

const repairIn = async (directory: string | undefined): Promise<E.Either<Failure, readonly Check[]>> => {
  if (directory === undefined) return E.left(usageFailure('--repair requires --state-dir DIR'))
  const repaired = await repair(directory)
  return E.isLeft(repaired) ? repaired : E.right([repaired.right])
}

const rootless = (roots: readonly string[]): readonly Check[] =>
  roots.length > 0
    ? []
    : [
        {
          name: 'roots',
          ok: 'warn',
          text: 'no managed root is configured, so no root was checked',
          mend: 'add --root DIR',
        },
      ]

// `doctor --upgrade`: what the rules of this version refuse of what is configured and recorded, before the first start. Each
// record is compared with the checks of core that a request for it would meet; reads only.

import { configurationErrorLines, decodeConfigurationText } from '@mountkeeper/codec'
import type { Configuration } from '@mountkeeper/codec'
import type { Fact, Filesystem, Settings } from '@mountkeeper/core'
import { checkFilesystem, checkMountpointPath, checkName, snapshot } from '@mountkeeper/core'
import type { Check } from '@mountkeeper/linux'
import * as E from 'fp-ts/lib/Either.js'
import { DEFAULT_CONFIGURATION_FILE, counted, readConfiguration, recordedFacts } from 'mountkeeper/parts'

/** Every entry of the configuration file that is refused; none where there is no file, or it cannot be read. */
export const refusedEntries = async (path: string = DEFAULT_CONFIGURATION_FILE): Promise<readonly Check[]> => {
  // One that may not be used is refused by the next step, with the reason.
  const text = await readConfiguration(path)
  const read = E.isLeft(text) ? undefined : decodeConfigurationText(text.right)
  if (read === undefined || E.isRight(read)) return []
  const mend = 'change the entry (mountkeeper help config)'
  return configurationErrorLines(read.left).map((line) => ({ name: path, ok: 'fail', text: line, mend }))
}

/** Why a request for this filesystem at this mountpoint would be refused now. */
export const refusalOfRecord = (
  settings: Settings,
  mountpoint: string,
  filesystem: Filesystem | undefined,
): string | undefined => {
  const wrong = checkMountpointPath(mountpoint) ?? (filesystem && checkFilesystem(settings, filesystem))
  if (wrong !== undefined) return `${wrong.field} ${wrong.why}`
  return isBelow(settings, mountpoint) ? undefined : 'mountpoint is not below a managed root'
}

const isBelow = ({ roots }: Settings, mountpoint: string): boolean =>
  roots.some(({ path }) => mountpoint.startsWith(`${path}/`))

/** Why a request that led to this fact would be refused now. */
const refusalOf = (settings: Settings, fact: Fact): string | undefined => {
  if (fact._tag === 'Recorded') return refusalOfRecord(settings, fact.mountpoint, fact.filesystem)
  if (fact._tag !== 'Held') return undefined
  const wrong = checkName('volume', fact.volume) ?? checkName('consumer', fact.consumer)
  return wrong && `${wrong.field} ${wrong.why}`
}

/** What becomes of a record that is refused. */
export const STAYS_RECORDED =
  'it stays recorded and can be detached, but new attaches are refused: detach its consumers, or change the configuration'

/** One line for each record that is refused, and one that says how many there are. */
export const upgradeChecks = async (configuration: Configuration): Promise<readonly Check[]> => {
  const recorded = await recordedFacts(configuration)
  if (E.isLeft(recorded))
    return [{ name: 'upgrade', ok: 'fail', text: recorded.left.text, mend: 'run mountkeeper doctor for details' }]
  const facts = snapshot(recorded.right)
  const refused = facts.flatMap((fact): readonly Check[] => {
    const why = refusalOf(configuration.settings, fact)
    if (why === undefined || !('mountpoint' in fact)) return []
    const who = fact._tag === 'Held' ? `holder ${fact.volume} of ${fact.consumer}: ` : ''
    return [{ name: `upgrade ${fact.mountpoint}`, ok: 'fail', text: `${who}${why}`, mend: STAYS_RECORDED }]
  })
  const records = counted(facts.filter(({ _tag }) => _tag === 'Recorded').length, 'record')
  const all: Check = { name: 'upgrade', ok: 'ok', text: `${records} checked, nothing would be refused` }
  return refused.length === 0 ? [all] : refused
}

// A keeper on a simulated host, for the tests of a service: the same configuration, the same checks, the same answers; faults,
// third parties, crashes and time are the test's to give.

import type { Configuration } from '@mountkeeper/codec'
import { createSimulatedHost } from '@mountkeeper/simulator'
import type { SimulatedHost } from '@mountkeeper/simulator'
import * as E from 'fp-ts/lib/Either.js'
import type { Configured } from './checked.js'
import { checkedOptions } from './checked.js'
import { MountkeeperError } from './error.js'
import type { Keeper } from './keeper.js'
import { createKeeper } from './keeper.js'
import { localBackend } from './local.js'
import type { OpenOptions } from './open.js'
import { noQuestions } from './questions.js'

/** How a simulated keeper is opened: as on a real machine. */
export type SimulatedOptions = Configured & Pick<OpenOptions, 'observer'>

/** A keeper on a simulated host. */
export interface SimulatedKeeper extends Keeper {
  /** The host: `inject` a fault, let others `interfere`, let time pass (`timers.pass`), see what is mounted (`at`). */
  readonly host: SimulatedHost
  /**
   * Kills the manager as `kill -9` would, and starts the next one on the same host with the same journal. What the one before was
   * asked and has not answered stays without an answer.
   */
  readonly crash: () => Promise<SimulatedKeeper>
}

const failed = (why: string, by: 'usage' | 'stop'): MountkeeperError =>
  new MountkeeperError({ _tag: 'NotOpened', why, by }, { subject: 'open' })

const keeperOn = async (host: SimulatedHost, { observer }: Pick<OpenOptions, 'observer'>): Promise<SimulatedKeeper> => {
  const manager = await host.start({ keepTrying: false, ...(observer === undefined ? {} : { observer }) })
  if (manager.state.phase !== 'up') {
    await manager.stop({ hard: true })
    throw failed('the host did not come up', 'stop')
  }
  const keeper = createKeeper(
    localBackend(
      manager,
      async () => {
        await manager.stop()
      },
      noQuestions,
    ),
  )
  return { ...keeper, host, crash: () => keeperOn(host, observer === undefined ? {} : { observer }) }
}

const checked = async (options: Configured): Promise<Configuration> => {
  const configuration = await checkedOptions(options)
  if (E.isLeft(configuration)) throw failed(configuration.left.text, configuration.left.by)
  return configuration.right
}

/**
 * Opens a keeper on a simulated host that has the configured roots, empty, and the directories that the lists of sources name.
 * Nothing of this machine is touched, no rights are needed, and a state directory is not used: the journal is in memory.
 *
 * @throws MountkeeperError `NotOpened`
 */
export const openSimulatedMountkeeper = async (options: SimulatedOptions): Promise<SimulatedKeeper> => {
  const { settings } = await checked(options)
  return keeperOn(createSimulatedHost({ settings }), options)
}

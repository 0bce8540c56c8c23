// `mountkeeper serve`: the manager behind unix sockets, until it is stopped. SIGHUP reads the configuration again and puts a manager
// with the new one in the place of the old one, while clients stay connected.

import type { Configuration } from '@mountkeeper/codec'
import { socketOf } from '@mountkeeper/codec'
import type { Settings } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import { isMountkeeperError } from 'mountkeeper'
import type { OpenKeeper } from 'mountkeeper'
import type { Failure, ServiceState, SocketServer, SocketsChanged } from 'mountkeeper/parts'
import {
  configurationOf,
  counted,
  leftLines,
  needsRoot,
  notPrivileged,
  notifySystemd,
  openOn,
  serveKeeper,
  stopFailure,
  thisMachine,
  usageFailure,
} from 'mountkeeper/parts'
import type { ServeArguments } from './arguments.js'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import type { Streams } from './streams.js'
import { complain, fail } from './streams.js'
import { STAYS_RECORDED, refusalOfRecord } from './upgrade.js'

const failureOf = (error: unknown): Failure => {
  if (isMountkeeperError(error, 'NotOpened')) return stopFailure(error.refusal.why)
  throw error
}

const readConfiguration = async (asked: ServeArguments): Promise<E.Either<Failure, Configuration>> => {
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return configuration
  const { adapter } = configuration.right
  const sockets = [...adapter.sockets, ...asked.sockets.map((path) => socketOf({ path }))]
  const unfit = needsRoot(configuration.right) ?? (await notPrivileged(configuration.right))
  if (unfit !== undefined) return E.left(unfit)
  if (sockets.length === 0) return E.left(usageFailure('no socket is configured; add --socket PATH'))
  return E.right({ ...configuration.right, adapter: { ...adapter, sockets } })
}

const open = async (asked: ServeArguments, configuration: Configuration, streams: Streams): Promise<OpenKeeper> =>
  openOn(await thisMachine(configuration), configuration, {
    log: ({ level, text }) => complain(streams, level === 'warning' ? `warning: ${text}` : text),
    ...(asked.trace === undefined ? {} : { trace: asked.trace }),
  })

const notifying =
  (streams: Streams) =>
  async (state: ServiceState): Promise<void> => {
    const why = await notifySystemd(state, { socket: streams.environment['NOTIFY_SOCKET'] })
    if (why !== undefined) complain(streams, `warning: ${why}`)
  }

/** What is being served, and the manager of the moment. */
interface Serving {
  readonly server: SocketServer
  keeper: OpenKeeper
}

/** Records that are named after a reload; the others are counted. */
const FALLEN_OUT_MAX = 20

/** What becomes of records that the new configuration would not make. */
const fallenOut = (settings: Settings, { manager }: OpenKeeper): readonly string[] => {
  const all = manager.records().flatMap(({ mountpoint, filesystem, holders }): readonly string[] => {
    const why = refusalOfRecord(settings, mountpoint, filesystem)
    return why === undefined ? [] : [`${mountpoint} (${counted(holders, 'holder')}): ${why}; ${STAYS_RECORDED}`]
  })
  if (all.length <= FALLEN_OUT_MAX) return all
  const more = `${all.length - FALLEN_OUT_MAX} more records are no longer covered; mountkeeper doctor --upgrade lists all`
  return [...all.slice(0, FALLEN_OUT_MAX), more]
}

const socketWords = (changes: SocketsChanged): string => {
  const words = (['added', 'changed', 'removed'] as const)
    .filter((what) => changes[what].length > 0)
    .map((what) => `${what} ${changes[what].join(', ')}`)
  return words.length === 0 ? 'the sockets are the same' : `sockets: ${words.join('; ')}`
}

const reload = async (asked: ServeArguments, streams: Streams, serving: Serving): Promise<void> => {
  const configuration = await readConfiguration(asked)
  if (E.isLeft(configuration)) {
    complain(streams, `not reloaded, the configuration of before stays: ${configuration.left.text}`)
    return
  }
  const sockets = await serving.server.listen(configuration.right.adapter.sockets)
  if (E.isLeft(sockets)) {
    complain(streams, `not reloaded, the configuration of before stays: ${sockets.left.text}`)
    return
  }
  await notifying(streams)('reloading')
  serving.keeper = await serving.server.exchange(() => open(asked, configuration.right, streams))
  for (const text of fallenOut(configuration.right.settings, serving.keeper)) complain(streams, `warning: ${text}`)
  complain(streams, `reloaded; ${socketWords(sockets.right)}`)
  await notifying(streams)('ready')
}

/** Resolves when it is over: by a signal, with nothing; by the manager or a reload that failed, with why. */
const untilEnd = (asked: ServeArguments, streams: Streams, serving: Serving): Promise<Failure | undefined> =>
  new Promise((resolve, reject) => {
    let reloading: Promise<void> = Promise.resolve()
    let isReloading = 0
    const watch = (): void => {
      const { keeper } = serving
      void keeper.ended.then(({ why }) => {
        if (serving.keeper === keeper && isReloading === 0) resolve(stopFailure(why ?? 'the manager has ended'))
      })
    }
    const onHangUp = (): void => {
      isReloading += 1
      reloading = reloading
        .then(() => reload(asked, streams, serving))
        .then(() => {
          isReloading -= 1
          watch()
        })
      reloading.catch((error: unknown) => {
        if (isMountkeeperError(error, 'NotOpened')) resolve(failureOf(error))
        else reject(error instanceof Error ? error : new Error(String(error)))
      })
    }
    const onStop = (): void => resolve(undefined)
    process.once('SIGTERM', onStop)
    process.once('SIGINT', onStop)
    process.on('SIGHUP', onHangUp)
    watch()
  })

const serveUntilEnd = async (
  asked: ServeArguments,
  streams: Streams,
  serving: Serving,
): Promise<Failure | undefined> => {
  const notify = notifying(streams)
  await notify('ready')
  const failure = await untilEnd(asked, streams, serving)
  const hard = (): void => void serving.server.close({ hard: true })
  process.on('SIGTERM', hard)
  process.on('SIGINT', hard)
  await Promise.all([notify('stopping'), serving.server.close()])
  const { leftBehind } = await serving.keeper.ended
  for (const text of leftLines(leftBehind, false)) complain(streams, text)
  return failure
}

/** Serves sockets until it is stopped; gives the exit code. */
export const listen = async (asked: ServeArguments, streams: Streams): Promise<ExitCode> => {
  const configuration = await readConfiguration(asked)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  const { sockets } = configuration.right.adapter
  try {
    const keeper = await open(asked, configuration.right, streams)
    const server = await serveKeeper(keeper, sockets).catch(async (error: unknown) => {
      await keeper.close()
      throw error
    })
    complain(streams, `serving ${sockets.map(({ path }) => path).join(', ')}`)
    const failure = await serveUntilEnd(asked, streams, { server, keeper })
    return failure === undefined ? EXIT.ok : fail(streams, failure)
  } catch (error) {
    return fail(streams, failureOf(error))
  }
}

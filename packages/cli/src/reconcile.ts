// `mountkeeper reconcile`: the differences between what is wanted, recorded and there; with --apply they are repaired.

import { shownJson } from '@mountkeeper/codec'
import type { Difference } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import type { ReconcileArguments } from './arguments.js'
import {
  configurationOf,
  counted,
  createStopping,
  differenceWords,
  leftLines,
  needsRoot,
  notPrivileged,
  stopOnSignals,
  thisMachine,
  word,
} from 'mountkeeper/parts'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import { ignoresHangUp } from './hang-up.js'
import type { Repaired } from './repair.js'
import { repair } from './repair.js'
import type { Streams } from './streams.js'
import { complain, fail } from './streams.js'
import { encodeDifferences, encodeSurvey, surveyHere } from './survey.js'

/** What a repair is for; the rest needs a person, or a consumer that leaves. */
const isMendable = ({ _tag }: Difference): boolean =>
  _tag === 'lost' || _tag === 'vacant' || _tag === 'leftover-directory' || _tag === 'uncertain' || _tag === 'broken'

const isIn = (all: readonly Difference[], one: Difference): boolean =>
  all.some(({ _tag, mountpoint }) => _tag === one._tag && mountpoint === one.mountpoint)

const repairedLines = ({ before, after }: Repaired): readonly string[] => {
  const mended = before.filter((each) => !isIn(after, each))
  return [
    ...mended.map(({ _tag, mountpoint }) => `repaired: ${_tag} ${word(mountpoint)}`),
    ...after.map(differenceWords),
    `${counted(mended.length, 'difference')} repaired, ${after.length} left`,
  ]
}

const write = (streams: Streams, lines: readonly string[]): void => {
  streams.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

const apply = async (asked: ReconcileArguments, streams: Streams): Promise<ExitCode> => {
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return fail(streams, configuration.left)
  const unfit = needsRoot(configuration.right) ?? (await notPrivileged(configuration.right, 'try --sandbox'))
  if (unfit !== undefined) return fail(streams, unfit)
  const stopping = createStopping()
  const deaf = stopOnSignals(stopping, ignoresHangUp(streams.environment))
  const repaired = await repair({
    configuration: configuration.right,
    machine: await thisMachine(configuration.right),
    stopping,
    notice: (text) => complain(streams, `warning: ${text}`),
  }).finally(deaf)
  if (E.isLeft(repaired)) {
    for (const text of leftLines(repaired.left.running, false)) complain(streams, text)
    return fail(streams, repaired.left.failure)
  }
  const { before, after } = repaired.right
  const encoded = { before: encodeDifferences(before), after: encodeDifferences(after) }
  write(streams, asked.json ? [shownJson(encoded)] : repairedLines(repaired.right))
  return after.some(isMendable) ? EXIT.refused : EXIT.ok
}

/** Shows what differs, and repairs it if that is asked for. */
export const reconcile = async (asked: ReconcileArguments, streams: Streams): Promise<ExitCode> => {
  if (asked.apply) return apply(asked, streams)
  const survey = await surveyHere(asked)
  if (E.isLeft(survey)) return fail(streams, survey.left)
  const { differences } = survey.right
  write(
    streams,
    asked.json
      ? [shownJson(encodeSurvey(survey.right))]
      : [...differences.map(differenceWords), counted(differences.length, 'difference')],
  )
  return EXIT.ok
}

// `mountkeeper status`: who holds what, as it is recorded and as it is on the host now.

import { shownJson } from '@mountkeeper/codec'
import { STATUS_MAX } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import type { StatusArguments } from './arguments.js'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import type { Streams } from './streams.js'
import { complain, fail, wantsColour } from './streams.js'
import { encodeSurvey, surveyHere } from './survey.js'
import { paintOf } from './transcript/paint.js'
import { surveyLines } from './transcript/survey-words.js'

/** Shows it. */
export const status = async (asked: StatusArguments, streams: Streams): Promise<ExitCode> => {
  const { mountpoint, limit = STATUS_MAX, after } = asked
  const page = { limit, ...(mountpoint === undefined ? {} : { mountpoint }), ...(after === undefined ? {} : { after }) }
  const survey = await surveyHere(asked, page, (sentence) => complain(streams, `warning: ${sentence}`))
  if (E.isLeft(survey)) return fail(streams, survey.left)
  const lines = asked.json
    ? [shownJson(encodeSurvey(survey.right))]
    : surveyLines(survey.right, paintOf(wantsColour(streams) ? 'colour' : 'plain'))
  streams.stdout.write(lines.map((line) => `${line}\n`).join(''))
  return EXIT.ok
}

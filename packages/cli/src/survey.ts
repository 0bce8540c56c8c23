// A survey of this machine: what is recorded, against what is there. It takes no lock and changes nothing; the manager may be
// running meanwhile, or not.

import type { Configuration } from '@mountkeeper/codec'
import { resultCodec } from '@mountkeeper/codec'
import type { Difference, StatusPage } from '@mountkeeper/core'
import type { Survey } from '@mountkeeper/plan'
import { prepareSurvey } from '@mountkeeper/plan'
import { withInventory } from '@mountkeeper/runtime'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure, Machine, PlaceArguments } from 'mountkeeper/parts'
import { configurationOf, needsRoot, recordedFacts, stopFailure, thisMachine } from 'mountkeeper/parts'

/** What a survey is made of. */
export interface SurveyPlace {
  readonly configuration: Configuration
  readonly machine: Pick<Machine, 'host' | 'timers' | 'inventory'>
}

/** Reads what is recorded, and looks at all of it. With `notice` an inventory that fails is reported there, and is no failure. */
export const surveyOf = async (
  { configuration, machine }: SurveyPlace,
  page: StatusPage = {},
  notice?: (sentence: string) => void,
): Promise<E.Either<Failure, Survey>> => {
  const facts = await recordedFacts(configuration)
  if (E.isLeft(facts)) return facts
  const { discover, conclude } = prepareSurvey(configuration.settings, facts.right)
  const { host, inventory, timers } = machine
  const all = inventory === undefined ? host : withInventory(host, inventory, timers)
  const { found } = await all.run(discover)
  if (found._tag === 'Discovered') return E.right(conclude(timers.now(), found, page))
  if (notice !== undefined && inventory !== undefined && found._tag === 'NotDiscovered') {
    // Journal and table can be read all the same, and this is the hour when a person wants to see them.
    const without = await host.run(discover)
    if (without.found._tag === 'Discovered') {
      notice(`${found.reason}; the report shows only the journal and the mount table`)
      return E.right(conclude(timers.now(), without.found, page))
    }
  }
  const why = found._tag === 'NotDiscovered' ? found.reason : `not finished within ${discover.deadlineMs} ms`
  return E.left(stopFailure(`cannot read the host: ${why}`))
}

/** The same, of the place that was asked for. */
export const surveyHere = async (
  asked: PlaceArguments,
  page: StatusPage = {},
  notice?: (sentence: string) => void,
): Promise<E.Either<Failure, Survey>> => {
  const configuration = await configurationOf(asked)
  if (E.isLeft(configuration)) return configuration
  const unfit = needsRoot(configuration.right)
  if (unfit !== undefined) return E.left(unfit)
  return surveyOf({ configuration: configuration.right, machine: await thisMachine(configuration.right) }, page, notice)
}

/** Differences as in the answer to a reconcile. */
export const encodeDifferences = (differences: readonly Difference[]): unknown =>
  (resultCodec.encode({ _tag: 'Reconciled', differences }) as { readonly differences: unknown }).differences

/** A survey for machines. */
export const encodeSurvey = ({ status, differences }: Survey): unknown => ({
  status: resultCodec.encode(status),
  differences: encodeDifferences(differences),
})

// The promises of an inventory, one case each.

import type { InventoryNews, InventoryPort } from '@mountkeeper/runtime'
import { broken, CASE_LIMIT_MS, casesFor, shown, within } from './case.js'
import type { PortCase, Subject } from './case.js'
import type { PortTestOptions } from './host-cases.js'

/** An inventory to be judged, whose authority answers and knows of at least one file. */
export interface InventorySubject extends Subject {
  readonly inventory: InventoryPort
  /** The authority stops to answer. */
  readonly lose: () => Promise<void>
  /** The authority answers again. */
  readonly regain: () => Promise<void>
}

const ASK_LIMIT_MS = 2_000
const NEWS_LIMIT_MS = 10_000
const GRACE_MS = 2_000
const LATE = Symbol('late')

const ask = async ({ inventory }: InventorySubject) => {
  const answer = await within(ASK_LIMIT_MS + GRACE_MS, inventory.ask(ASK_LIMIT_MS)(), LATE)
  return answer === LATE ? broken(`ask was not done ${GRACE_MS} ms past its limit`) : answer
}

const complete = async (subject: InventorySubject): Promise<void> => {
  const answer = await ask(subject)
  if (answer._tag === 'Left') return broken(`an authority that answers was reported as failed: ${answer.left.why}`)
  const { startedAt, files } = answer.right
  if (!Number.isFinite(startedAt)) broken(`startedAt is ${shown(startedAt)}, which is no time`)
  if (files.length === 0) broken('no file is in use according to it, although the authority knows of one')
  for (const file of files) if (!file.path.startsWith('/')) broken(`${shown(file.path)} is not an absolute path`)
}

const failure = async (subject: InventorySubject): Promise<void> => {
  await subject.lose()
  const answer = await ask(subject)
  if (answer._tag === 'Right') broken(`an authority that does not answer gave ${shown(answer.right)}`)
}

/** Waits until as many `Lost` and `Back` were heard. */
const heard = async (news: readonly InventoryNews['_tag'][], count: number): Promise<void> => {
  const turnMs = 20
  for (let waited = 0; news.length < count && waited < NEWS_LIMIT_MS; waited += turnMs)
    await new Promise<void>((next) => void setTimeout(next, turnMs))
}

const alternates = async ({ inventory, lose, regain }: InventorySubject): Promise<void> => {
  const news: InventoryNews['_tag'][] = []
  const stop = inventory.watch(({ _tag }) => {
    if (_tag !== 'Changed') news.push(_tag)
  })
  await heard(news, 1)
  await lose()
  await heard(news, 2)
  await regain()
  await heard(news, 3)
  stop()
  const said = news.join(', ')
  if (said !== 'Back, Lost, Back') broken(`an authority that was lost once made it say "${said}"`)
  await lose()
  await new Promise<void>((next) => void setTimeout(next, 100))
  if (news.length > 3) broken('the listener was called after the watch had been ended')
}

/**
 * The promises of an `InventoryPort` as cases.
 *
 * @example for (const { name, law, run } of inventoryTests(make)) test(`${law} ${name}`, run)
 */
export const inventoryTests = (
  make: () => Promise<InventorySubject>,
  { limitMs = CASE_LIMIT_MS }: PortTestOptions = {},
): readonly PortCase[] => {
  const one = casesFor(make, limitMs)
  return [
    one('an answer has all files in use, by absolute paths', 'L35', complete),
    one('an authority that does not answer is a failure, never an empty answer', 'L28', failure),
    one('a watch says Back first, then Lost and Back in turn, and nothing after its end', 'L35', alternates),
  ]
}

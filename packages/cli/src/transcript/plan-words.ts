// Plans in words: each step, why it is there, and what its failure would lead to.

import type { Effect } from '@mountkeeper/core'
import type { PlannedRequest } from '@mountkeeper/plan'
import { EFFECT_NAMES, answerWords, filesystemWords, requestWords, word } from 'mountkeeper/parts'
import type { Paint } from './paint.js'

const NAME_WIDTH = 12
const MARGIN = '  '
const INNER = ' '.repeat(MARGIN.length + NAME_WIDTH)

const subject = (effect: Effect): string => {
  switch (effect._tag) {
    case 'Look':
    case 'MakeDirectory':
    case 'RemoveDirectory':
    case 'Probe':
      return word(effect.mountpoint)
    case 'Mount':
      return `${filesystemWords({ ...effect.filesystem, options: effect.options })} on ${word(effect.mountpoint)}`
    case 'Unmount':
      return `${word(effect.mountpoint)}${effect.how === 'plain' ? '' : `, ${effect.how}`}`
    case 'Wait':
      return `${effect.delayMs} ms`
    case 'Discover':
      return effect.roots.map(word).join(' ')
  }
}

const UNSEEN = 'cannot be predicted'

/** A planned request as lines; `label` says where it comes from. */
export const planLines = (
  { request, steps, answer }: PlannedRequest,
  label: string,
  paint: Paint,
): readonly string[] => {
  const title = [label, request.op, requestWords(request)].filter((part) => part !== '').join('  ')
  const shown = steps.flatMap(({ effect, why, onFailure }) => [
    `${MARGIN}${EFFECT_NAMES[effect._tag].padEnd(NAME_WIDTH)}${subject(effect)}`,
    `${INNER}${paint.quiet(`because ${why}`)}`,
    `${INNER}${paint.quiet(`if it fails: ${onFailure}`)}`,
  ])
  if (answer === undefined) return [paint.title(title), ...shown, `${MARGIN}? ${UNSEEN}`]
  const { verb, text, more } = answerWords(answer)
  const mark = answer.ok ? paint.good(`✓ ${verb}`) : paint.bad(`✗ ${verb}`)
  const gap = ' '.repeat(Math.max(1, NAME_WIDTH - verb.length - 2))
  return [
    paint.title(title),
    ...shown,
    `${MARGIN}${mark}${gap}${text}`,
    ...more.map((each) => `${INNER}${paint.quiet(each)}`),
  ]
}

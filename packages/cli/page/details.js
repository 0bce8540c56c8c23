// What is selected, in words: all that the trace says of it. Everything is written as text, never as markup.

import { duration } from './model.js'
import { timeText } from './draw.js'

export const element = (name, words, ...classes) => {
  const made = document.createElement(name)
  made.textContent = words
  made.classList.add(...classes)
  return made
}

const row = (list, name, words, { isCode = false, tone } = {}) => {
  if (words === '' || words === undefined) return
  const value = document.createElement('dd')
  if (isCode) value.append(element('code', words))
  else value.textContent = words
  if (tone !== undefined) value.classList.add(tone)
  list.append(element('dt', name), value)
}

const between = (from, to) =>
  from === undefined || to === undefined || from.n === 0 ? undefined : duration(to.at - from.at)

const requestRows = (list, item) => {
  row(list, 'Request', item.title.replaceAll('  ', '\n'))
  row(list, 'Its caller calls it', item.label)
  row(list, 'Asked', timeText(item.begin))
  if (item.served !== undefined) row(list, 'Waited for its turn', between(item.begin, item.served))
  row(
    list,
    'Answered',
    item.end === undefined
      ? 'not before the end of the trace'
      : `after ${between(item.begin, item.end)}: ${timeText(item.end)}`,
  )
  if (item.end !== undefined)
    row(list, 'Answer', [`${item.verb}${item.answer === '' ? '' : `: ${item.answer}`}`, ...item.more].join('\n'), {
      tone: item.isProblem ? 'bad' : 'good',
    })
}

const effectRows = (list, item) => {
  row(list, item.kind === 'wait' ? 'Delay' : 'Command', item.command, { isCode: item.kind === 'effect' })
  row(list, 'Decided', timeText(item.begin))
  if (item.isOverdue) {
    row(list, 'Past its deadline', `after ${between(item.begin, item.end)}`, { tone: 'bad' })
    row(
      list,
      'Its last process ended',
      item.ended === undefined ? 'not before the end of the trace' : timeText(item.ended),
    )
  } else
    row(
      list,
      'Ended',
      item.end === undefined
        ? 'not before the end of the trace'
        : `after ${between(item.begin, item.end)}: ${timeText(item.end)}`,
    )
  row(list, 'The command ended with', item.error, { tone: 'bad' })
  if (item.kind === 'effect') row(list, 'Found', item.found)
}

const holderRows = (list, lane, n) => {
  const after = lane.holders.filter(({ begin }) => begin.n <= n).at(-1)
  if (after === undefined) return
  list.append(element('dt', after.count === 1 ? 'Holder after that' : `Holders after that: ${after.count}`))
  const value = document.createElement('dd')
  const names = document.createElement('ul')
  for (const name of after.names) names.append(element('li', name))
  value.append(names)
  if (after.count > 0) list.append(value)
}

const TITLES = {
  request: (item) => item.title.split('  ')[0],
  effect: (item) => item.title,
  wait: () => 'wait',
  mark: () => 'seen',
  holders: () => 'holders',
}

/** Shows a thing; `undefined` shows what can be done. */
export const showDetails = (panel, item) => {
  panel.replaceChildren()
  if (item === undefined) {
    panel.append(
      element('h2', 'Nothing selected'),
      element(
        'p',
        'Click a bar, or press an arrow key, to see the request, the command, what was found and who holds the mountpoint. Press ? for all keys.',
      ),
    )
    return ''
  }
  const title = `${TITLES[item.kind](item)}${item.isProblem ? (item.kind === 'request' ? ': refused' : item.isOverdue ? ': past its deadline' : ': failed') : ''}`
  const list = document.createElement('dl')
  panel.append(element('h2', title), list)
  row(list, 'Where', item.lane.name)
  if (item.kind === 'request') requestRows(list, item)
  else if (item.kind === 'effect' || item.kind === 'wait') effectRows(list, item)
  else {
    row(list, 'When', timeText(item.begin))
    row(list, item.kind === 'mark' ? 'What' : 'Change', item.title)
  }
  holderRows(list, item.lane, (item.end ?? item.begin).n)
  return [title, item.lane.name, item.kind === 'request' ? item.verb : item.command, item.answer ?? item.found ?? '']
    .filter(Boolean)
    .join(', ')
}

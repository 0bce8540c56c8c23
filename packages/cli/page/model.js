// The run as things that can be drawn, found and selected: from the JSON in the page, once.

const drawn = JSON.parse(document.getElementById('data').textContent)
const text = (place) => (place === undefined ? '' : drawn.texts[place])

/** One thing of a lane: `begin` and `end` are moments, `end` is absent where the trace ends before. */
const requestItem = (request) => ({
  kind: 'request',
  begin: request.from,
  end: request.to,
  served: request.served,
  title: text(request.words),
  label: text(request.label),
  verb: text(request.verb),
  answer: text(request.answer),
  more: (request.more ?? []).map(text),
  isProblem: request.isRefused === true,
  isOpen: request.to === undefined,
})

const effectItem = (effect) => ({
  kind: effect.kind === 'wait' ? 'wait' : 'effect',
  begin: effect.from,
  end: effect.to,
  ended: effect.ended,
  title: effect.kind,
  command: text(effect.command),
  found: text(effect.found),
  error: text(effect.error),
  isOverdue: effect.isOverdue === true,
  isProblem: effect.error !== undefined || effect.isOverdue === true,
  isOpen: effect.to === undefined || (effect.isOverdue === true && effect.ended === undefined),
})

const markItem = ({ at, words }) => ({
  kind: 'mark',
  begin: at,
  end: at,
  title: text(words),
  isProblem: text(words).startsWith('lost'),
})

/** The holders after each change: how many, and what has changed. */
const holderItems = (changes) => {
  const now = new Set()
  return changes.map(({ at, holder, added }) => {
    const name = text(holder)
    if (added === undefined) now.clear()
    else if (added) now.add(name)
    else now.delete(name)
    const title = added === undefined ? 'all holders forgotten' : `${added ? '+' : '−'} ${name}`
    return { kind: 'holders', begin: at, end: at, title, count: now.size, names: now.size > 50 ? [] : [...now] }
  })
}

/** The first row that is free; more rows than `most` are drawn on top of each other. */
const inRows = (items, most) => {
  const free = []
  for (const item of items) {
    const end = item.ended ?? item.end
    const row = free.findIndex((until) => until <= item.begin.n)
    item.row = row >= 0 ? row : Math.min(free.length, most - 1)
    free[item.row] = Math.max(free[item.row] ?? 0, end === undefined ? Infinity : Math.max(end.n, item.begin.n + 1))
  }
  return Math.max(free.length, 1)
}

const laneOf = (lane) => {
  const requests = lane.requests.map(requestItem)
  const effects = lane.effects.map(effectItem)
  const marks = lane.marks.map(markItem)
  const holders = holderItems(lane.holders)
  const requestRows = inRows(requests, 6)
  const effectRows = inRows(effects, 3)
  const items = [...requests, ...effects, ...marks, ...holders].sort((a, b) => a.begin.n - b.begin.n)
  const self = {
    path: lane.path,
    name: lane.path ?? 'host',
    requests,
    effects,
    marks,
    holders,
    items,
    requestRows,
    effectRows,
  }
  for (const item of items) {
    item.lane = self
    item.words = [
      self.name,
      item.label,
      item.title,
      item.verb,
      item.answer,
      item.command,
      item.found,
      item.error,
      ...(item.more ?? []),
    ]
      .join(' ')
      .toLowerCase()
  }
  self.refused = requests.filter(({ isProblem }) => isProblem).length
  self.failed = effects.filter(({ isProblem }) => isProblem).length
  self.held = holders.at(-1)?.count ?? 0
  return self
}

export const run = { ...drawn, lanes: drawn.lanes.map(laneOf).filter(({ items }) => items.length > 0) }

/** Whether a thing is shown under a filter, and matches the words that are searched for. */
export const FILTERS = {
  all: () => true,
  problems: (item) => item.isProblem,
  held: (item) => item.lane.held > 0,
  open: (item) => item.isOpen === true,
}

const pad = (number, width = 2) => String(number).padStart(width, '0')
/** The wall clock of a moment, UTC, with milliseconds. */
export const clock = (at) => {
  const date = new Date(at)
  return `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}.${pad(date.getUTCMilliseconds(), 3)}`
}

export const duration = (ms) => {
  if (ms < 1) return ms === 0 ? '0 ms' : '<1 ms'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`
}

export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

// The page: what is shown, selected and searched for, and the keys and pointer that change it.

import { FILTERS, counted, duration, run } from './model.js'
import { fit, last, pan, reveal, scale, scaleBy, spanOf, centre, valueAt, zoom } from './scale.js'
import { binsOf, drawLanes, drawOverview, drawRuler, heightOf, readColours, work } from './draw.js'
import { element, showDetails } from './details.js'

const by = (id) => document.getElementById(id)
const [lanesBox, canvas, labels, spacer, search] = ['lanes', 'canvas', 'labels', 'spacer', 'search'].map(by)

const state = {
  selected: undefined,
  lane: undefined,
  found: undefined,
  filter: 'all',
  isShown: (item) => item.kind === 'holders' || FILTERS[state.filter](item),
  isFound: (item) => state.found === undefined || state.found.has(item),
}
let placed = []
let hits = []
let bins = []
let isDue = false

const BINS = 240

const draw = () => {
  isDue = false
  scale.width = canvas.clientWidth
  const height = lanesBox.clientHeight
  hits = drawLanes(canvas, height, lanesBox.scrollTop, placed, state)
  drawRuler(by('ruler'))
  drawOverview(by('overview'), bins)
  showLabels(height)
  document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1)
}

const redraw = () => {
  if (isDue) return
  isDue = true
  requestAnimationFrame(draw)
}

const aboutOf = (lane) => {
  const about = document.createElement('div')
  about.className = 'about'
  const problems = lane.refused + lane.failed
  const parts = [
    counted(lane.requests.length, 'request'),
    ...(lane.held > 0 ? [`${counted(lane.held, 'holder')} left`] : []),
  ]
  about.append(parts.join(', '))
  if (problems > 0) about.append(', ', element('b', counted(problems, 'problem')))
  return about
}

const showLabels = (height) => {
  const top = lanesBox.scrollTop
  const visible = placed.filter(({ lane, y }) => y + heightOf(lane) >= top && y <= top + height)
  labels.replaceChildren(
    ...visible.map(({ lane, y }) => {
      const label = document.createElement('div')
      label.className = lane === state.lane ? 'label selected' : 'label'
      label.style.top = `${y}px`
      label.style.height = `${heightOf(lane)}px`
      label.title = lane.name
      const path = element('div', '', 'path')
      const cut = lane.name.lastIndexOf('/') + 1
      path.append(element('span', lane.name.slice(0, cut)), lane.name.slice(cut))
      label.append(path, aboutOf(lane))
      label.addEventListener('click', () => selectLane(lane))
      return label
    }),
  )
}

const layOut = () => {
  let y = 0
  placed = run.lanes
    .filter((lane) =>
      lane.items.some(
        (item) => (item.kind === 'holders' ? state.filter === 'all' : state.isShown(item)) && state.isFound(item),
      ),
    )
    .map((lane) => {
      const at = { lane, y }
      y += heightOf(lane)
      return at
    })
  spacer.style.height = `${Math.max(y, lanesBox.clientHeight)}px`
  by('empty').hidden = placed.length > 0
  const paths = placed.filter(({ lane }) => lane.path !== undefined).length
  by('corner').textContent = counted(paths, 'mountpoint')
  redraw()
}

const showLane = (lane) => {
  const at = placed.find((each) => each.lane === lane)
  if (at === undefined) return
  const bottom = at.y + heightOf(lane)
  if (at.y < lanesBox.scrollTop) lanesBox.scrollTop = at.y
  else if (bottom > lanesBox.scrollTop + lanesBox.clientHeight) lanesBox.scrollTop = bottom - lanesBox.clientHeight
}

const select = (item) => {
  state.selected = item
  if (item !== undefined) {
    state.lane = item.lane
    reveal(spanOf(item))
    showLane(item.lane)
  }
  by('said').textContent = showDetails(by('details'), item)
  redraw()
}

const selectable = (lane) => lane.items.filter((item) => state.isShown(item) && state.isFound(item))

const selectLane = (lane) => {
  state.lane = lane
  const middle = (scale.a + scale.b) / 2
  const items = selectable(lane)
  const near =
    state.selected === undefined
      ? items[0]
      : items.reduce(
          (best, item) => (Math.abs(spanOf(item)[0] - middle) < Math.abs(spanOf(best)[0] - middle) ? item : best),
          items[0],
        )
  select(near)
}

const go = (step) => {
  const lane = state.lane ?? placed[0]?.lane
  if (lane === undefined) return
  const items = selectable(lane)
  const at = items.indexOf(state.selected)
  select(items[at < 0 ? 0 : Math.min(Math.max(at + step, 0), items.length - 1)])
}

const goLane = (step) => {
  const at = placed.findIndex(({ lane }) => lane === state.lane)
  const next = placed[at < 0 ? 0 : Math.min(Math.max(at + step, 0), placed.length - 1)]
  if (next !== undefined) selectLane(next.lane)
}

/** The next of some things, in the order of the run, around its end. */
const goThrough = (items, step) => {
  if (items.length === 0) return
  const at = items.indexOf(state.selected)
  select(items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length])
}

const inOrder = (wanted) =>
  placed.flatMap(({ lane }) => lane.items.filter(wanted)).sort((a, b) => a.begin.n - b.begin.n)

const find = () => {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean)
  state.found =
    words.length === 0
      ? undefined
      : new Set(
          run.lanes.flatMap(({ items }) =>
            items.filter((item) => state.isShown(item) && words.every((word) => item.words.includes(word))),
          ),
        )
  layOut()
  const count = state.found?.size
  by('matches').textContent =
    count === undefined
      ? ''
      : count === 0
        ? 'no match'
        : `${count.toLocaleString('en')} in ${counted(placed.length, 'lane')}`
}

const rescale = (to) => {
  scaleBy(to)
  by('scale').value = to
  bins = binsOf(BINS)
  if (state.selected !== undefined) reveal(spanOf(state.selected))
  redraw()
}

const dark = matchMedia('(prefers-color-scheme: dark)')
const colour = () => {
  document.documentElement.dataset.theme = by('theme').value || (dark.matches ? 'dark' : 'light')
  readColours()
  redraw()
}

const forget = () => {
  if (search.value !== '') {
    search.value = ''
    find()
  } else if (state.selected !== undefined) select(undefined)
  else {
    by('filter').value = state.filter = 'all'
    layOut()
  }
  lanesBox.focus()
}

const all = (change) => () => {
  change()
  redraw()
}
const KEYS = {
  ArrowRight: () => go(1),
  ArrowLeft: () => go(-1),
  ArrowDown: () => goLane(1),
  ArrowUp: () => goLane(-1),
  Home: () => go(-Infinity),
  End: () => go(Infinity),
  '+': all(() => zoom(1.6)),
  '=': all(() => zoom(1.6)),
  '-': all(() => zoom(1 / 1.6)),
  0: all(fit),
  a: all(() => pan((scale.a - scale.b) / 4)),
  d: all(() => pan((scale.b - scale.a) / 4)),
  e: () =>
    goThrough(
      inOrder((item) => item.isProblem),
      1,
    ),
  t: () => rescale(scale.by === 'steps' ? 'time' : 'steps'),
  '/': () => search.focus(),
  '?': () => by('keys').showModal(),
  Escape: forget,
}

document.addEventListener('keydown', (event) => {
  if (by('keys').open || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.target === search) {
    if (event.key === 'Enter') goThrough(inOrder(state.isFound), event.shiftKey ? -1 : 1)
    if (event.key === 'Escape') forget()
    return
  }
  if (event.target instanceof HTMLSelectElement && event.key !== 'Escape') return
  const act = KEYS[event.key]
  if (act === undefined) return
  event.preventDefault()
  act()
})

const pick = (event) => {
  const box = canvas.getBoundingClientRect()
  const [x, y] = [event.clientX - box.left, event.clientY - box.top]
  return hits.findLast((hit) => x >= hit.x && x <= hit.right && y >= hit.y && y <= hit.bottom)?.item
}

let dragged
canvas.addEventListener('pointerdown', (event) => {
  dragged = { x: event.clientX, isMoved: false }
  canvas.setPointerCapture(event.pointerId)
})
canvas.addEventListener('pointermove', (event) => {
  if (dragged === undefined) return void (canvas.style.cursor = pick(event) === undefined ? 'grab' : 'pointer')
  const by = event.clientX - dragged.x
  if (Math.abs(by) < 4 && !dragged.isMoved) return
  dragged = { x: event.clientX, isMoved: true }
  pan((-by / scale.width) * (scale.b - scale.a))
  redraw()
})
canvas.addEventListener('pointerup', (event) => {
  const wasMoved = dragged?.isMoved
  dragged = undefined
  if (wasMoved !== true) select(pick(event))
})
lanesBox.addEventListener(
  'wheel',
  (event) => {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX
    if (event.ctrlKey) zoom(Math.exp(-event.deltaY / 300), valueAt(event.clientX - canvas.getBoundingClientRect().left))
    else if (sideways !== 0) pan((sideways / scale.width) * (scale.b - scale.a))
    else return
    event.preventDefault()
    redraw()
  },
  { passive: false },
)
const jump = (event) => {
  if (event.buttons === 0) return
  const box = by('overview').getBoundingClientRect()
  centre(((event.clientX - box.left) / box.width) * last())
  redraw()
}
for (const kind of ['pointerdown', 'pointermove']) by('overview').addEventListener(kind, jump)

for (const [id, act] of [
  ['in', '+'],
  ['out', '-'],
  ['fit', '0'],
  ['help', '?'],
])
  by(id).addEventListener('click', KEYS[act])
search.addEventListener('input', find)
by('filter').addEventListener('change', ({ target }) => {
  state.filter = target.value
  find()
})
by('scale').addEventListener('change', ({ target }) => rescale(target.value))
by('theme').addEventListener('change', colour)
dark.addEventListener('change', colour)
lanesBox.addEventListener('scroll', redraw)
new ResizeObserver(layOut).observe(lanesBox)

const LEGEND = [
  ['waiting', 'waits for its turn'],
  ['served', 'is served'],
  ['refused', 'refused'],
  ['look', 'look'],
  ['directory', 'make, remove directory'],
  ['mount', 'mount'],
  ['unmount', 'unmount'],
  ['probe', 'probe'],
  ['wait', 'delay'],
  ['failed', 'failed or past its deadline'],
  ['held', 'holders'],
]
by('legend').append(
  ...LEGEND.map(([key, words]) => {
    const entry = element('span', '')
    entry.append(element('i', '', `key-${key}`), words)
    return entry
  }),
)
by('name').textContent = run.name
const problems = run.lanes.reduce(
  (sum, { refused, failed }) => ({ refused: sum.refused + refused, failed: sum.failed + failed }),
  { refused: 0, failed: 0 },
)
by('summary').append(
  [
    counted(run.inputs, 'input'),
    counted(run.lanes.filter(({ path }) => path !== undefined).length, 'mountpoint'),
    duration(run.to - run.from),
  ].join(' · '),
)
if (problems.refused > 0) by('summary').append(' · ', element('b', `${problems.refused.toLocaleString('en')} refused`))
if (problems.failed > 0) by('summary').append(' · ', element('b', `${counted(problems.failed, 'effect')} failed`))

scale.width = canvas.clientWidth || 1
colour()
fit()
bins = binsOf(BINS)
layOut()
select(undefined)
// For the tests: how much a frame has to do.
globalThis.traceView = { work, state, run }

// Draws what is visible. The work of a frame is bounded by the pixels: of what would cover the same ones, only the first is drawn, and a
// refusal or failure always.

import { clock, counted, duration, run } from './model.js'
import { last, pixel, scale, spanOf, stepOf, valueOf } from './scale.js'

const ROW = 20
const BAR = 16
const HELD = 34
const MARGIN = 9
const LEAST = 56

const COLOURS = {
  look: 'look',
  make: 'directory',
  remove: 'directory',
  mount: 'mount',
  unmount: 'unmount',
  probe: 'probe',
  discover: 'look',
}
const FONT = "12px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"

let colours = {}
let hatch
/** Drawn rectangles of the last frame, and how long it took: the tests ask. */
export const work = { shapes: 0, ms: 0 }

export const heightOf = (lane) =>
  Math.max(
    LEAST,
    (lane.requests.length > 0 ? lane.requestRows * ROW : 0) +
      lane.effectRows * ROW +
      (lane.holders.length > 0 ? HELD : 0) +
      2 * MARGIN,
  )

/** Reads the colours of the style, after a change of them. */
export const readColours = () => {
  const style = getComputedStyle(document.documentElement)
  colours = new Proxy({}, { get: (known, name) => (known[name] ??= style.getPropertyValue(`--${name}`).trim()) })
  const tile = document.createElement('canvas')
  tile.width = tile.height = 8
  const pen = tile.getContext('2d')
  pen.fillStyle = colours['waiting']
  pen.fillRect(0, 0, 8, 8)
  pen.strokeStyle = colours['waiting-line']
  pen.lineWidth = 1.4
  for (const shift of [-8, 0, 8]) pen.stroke(new Path2D(`M${shift} 8 L${shift + 8} 0`))
  hatch = pen.createPattern(tile, 'repeat')
}

const fitCanvas = (canvas, height) => {
  const ratio = devicePixelRatio || 1
  const width = canvas.clientWidth
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    canvas.style.height = `${height}px`
  }
  const pen = canvas.getContext('2d')
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  pen.font = FONT
  pen.textBaseline = 'middle'
  return pen
}

const label = (pen, words, x, y, room, colour) => {
  const from = Math.max(x, 0)
  const space = x + room - from - 10
  if (space < 14 || words === '') return
  let shown = words
  const needed = pen.measureText(shown).width
  if (needed > space) shown = `${shown.slice(0, Math.max(0, Math.floor((shown.length * space) / needed) - 1))}…`
  if (shown.length < 2) return
  pen.fillStyle = colour
  pen.fillText(shown, from + 5, y)
}

const short = (item) => {
  if (item.kind === 'request')
    return `${item.title.split('  ')[0]}  ${item.title.split(' for ').at(-1).split('  ').at(-1)}`
  if (item.kind === 'wait') return item.command
  return item.title
}

/** How much of a request's bar is the time before its turn: all of it where another one's work has served it as well. */
const waitingPx = (item, x, width) => {
  if (item.served !== undefined) return Math.max(0, pixel(valueOf(item.served)) - x)
  return item.isProblem || item.end?.n === item.begin.n ? 0 : width
}

const bar = (pen, item, x, y, width, state) => {
  work.shapes += 1
  pen.globalAlpha = state.isFound(item) ? 1 : 0.2
  if (item.kind === 'request') {
    const refused = item.isProblem
    const served = waitingPx(item, x, width)
    pen.fillStyle = refused ? colours['bad-fill'] : colours['request']
    pen.fillRect(x, y, width, BAR)
    if (served > 1 && width > 3) {
      pen.fillStyle = hatch
      pen.fillRect(x, y, Math.min(served, width), BAR)
    }
    pen.strokeStyle = refused ? colours['bad'] : colours['request-edge']
    pen.lineWidth = 1
    if (width > 3) pen.strokeRect(x + 0.5, y + 0.5, width - 1, BAR - 1)
    else {
      pen.fillStyle = pen.strokeStyle
      pen.fillRect(x, y, width, BAR)
    }
    label(
      pen,
      `${refused ? '✗ ' : item.isOpen ? '… ' : ''}${short(item)}`,
      x,
      y + BAR / 2 + 1,
      width,
      refused ? colours['bad'] : colours['request-text'],
    )
  } else if (item.kind === 'wait') {
    pen.strokeStyle = colours['wait']
    pen.setLineDash([3, 3])
    pen.strokeRect(x + 0.5, y + 2.5, Math.max(width - 1, 1), BAR - 5)
    pen.setLineDash([])
    label(pen, short(item), x, y + BAR / 2 + 1, width, colours['quiet'])
  } else {
    pen.fillStyle = colours[COLOURS[item.title] ?? 'look']
    pen.fillRect(x, y, width, BAR)
    if (item.isProblem) {
      pen.fillStyle = colours['bad']
      pen.fillRect(x, y + BAR - 4, width, 4)
    }
    label(pen, short(item), x, y + BAR / 2 - (item.isProblem ? 1 : -1), width, '#fff')
  }
  pen.globalAlpha = 1
  if (item === state.selected) {
    pen.strokeStyle = colours['select']
    pen.lineWidth = 2
    pen.strokeRect(x - 2, y - 2, width + 4, BAR + 4)
  }
}

/** Draws bars, and remembers where they are for the pointer. */
const bars = (pen, items, top, state, hits) => {
  const covered = []
  const bad = []
  for (const item of items) {
    if (!state.isShown(item)) continue
    const [from, to] = spanOf(item)
    if (to < scale.a || from > scale.b) continue
    const x = Math.max(pixel(from), -4)
    const right = Math.min(Math.max(pixel(to), x + 3), scale.width + 4)
    const last = item.isProblem ? bad : covered
    if (item !== state.selected && right - (last[item.row] ?? -Infinity) < 1) continue
    last[item.row] = right
    const y = top + item.row * ROW
    bar(pen, item, x, y, right - x - (right - x > 6 ? 1 : 0), state)
    hits.push({ item, x, y, right: Math.max(right, x + 5), bottom: y + BAR })
  }
}

const held = (pen, lane, top, state, hits) => {
  const most = Math.max(1, ...lane.holders.map(({ count }) => count))
  const floor = top + HELD - 6
  const level = (count) => (count === 0 ? floor : floor - 14 - (count / most) * (HELD - 24))
  pen.fillStyle = colours['held']
  pen.strokeStyle = colours['held-edge']
  pen.lineWidth = 1.5
  let x = Math.max(0, pixel(0))
  let count = 0
  let drawnAt = -Infinity
  let labelled = -Infinity
  const upTo = (to, now) => {
    if (now > 0 && to > x && to >= 0 && x <= scale.width) {
      work.shapes += 1
      const y = level(now)
      pen.fillRect(x, y, to - x, floor - y)
      pen.stroke(new Path2D(`M${x} ${y}H${to}`))
      if (to - Math.max(x, 0) > 60 && Math.max(x, 0) > labelled) {
        labelled = Math.max(x, 0) + 90
        pen.fillStyle = colours['held-text']
        pen.fillText(counted(now, 'holder'), Math.max(x, 0) + 5, floor - 6)
        pen.fillStyle = colours['held']
      }
    }
  }
  for (const item of lane.holders) {
    const at = pixel(valueOf(item.begin))
    const isPicked = item === state.selected
    if (at - drawnAt >= 1 || isPicked) {
      upTo(Math.min(at, scale.width), count)
      x = Math.max(at, 0)
      drawnAt = at
      if (at >= 0 && at <= scale.width) hits.push({ item, x: at - 3, y: top, right: at + 4, bottom: top + HELD })
      if (isPicked) {
        pen.fillStyle = colours['select']
        pen.fillRect(at - 1, top, 3, HELD - 4)
        pen.fillStyle = colours['held']
      }
    }
    count = item.count
  }
  upTo(Math.min(pixel(last()), scale.width), count)
}

const marks = (pen, lane, top, height, state, hits) => {
  let covered = -Infinity
  for (const item of lane.marks) {
    if (!state.isShown(item)) continue
    const x = pixel(valueOf(item.begin))
    if (x < 0 || x > scale.width || (x - covered < 2 && item !== state.selected)) continue
    covered = x
    work.shapes += 1
    pen.fillStyle = item === state.selected ? colours['select'] : item.isProblem ? colours['bad'] : colours['quiet']
    pen.fill(new Path2D(`M${x - 4} ${top}h8l-4 6z`))
    hits.push({ item, x: x - 5, y: top, right: x + 5, bottom: top + 9 })
  }
}

/** Draws the lanes; gives what is where. */
export const drawLanes = (canvas, height, top, lanes, state) => {
  const began = performance.now()
  const pen = fitCanvas(canvas, height)
  work.shapes = 0
  const hits = []
  const step = stepOf(90)
  lanes.forEach(({ lane, y }, index) => {
    const size = heightOf(lane)
    const from = y - top
    if (from + size < 0 || from > height) return
    pen.fillStyle = index % 2 === 0 ? colours['lane'] : colours['lane-other']
    pen.fillRect(0, from, scale.width, size)
    pen.fillStyle = colours['line']
    for (let at = Math.ceil(scale.a / step) * step; at <= scale.b; at += step)
      pen.fillRect(Math.round(pixel(at)), from, 1, size)
    pen.fillRect(0, from + size - 1, scale.width, 1)
    const effects = from + MARGIN + (lane.requests.length > 0 ? lane.requestRows * ROW : 0)
    bars(pen, lane.requests, from + MARGIN, state, hits)
    bars(pen, lane.effects, effects, state, hits)
    if (lane.holders.length > 0) held(pen, lane, effects + lane.effectRows * ROW, state, hits)
    marks(pen, lane, from + 1, size, state, hits)
  })
  work.ms = performance.now() - began
  return hits
}

/** Draws the ruler. By input it has the numbers of inputs, by time the time since the beginning. */
export const drawRuler = (canvas) => {
  const pen = fitCanvas(canvas, 26)
  const step = stepOf(90)
  pen.fillStyle = colours['quiet']
  for (let at = Math.ceil(scale.a / step) * step; at <= scale.b; at += step) {
    const x = Math.round(pixel(at))
    const words =
      scale.by === 'time'
        ? `+${duration(at)}`
        : at === 0
          ? 'before'
          : at > run.inputs
            ? ''
            : `#${at.toLocaleString('en')}`
    pen.fillRect(x, 18, 1, 8)
    pen.fillText(words, x + 4, 14)
  }
}

/** Draws how much happens when in the whole run, and which part of it is shown. */
export const drawOverview = (canvas, bins) => {
  const pen = fitCanvas(canvas, 34)
  const most = Math.max(1, ...bins.map(({ all }) => all))
  const width = canvas.clientWidth / bins.length
  bins.forEach(({ all, bad }, index) => {
    pen.fillStyle = colours['request-edge']
    pen.fillRect(index * width, 31 - (all / most) * 26, Math.max(width - 0.5, 0.5), (all / most) * 26)
    if (bad === 0) return
    pen.fillStyle = colours['bad']
    pen.fillRect(index * width, 28, Math.max(width, 2), 4)
  })
  const from = (scale.a / last()) * canvas.clientWidth
  const to = (scale.b / last()) * canvas.clientWidth
  pen.fillStyle = colours['page']
  pen.globalAlpha = 0.72
  pen.fillRect(0, 0, from, 34)
  pen.fillRect(to, 0, canvas.clientWidth - to, 34)
  pen.globalAlpha = 1
  pen.strokeStyle = colours['accent']
  pen.lineWidth = 1.5
  pen.strokeRect(from + 0.75, 0.75, Math.max(to - from - 1.5, 3), 32.5)
}

/** What happens in each of `count` parts of the run. */
export const binsOf = (count) => {
  const bins = Array.from({ length: count }, () => ({ all: 0, bad: 0 }))
  for (const lane of run.lanes) {
    for (const item of lane.items) {
      const bin = bins[Math.min(count - 1, Math.max(0, Math.floor((valueOf(item.begin) / last()) * count)))]
      bin.all += 1
      if (item.isProblem) bin.bad += 1
    }
  }
  return bins
}

export const timeText = (moment) =>
  moment.n === 0 ? 'before the trace' : `${clock(moment.at)} UTC, input ${moment.n.toLocaleString('en')}`

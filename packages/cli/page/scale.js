// Where a moment is drawn: by the number of its input, or by the clock. `a` and `b` are the visible ends.

import { run } from './model.js'

const ZOOM_MAX_PX = { steps: 160, time: 200 }
const LAST = { steps: run.inputs + 2, time: Math.max(run.to - run.from, 1) * 1.01 }

export const scale = { by: 'steps', a: 0, b: LAST.steps, width: 1 }

export const valueOf = ({ n, at }) => (scale.by === 'steps' ? n : n === 0 ? 0 : at - run.from)
export const last = () => LAST[scale.by]
export const pixel = (value) => ((value - scale.a) / (scale.b - scale.a)) * scale.width
export const valueAt = (x) => scale.a + (x / scale.width) * (scale.b - scale.a)

/** Where a thing begins and ends; what begins and ends with one input is not quite as wide as one. */
export const spanOf = (item) => {
  const begin = valueOf(item.begin)
  const end = item.ended ?? (item.isOverdue ? undefined : item.end)
  const to = end === undefined ? last() : valueOf(end)
  return [begin, scale.by === 'steps' ? Math.max(to, begin + 0.7) : to]
}

const show = (a, b) => {
  const least = scale.width / ZOOM_MAX_PX[scale.by]
  const size = Math.min(Math.max(b - a, least), last())
  const middle = (a + b) / 2
  scale.a = Math.min(Math.max(middle - size / 2, 0), last() - size)
  scale.b = scale.a + size
}

export const fit = () => show(0, last())
export const zoom = (factor, around = (scale.a + scale.b) / 2) => {
  const size = scale.b - scale.a
  const share = (around - scale.a) / size
  const next = Math.min(Math.max(size / factor, scale.width / ZOOM_MAX_PX[scale.by]), last())
  show(around - share * next, around + (1 - share) * next)
}
export const pan = (value) => show(scale.a + value, scale.b + value)
export const centre = (value) => show(value - (scale.b - scale.a) / 2, value + (scale.b - scale.a) / 2)

/** Moves as little as needed for a span to be seen. */
export const reveal = ([from, to]) => {
  const margin = (scale.b - scale.a) * 0.08
  if (from >= scale.a + margin && Math.min(to, from + margin) <= scale.b - margin) return
  centre(from + Math.min(to - from, scale.b - scale.a) / 2)
}

/** Changes the scale; what was in the middle stays there as far as one can see. */
export const scaleBy = (by) => {
  if (by === scale.by) return
  const middle = (scale.a + scale.b) / last() / 2
  const share = (scale.b - scale.a) / last()
  scale.by = by
  show((middle - share / 2) * last(), (middle + share / 2) * last())
}

const NICE = [1, 2, 5]
/** The distance of two lines of the ruler. */
export const stepOf = (wantedPx) => {
  const wanted = ((scale.b - scale.a) / scale.width) * wantedPx
  const power = 10 ** Math.floor(Math.log10(wanted))
  const step = NICE.map((nice) => nice * power).find((each) => each >= wanted) ?? 10 * power
  return scale.by === 'steps' ? Math.max(1, step) : step
}

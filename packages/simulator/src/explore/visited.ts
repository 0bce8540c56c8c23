// The states that were seen, each by 64 bits of its canonical form: 12 bytes a place in typed arrays, no object per state. Two
// states with the same bits would be treated as one: for n states the risk of any such pair is n² / 2^65, 3 in a million for ten
// million states.

/** Open addressing with linear probing; at most two thirds full. */
export interface Visited {
  low: Uint32Array
  high: Uint32Array
  /** Number of the state, plus one; 0 is a free place. */
  number: Uint32Array
  size: number
}

export const emptyVisited = (places: number = 1 << 16): Visited => ({
  low: new Uint32Array(places),
  high: new Uint32Array(places),
  number: new Uint32Array(places),
  size: 0,
})

const placeOf = ({ low, high, number }: Visited, a: number, b: number): number => {
  const mask = number.length - 1
  for (let place = (a ^ Math.imul(b, 0x9e3779b1)) & mask; ; place = (place + 1) & mask) {
    if (number[place] === 0 || (low[place] === a && high[place] === b)) return place
  }
}

const grow = (visited: Visited): void => {
  const { low, high, number } = visited
  const larger = emptyVisited(number.length * 2)
  number.forEach((each, place) => {
    if (each === 0) return
    const a = low[place] ?? 0
    const b = high[place] ?? 0
    const to = placeOf(larger, a, b)
    larger.low[to] = a
    larger.high[to] = b
    larger.number[to] = each
  })
  visited.low = larger.low
  visited.high = larger.high
  visited.number = larger.number
}

/** The number of the state with these bits; a new one gets the next, which is the size before. `a` and `b` are unsigned. */
export const visit = (visited: Visited, a: number, b: number): number => {
  if (visited.size * 3 > visited.number.length * 2) grow(visited)
  const place = placeOf(visited, a, b)
  const known = visited.number[place] ?? 0
  if (known !== 0) return known - 1
  visited.low[place] = a
  visited.high[place] = b
  visited.size += 1
  visited.number[place] = visited.size
  return visited.size - 1
}

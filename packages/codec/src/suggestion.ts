// What a misspelt name was probably meant to be.

const LONGEST = 40

/** Edits (insert, delete, replace, swap of neighbours) that make one text of the other. */
const distance = (a: string, b: string): number => {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const edits = [(last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same]
      // At the first letter one side of a comparison is `undefined`, and so it is false.
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) edits.push((beforeLast[j - 2] ?? 0) + 1)
      row.push(Math.min(...edits))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The known name that is close enough to be what was meant; none where nothing is. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  if (name.length === 0 || name.length > LONGEST) return undefined
  const lower = name.toLowerCase()
  let best: string | undefined
  let least = Infinity
  for (const candidate of known) {
    const other = candidate.toLowerCase()
    // `request` for `requestMs` is a forgotten unit, whatever the count of letters says.
    const begins = lower.length >= 3 && (other.startsWith(lower) || lower.startsWith(other))
    const edits = begins ? Math.min(1, distance(lower, other)) : distance(lower, other)
    if (edits > Math.max(1, Math.floor(other.length / 3)) || edits >= least) continue
    best = candidate
    least = edits
  }
  return best
}

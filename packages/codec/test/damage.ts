// Damages a JSON value in every place, one at a time.

/** A damaged value, and what was done to it. */
export interface Damaged {
  readonly how: string
  readonly value: unknown
}

type Attributes = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const without = (value: Attributes, key: string): Attributes =>
  Object.fromEntries(Object.entries(value).filter(([other]) => other !== key))

/** Each field left out, each value replaced by one of another kind, and a key that means nothing in each object. */
export const damagesOf = (value: unknown, path = ''): readonly Damaged[] => {
  const replaced: Damaged = { how: `${path || 'all'} = null`, value: value === null ? 1 : null }
  if (Array.isArray(value)) {
    const [first, ...others] = value as readonly unknown[]
    const inner = value.length === 0 ? [] : damagesOf(first, `${path}[0]`)
    return [replaced, ...inner.map((damaged) => ({ ...damaged, value: [damaged.value, ...others] }))]
  }
  if (!isObject(value)) return [replaced]
  const fields = Object.entries(value).flatMap(([key, part]) => {
    const at = path === '' ? key : `${path}.${key}`
    const inner = damagesOf(part, at).map(({ how, value: other }) => ({ how, value: { ...value, [key]: other } }))
    return [{ how: `without ${at}`, value: without(value, key) }, ...inner]
  })
  return [replaced, ...fields, { how: `${path || 'all'} with another key`, value: { ...value, zzz: 1 } }]
}

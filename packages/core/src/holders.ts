// Who holds a mountpoint: a set of attachments (L1), grouped by consumer because no new string is built for a look-up that
// way and because `release` wants it. One holder as it is, a short array up to eight, then maps: measured, see the benchmark.
// Mutable: it belongs to the host that `apply` changes in place; `decide` only reads.

/** How it is known that an attachment holds: it asked us, or an outside authority shows it. */
export type Knowledge = 'request' | 'inventory'

/** Who holds a mountpoint, since when, and how that is known. */
export interface Holder {
  readonly volume: string
  readonly consumer: string
  /** Wall clock, ms, when it was answered `Attached`. */
  readonly since: number
  readonly knowledge: Knowledge
  /** The id of the request that made it, if it had one; a repeat under the same id is answered `added` again. */
  readonly id?: string | undefined
  /** The stream within which that id means something; absent for the default one. */
  readonly stream?: string | undefined
}

const FEW = 8

type OfConsumer = Holder | Map<string, Holder>

/** The set of holders of one mountpoint. */
export interface Holders {
  count: number
  /** Grows from left to right, and back only when no holder is left, so that a count that swings costs nothing. */
  held: undefined | Holder | Holder[] | Map<string, OfConsumer>
}

/** A set without holders. */
export const noHolders = (): Holders => ({ count: 0, held: undefined })

const isNamed = (holder: Holder, volume: string, consumer: string): boolean =>
  holder.consumer === consumer && holder.volume === volume

const few = (held: undefined | Holder | Holder[]): readonly Holder[] => {
  if (held === undefined) return []
  return Array.isArray(held) ? held : [held]
}

/** The holder of these names, if there is one. */
export const findHolder = ({ held }: Holders, volume: string, consumer: string): Holder | undefined => {
  if (held === undefined) return undefined
  if (held instanceof Map) {
    const of = held.get(consumer)
    if (of instanceof Map) return of.get(volume)
    return of !== undefined && of.volume === volume ? of : undefined
  }
  if (!Array.isArray(held)) return isNamed(held, volume, consumer) ? held : undefined
  for (const holder of held) if (isNamed(holder, volume, consumer)) return holder
  return undefined
}

/** All that one consumer holds here. */
export const holdersOf = ({ held }: Holders, consumer: string): readonly Holder[] => {
  if (!(held instanceof Map)) return few(held).filter((holder) => holder.consumer === consumer)
  const of = held.get(consumer)
  if (of === undefined) return []
  return of instanceof Map ? [...of.values()] : [of]
}

/** How much one consumer holds here. */
export const countHolders = ({ held }: Holders, consumer: string): number => {
  if (held instanceof Map) {
    const of = held.get(consumer)
    return of instanceof Map ? of.size : of === undefined ? 0 : 1
  }
  let count = 0
  for (const holder of few(held)) if (holder.consumer === consumer) count += 1
  return count
}

/** Every holder, oldest first within a consumer. */
export const allHolders = ({ held }: Holders): readonly Holder[] =>
  held instanceof Map ? [...held.values()].flatMap((of) => (of instanceof Map ? [...of.values()] : [of])) : few(held)

/** One of the holders, whichever is at hand. */
export const anyHolder = ({ held }: Holders): Holder | undefined => {
  if (!(held instanceof Map)) return few(held)[0]
  for (const of of held.values()) {
    if (!(of instanceof Map)) return of
    for (const holder of of.values()) return holder
  }
  return undefined
}

const addToMany = (many: Map<string, OfConsumer>, holder: Holder): void => {
  const of = many.get(holder.consumer)
  if (of === undefined) many.set(holder.consumer, holder)
  else if (of instanceof Map) of.set(holder.volume, holder)
  else
    many.set(
      holder.consumer,
      new Map([
        [of.volume, of],
        [holder.volume, holder],
      ]),
    )
}

/** Adds a holder that is not in the set. */
export const addHolder = (holders: Holders, holder: Holder): void => {
  const { held } = holders
  holders.count += 1
  if (held === undefined) holders.held = holder
  else if (held instanceof Map) addToMany(held, holder)
  else if (!Array.isArray(held)) holders.held = [held, holder]
  else if (held.length < FEW) held.push(holder)
  else {
    const many = new Map<string, OfConsumer>()
    for (const each of held) addToMany(many, each)
    addToMany(many, holder)
    holders.held = many
  }
}

const removeFromMany = (many: Map<string, OfConsumer>, volume: string, consumer: string): void => {
  const of = many.get(consumer)
  if (!(of instanceof Map)) {
    many.delete(consumer)
    return
  }
  of.delete(volume)
  if (of.size > 1) return
  const [only] = of.values()
  if (only === undefined) many.delete(consumer)
  else many.set(consumer, only)
}

/** Removes a holder that is in the set. */
export const removeHolder = (holders: Holders, volume: string, consumer: string): void => {
  const { held } = holders
  holders.count -= 1
  if (holders.count === 0) holders.held = undefined
  else if (held instanceof Map) removeFromMany(held, volume, consumer)
  else if (Array.isArray(held)) {
    const index = held.findIndex((holder) => isNamed(holder, volume, consumer))
    if (index >= 0) held.splice(index, 1)
  }
}

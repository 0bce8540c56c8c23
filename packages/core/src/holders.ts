// Who holds a mountpoint: a set of attachments (L1), grouped by consumer because no new string is built for a look-up that
// way and because `release` wants it. A short array up to eight holders, then maps: measured shapes, see the benchmark.
// Mutable: it belongs to the host that `apply` changes in place; `decide` only reads.

/** How it is known that an attachment holds: it asked us, or an outside authority shows it. */
export type Knowledge = 'request' | 'inventory'

export interface Holder {
  readonly volume: string
  readonly consumer: string
  /** Wall clock, ms, when it was told `Attached`. */
  readonly since: number
  readonly knowledge: Knowledge
  /** The id of the request that made it; a repeat under the same id is told `added` again. Not durable. */
  readonly id: string | undefined
}

const FEW = 8

type OfConsumer = Holder | Map<string, Holder>

export interface Holders {
  count: number
  few: Holder[] | undefined
  many: Map<string, OfConsumer> | undefined
}

export const noHolders = (): Holders => ({ count: 0, few: undefined, many: undefined })

export const findHolder = (holders: Holders, volume: string, consumer: string): Holder | undefined => {
  if (holders.many !== undefined) {
    const of = holders.many.get(consumer)
    if (of instanceof Map) return of.get(volume)
    return of !== undefined && of.volume === volume ? of : undefined
  }
  if (holders.few === undefined) return undefined
  for (const holder of holders.few) {
    if (holder.consumer === consumer && holder.volume === volume) return holder
  }
  return undefined
}

/** All that one consumer holds here. */
export const holdersOf = (holders: Holders, consumer: string): readonly Holder[] => {
  if (holders.many !== undefined) {
    const of = holders.many.get(consumer)
    if (of === undefined) return []
    return of instanceof Map ? [...of.values()] : [of]
  }
  return holders.few?.filter((holder) => holder.consumer === consumer) ?? []
}

/** Every holder, oldest first within a consumer. */
export const allHolders = (holders: Holders): readonly Holder[] => {
  if (holders.many === undefined) return holders.few ?? []
  return [...holders.many.values()].flatMap((of) => (of instanceof Map ? [...of.values()] : [of]))
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
  holders.count += 1
  if (holders.many !== undefined) {
    addToMany(holders.many, holder)
    return
  }
  if (holders.few === undefined) {
    holders.few = [holder]
    return
  }
  if (holders.few.length < FEW) {
    holders.few.push(holder)
    return
  }
  holders.many = new Map()
  for (const each of holders.few) addToMany(holders.many, each)
  addToMany(holders.many, holder)
  holders.few = undefined
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

/** Removes a holder that is in the set. Once there were many the maps stay, so that a count that swings costs nothing. */
export const removeHolder = (holders: Holders, volume: string, consumer: string): void => {
  holders.count -= 1
  if (holders.many !== undefined) {
    removeFromMany(holders.many, volume, consumer)
    if (holders.count === 0) holders.many = undefined
    return
  }
  if (holders.few === undefined) return
  const index = holders.few.findIndex((holder) => holder.consumer === consumer && holder.volume === volume)
  if (index >= 0) holders.few.splice(index, 1)
  if (holders.few.length === 0) holders.few = undefined
}

/** One of the holders, whichever is at hand. */
export const anyHolder = (holders: Holders): Holder | undefined => {
  if (holders.few !== undefined) return holders.few[0]
  for (const of of holders.many?.values() ?? []) {
    if (!(of instanceof Map)) return of
    for (const holder of of.values()) return holder
  }
  return undefined
}

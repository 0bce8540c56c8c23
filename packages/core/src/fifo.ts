// A queue of distinct names: first in, first out, with removal from the middle, each in constant time. Mutable, because it
// belongs to the host that `apply` changes in place; `decide` never writes to it.

interface Node {
  readonly name: string
  before: Node | undefined
  after: Node | undefined
}

/** A queue whose first element is taken in constant time. */
export interface Fifo {
  first: Node | undefined
  last: Node | undefined
  readonly nodes: Map<string, Node>
}

export const emptyFifo = (): Fifo => ({ first: undefined, last: undefined, nodes: new Map() })

export const firstOf = (fifo: Fifo): string | undefined => fifo.first?.name

export const sizeOf = (fifo: Fifo): number => fifo.nodes.size

/** Puts a name at the end; a name that is in the queue already keeps its place. */
export const push = (fifo: Fifo, name: string): void => {
  if (fifo.nodes.has(name)) return
  const node: Node = { name, before: fifo.last, after: undefined }
  if (fifo.last === undefined) fifo.first = node
  else fifo.last.after = node
  fifo.last = node
  fifo.nodes.set(name, node)
}

/** Takes a name out, wherever it stands; nothing happens when it is not there. */
export const remove = (fifo: Fifo, name: string): void => {
  const node = fifo.nodes.get(name)
  if (node === undefined) return
  if (node.before === undefined) fifo.first = node.after
  else node.before.after = node.after
  if (node.after === undefined) fifo.last = node.before
  else node.after.before = node.before
  fifo.nodes.delete(name)
}

/** The names from first to last. */
export const namesOf = (fifo: Fifo): readonly string[] => {
  const names: string[] = []
  for (let node = fifo.first; node !== undefined; node = node.after) names.push(node.name)
  return names
}

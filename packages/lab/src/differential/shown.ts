// What either host shows below the root, without numbers of mounts.

import type { Line, Side } from '../fidelity/snapshot.js'
import type { Shown } from './side.js'

/** How many layers are below a mount at its path. */
const depthOf = (table: readonly Line[], { parentId, target }: Line): number => {
  const below = table.find(({ identity }) => identity.mountId === parentId)
  return below?.target === target ? depthOf(table, below) + 1 : 0
}

/** Directories and mounts below a path. */
export const shownBelow = (path: string, { tree, table }: Pick<Side, 'tree' | 'table'>): Shown => {
  const below = table.filter(({ target }) => target.startsWith(`${path}/`))
  return {
    tree: tree.filter((line) => line.startsWith(`${path}/`)),
    mounts: below
      .map((line) => {
        const { fstype, source, root } = line.identity
        return `${line.target} ${depthOf(table, line)} ${fstype} ${source} ${root}`
      })
      .sort(),
  }
}

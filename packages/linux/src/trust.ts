// Who may change a directory: root, the manager, and owners that the configuration trusts. What a name leads to rests on that,
// for a name is looked up again when a command uses it. In a directory that is not safe, others can exchange it meanwhile.

import type { BigIntStats } from 'node:fs'
import { readFileSync } from 'node:fs'

/** Who may change directories on the way. Plain data: a look process is given it as JSON. */
export interface Trust {
  /** The user that the manager runs as. */
  readonly uid: number
  /** Owners that the configuration trusts for this root, beside root and the manager. */
  readonly owners: readonly number[]
}

/** Owners that the configuration trusts, by the path of the root. */
export type TrustedOwners = Readonly<Record<string, readonly number[]>>

/** Whom the configuration trusts for a root; for anything else, such as a state directory, root and the manager only. */
export const trustFor = (uid: number, owners: TrustedOwners = {}, root?: string): Trust => ({
  uid,
  owners: (root !== undefined && Object.hasOwn(owners, root) ? owners[root] : undefined) ?? [],
})

/** A directory in which others can exchange what is named. */
export interface Unsafe {
  /** Its path; of an entry of a sticky directory, which its owner can exchange, the path of that entry. */
  readonly component: string
  readonly why: string
  /** What makes it safe, as text for a shell. */
  readonly command: string
  /** Its owner, if it would be safe were that one trusted. */
  readonly owner?: number
}

/** What to do about a directory on the way to `path`; the owner of a root itself is the manager. */
export const mendOf = ({ command, owner, component }: Unsafe, path: string): string =>
  owner === undefined || component === path
    ? command
    : `${command}, or name ${owner} in trustedOwners if it is on the way to a root`

/** How something is judged: as a directory of which the next entry is judged too, as the last of the way, or as an entry alone. */
export type Part = 'way' | 'end' | 'entry'

type Stat = Pick<BigIntStats, 'uid' | 'mode'>

const OTHERS_WRITE = 0o022n
const STICKY = 0o1000n

/** The lines of a uid_map: ids here, ids in the parent namespace, and how many (user_namespaces(7)). */
const mapped = (map: string, uid: number): boolean =>
  map.split('\n').some((line) => {
    const [inside, , count] = line.trim().split(/\s+/).map(Number)
    return inside !== undefined && count !== undefined && uid >= inside && uid < inside + count
  })

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The user that a map with a gap in it shows for all that it does not map; absent where every user has a number. */
export const unmappedUser = (uidMap: string, overflow: number): number | undefined =>
  uidMap === '' || mapped(uidMap, overflow) ? undefined : overflow

let unmapped: { readonly uid: number | undefined } | undefined

/** No process in this user namespace can act as an unmapped owner: it counts as root. A process stays in its namespace. */
const isUnmapped = (uid: number): boolean => {
  unmapped ??= { uid: unmappedUser(readText('/proc/self/uid_map'), Number(readText('/proc/sys/kernel/overflowuid'))) }
  return uid === unmapped.uid
}

const quoted = (path: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`

const modeText = (stat: Stat): string => Number(stat.mode & 0o7777n).toString(8)

/** Whether others can make entries in a directory, of which they can then exchange only their own. */
export const isSticky = ({ mode }: Stat): boolean => (mode & STICKY) !== 0n && (mode & OTHERS_WRITE) !== 0n

/**
 * Why others can exchange what is named in a directory; absent where they cannot. The group bits of a directory with an access
 * control list are the most that the list grants (acl(5)), so that the mode says it all.
 */
export const judge = (path: string, stat: Stat, { uid, owners }: Trust, part: Part): Unsafe | undefined => {
  const owner = Number(stat.uid)
  const isRoots = owner === 0 || isUnmapped(owner)
  if (!isRoots && owner !== uid && !owners.includes(owner)) {
    const why = `${path} belongs to user ${owner}, who can replace it or its entries`
    return { component: path, why, command: `chown ${uid} ${quoted(path)}`, owner }
  }
  if (part === 'entry' || (stat.mode & OTHERS_WRITE) === 0n) return undefined
  // What is in a sticky one can be exchanged by its owner only, who is judged next; at the end there is no next.
  if (part === 'way' && isSticky(stat) && (isRoots || owner === uid)) return undefined
  const why = `${path} can be written by others (mode ${modeText(stat)})`
  return { component: path, why, command: `chmod go-w ${quoted(path)}` }
}

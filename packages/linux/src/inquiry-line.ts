// What a question about mounts is, and what its answer is made of: shared with the process that answers, so that this loads nothing.

/** Which mounts are asked about: the one that a path is on, or those that show this source. */
export type InspectQuestion = { readonly path: string } | { readonly source: string }

/** How full a filesystem is, as statfs(2) says; inodes are 0 where it has no limit of them. */
export type Space =
  | {
      readonly _tag: 'Space'
      readonly bytes: number
      readonly bytesFree: number
      /** What users other than root may write. */
      readonly bytesAvailable: number
      readonly inodes: number
      readonly inodesFree: number
    }
  /** Another mount is over it, so that no path leads there. */
  | { readonly _tag: 'Covered' }
  /** It did not answer within the time. */
  | { readonly _tag: 'NotResponding' }
  | { readonly _tag: 'Unreadable'; readonly why: string }

/** One mount as the kernel shows it. Passwords in a source or an option are masked. */
export interface InspectedMount {
  readonly mountpoint: string
  readonly type: string
  readonly source: string
  /** The directory of the filesystem that is shown; `/` but for a bind. */
  readonly root: string
  /** Flags of the mount, and options of the filesystem. */
  readonly options: readonly string[]
  readonly space: Space
}

/** Top first where they are stacked. */
export interface Inspected {
  readonly mounts: readonly InspectedMount[]
  /** There are more than are shown. */
  readonly more: boolean
}

/** How a process uses a mount. */
export type Use = 'cwd' | 'root' | 'open file' | 'mapping'

/** One thing that keeps a mountpoint busy. */
export type User =
  | {
      readonly _tag: 'Process'
      readonly pid: number
      /** Its name, not its arguments: those may hold a secret. */
      readonly command: string
      readonly uses: readonly Use[]
    }
  | { readonly _tag: 'LoopDevice'; readonly device: string; readonly file: string }
  | { readonly _tag: 'SwapFile'; readonly file: string }
  /** A mount below it, which has to be unmounted first. */
  | { readonly _tag: 'Mount'; readonly mountpoint: string }
  /** The same filesystem is mounted in another mount namespace, which this process is in. */
  | { readonly _tag: 'Namespace'; readonly pid: number; readonly command: string; readonly mountpoint: string }

/** What keeps a mountpoint busy. */
export interface Busy {
  readonly mountpoint: string
  /** Whether anything is mounted there. */
  readonly isMounted: boolean
  readonly users: readonly User[]
  /** Processes that this one may not look into. */
  readonly unreadable: number
  /** Whether all was looked at: not where the time was over, or there are more users than are shown. */
  readonly isComplete: boolean
}

/** Mounts and users that one answer shows. */
export const SHOWN_MAX = 64
/** A line of the process that answers. */
export type InquiryLine =
  | { readonly mount: Omit<InspectedMount, 'space'> }
  /** Of the mount with this index. */
  | { readonly of: number; readonly space: Space }
  | { readonly isMounted: boolean }
  | { readonly user: User }
  | { readonly end: { readonly more: boolean; readonly unreadable: number } }

/** What the process is asked. */
export type Inquiry =
  ({ readonly op: 'inspect' } & InspectQuestion) | { readonly op: 'why'; readonly mountpoint: string }

// What was seen at a mountpoint. Everything the core decides rests on these values and never on the wording of a message
// (L15, L40). Adapters make them; the core only compares them.

/** How the kernel's mount table shows one mount. Recorded after success, never predicted from a request. */
export interface Identity {
  /** Mount id; the kernel uses a freed one again at once, so it proves nothing by itself. */
  readonly mountId: number
  /** `major:minor` of the filesystem. */
  readonly device: string
  readonly fstype: string
  readonly source: string
  /** The directory of the filesystem that forms the root of this mount; gains `//deleted` when that was removed. */
  readonly root: string
  /** Flags of this mount (`rw`, `nosuid`, …), not of its superblock. Recorded for drift, never compared for sameness. */
  readonly flags: readonly string[]
  /** Whether the filesystem itself can be written, whatever the flags of this mount; absent where that was not recorded. */
  readonly superblock?: 'rw' | 'ro'
}

/** A managed root as it was when the host came up. */
export interface RootIdentity {
  readonly path: string
  readonly mountId: number
  /** `device:inode` of the directory. */
  readonly directory: string
}

/** What a path leads to at one moment, in terms that are equal for one and the same thing only. */
export type ResolvedSource =
  /** A directory by its path inside its filesystem, as the table shows the root of a bind of it; or `/` on a device. */
  | {
      readonly _tag: 'At'
      readonly root: string
      /** `major:minor` of the filesystem (bind) or of the device itself (block). */
      readonly device: string
      /** Inode of the directory, where it could be asked for. */
      readonly inode?: string
    }
  /** Files and directories, each as `device:inode`: the image of a loop device, the directories of an overlay or of bindfs. */
  | {
      readonly _tag: 'Files'
      readonly files: readonly string[]
      /** Where the filesystem begins in the image, in bytes; absent where that is not known, or there is no image. */
      readonly offset?: number
    }
  | { readonly _tag: 'Absent'; readonly path: string }
  /** It cannot be looked at without the risk to hang, or not at all. */
  | { readonly _tag: 'NotChecked'; readonly why: string }

/** The sources that were seen with a mountpoint. */
export interface SourceSeen {
  /** What the source of the filesystem that is asked for leads to now, with its path-valued options. */
  readonly asked: ResolvedSource
  /** Where the top layer comes from, in the same terms, as far as its identity does not show it. */
  readonly shown?: ResolvedSource
}

/** Why a look was inconclusive. */
export type UnknownWhy =
  /** The effect passed its deadline; exactly one `ended` follows. */
  | 'TimedOut'
  /** The parent directory is not on the mount that its root is on. */
  | 'ParentElsewhere'
  /** The managed root is not the directory that it was at host-up. */
  | 'RootChanged'
  /** All of an identity is equal but its root. */
  | 'RootRenamed'
  /** A command of an earlier life of the manager is still running there. */
  | 'CommandAlive'
  /** More layers than the limit. */
  | 'TooManyLayers'
  /** A symbolic link, or something else that is no directory, is on the way to the mountpoint: `component`. */
  | 'NotADirectory'
  /** A directory on the way may not be entered: `component`. */
  | 'PermissionDenied'
  /** Another user may change the directory `component` on the way: the detail says how, `command` what makes it safe. */
  | 'UnsafeParent'
  /** The kernel takes no name of this length. */
  | 'NameTooLong'
  /** The table or the path could not be read; the detail says why. */
  | 'Unreadable'

/** Looked, without a conclusion. Nothing destructive follows from it (L17). */
export interface Unknown {
  readonly _tag: 'Unknown'
  readonly why: UnknownWhy
  readonly detail?: string
  /** The path that a person has to put right. */
  readonly component?: string
  /** What that person may run to put it right, as text for a shell. */
  readonly command?: string
}

const FOR_A_PERSON: ReadonlySet<UnknownWhy> = new Set([
  ...(['ParentElsewhere', 'RootChanged', 'RootRenamed', 'TooManyLayers'] as const),
  ...(['NotADirectory', 'PermissionDenied', 'UnsafeParent', 'NameTooLong'] as const),
])

/** Whether only a person can remove the cause: no request waits for that (R4.10). */
export const needsPerson = ({ why }: Unknown): boolean => FOR_A_PERSON.has(why)

/** Why a look was inconclusive, and what may be run about it, for people. */
export const unknownText = ({ why, detail, command }: Unknown): string =>
  [detail === undefined ? why : `${why}: ${detail}`, ...(command === undefined ? [] : [`run: ${command}`])].join('; ')

/** What is at a mountpoint. */
export type Found =
  | { readonly _tag: 'NoDirectory' }
  | { readonly _tag: 'Directory' }
  | { readonly _tag: 'Obstacle'; readonly kind: ObstacleKind }
  /** All layers, top first, at most `limits.layers`. */
  | { readonly _tag: 'Mounted'; readonly layers: readonly Identity[] }
  | Unknown

/** What is at a mountpoint instead of a directory. */
export type ObstacleKind = 'file' | 'symlink' | 'socket' | 'fifo' | 'device' | 'other'

/** How a command ended that did not end well. Evidence for people: no decision reads it (L40). */
export interface CommandError {
  /** The argument vector, secrets never among it (L38). */
  readonly command: readonly string[]
  /** Absent when a signal ended it, or when it could not be started. */
  readonly exitStatus?: number
  readonly signal?: string
  readonly stderr: string
  /** Process id of the command, while one may still live. */
  readonly pid?: number
}

/** What a command said, or how it ended, on one line; for people. */
export const errorText = ({ stderr, exitStatus, signal }: CommandError): string => {
  const [said = ''] = stderr.trim().split('\n')
  if (said !== '') return said
  if (signal !== undefined) return `ended by ${signal}`
  return exitStatus === undefined ? 'the command timed out' : `exit status ${exitStatus}`
}

const DELETED = '//deleted'

/** How two observations of a layer compare. `renamed`: all is equal but the root, so it is unknown (R2.1). */
export type Sameness = 'same' | 'renamed' | 'other'

/** Compares a recorded identity with one seen now. Flags are not compared; a root that gained `//deleted` is the same. */
export const compareIdentity = (recorded: Identity, seen: Identity): Sameness => {
  if (
    recorded.mountId !== seen.mountId ||
    recorded.device !== seen.device ||
    recorded.fstype !== seen.fstype ||
    recorded.source !== seen.source
  ) {
    return 'other'
  }
  return recorded.root === seen.root || recorded.root + DELETED === seen.root ? 'same' : 'renamed'
}

/** The same layer with another root is among these, so that it is unknown whether the recorded one is there. */
export const renamedAmong = (recorded: Identity, layers: readonly Identity[]): Unknown | undefined =>
  layers.some((each) => compareIdentity(recorded, each) === 'renamed')
    ? { _tag: 'Unknown', why: 'RootRenamed', detail: `the root of ${recorded.source} is no longer ${recorded.root}` }
    : undefined

/** The layers of a stack, top first; none where nothing is mounted. */
export const layersOf = (found: Found): readonly Identity[] => (found._tag === 'Mounted' ? found.layers : [])

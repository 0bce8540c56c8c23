// Operations: what is done to a place, as data, the same on the model and on the kernel. Paths are relative to the place.

/** One thing that is done. */
export type Operation =
  | { readonly _tag: 'MakeDirectory'; readonly path: string }
  | { readonly _tag: 'RemoveDirectory'; readonly path: string }
  | { readonly _tag: 'MakeFile'; readonly path: string }
  | { readonly _tag: 'RemoveFile'; readonly path: string }
  | { readonly _tag: 'Link'; readonly path: string; readonly target: string }
  | { readonly _tag: 'Rename'; readonly path: string; readonly to: string }
  | { readonly _tag: 'Mount'; readonly path: string; readonly source: string; readonly flags: readonly Flag[] }
  | { readonly _tag: 'Bind'; readonly path: string; readonly source: string }
  /** mount --move of the layer on top. */
  | { readonly _tag: 'Move'; readonly path: string; readonly to: string }
  | { readonly _tag: 'Unmount'; readonly path: string; readonly how: 'plain' | 'lazy' }
  | { readonly _tag: 'Enter'; readonly path: string; readonly uses: 'working directory' | 'open file' }
  /** The process that entered first ends. */
  | { readonly _tag: 'Leave' }

/** The flags of a mount that the model knows. */
export type Flag = 'ro' | 'nosuid' | 'nodev' | 'noexec'

/** What is there at the beginning: directories of the place, and a link to one of them. */
export const BEGINNING: readonly Operation[] = [
  ...['a', 'a/c', 'b', 'b/c'].map((path) => ({ _tag: 'MakeDirectory', path }) as const),
  { _tag: 'Link', path: 'l', target: 'b' },
]

/** Where something is looked for after every step. */
export const LOOKED_AT: readonly string[] = ['a', 'a/c', 'b', 'b/c', 'd', 'l', 'l/c']

/** An operation on one line. */
export const operationText = ({ _tag, ...rest }: Operation): string => [_tag, ...Object.values(rest).flat()].join(' ')

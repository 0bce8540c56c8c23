// The options of `inspect` and `why`, which need no configuration.

import type { Type } from 'cmd-ts'
import { boolean, command, flag, multioption, optional, positional, string } from 'cmd-ts'
import { named, once, wholeNumber } from './argument-types.js'
import type { InspectArguments, WhyArguments } from './asked.js'

type Option<A> = ReturnType<typeof multioption<Type<string[], A>>>
type Flag = ReturnType<typeof flag<Type<boolean, boolean>>>
type Position<A> = ReturnType<typeof positional<Type<string, A>>>
type Both = { readonly json: Flag; readonly deadlineMs: Option<number | undefined> }
type Command<Args extends Parameters<typeof command>[0]['args'], Given> = ReturnType<typeof command<Args, () => Given>>

const questionMs = multioption({
  long: 'deadline',
  type: once(wholeNumber('MS', 1, 60_000)),
  description: 'answer within MS with what was found until then (default: 5000)',
})

/** `inspect`. */
export const inspect: Command<
  Both & { readonly path: Position<string | undefined>; readonly source: Option<string | undefined> },
  InspectArguments
> = command({
  name: 'inspect',
  description:
    'Show what is mounted at a path or from a source, with its options and free space; answers whatever hangs',
  examples: [
    { description: 'The mount that a path is on', command: 'mountkeeper inspect /srv/mounts/a' },
    { description: 'All mounts of an export', command: 'mountkeeper inspect --source nas:/export/a' },
  ],
  args: {
    path: positional({ displayName: 'PATH', type: optional(string), description: 'an absolute path' }),
    source: multioption({
      long: 'source',
      type: once(named('SOURCE')),
      description: 'the source as the mount table has it',
    }),
    json: flag({ long: 'json', type: boolean, description: 'print one JSON object' }),
    deadlineMs: questionMs,
  },
  handler: (asked): InspectArguments => ({ _tag: 'Inspect', ...asked }),
})

/** `why`. */
export const why: Command<Both & { readonly mountpoint: Position<string> }, WhyArguments> = command({
  name: 'why',
  description:
    'Show what keeps a mountpoint busy: processes, loop devices, swap files, mounts below, other mount namespaces',
  examples: [{ description: 'Before a mount can be unmounted', command: 'mountkeeper why /srv/mounts/a' }],
  args: {
    mountpoint: positional({
      displayName: 'MOUNTPOINT',
      type: string,
      description: 'the absolute path of the mountpoint',
    }),
    json: flag({ long: 'json', type: boolean, description: 'print one JSON object' }),
    deadlineMs: questionMs,
  },
  handler: (asked): WhyArguments => ({ _tag: 'Why', ...asked }),
})

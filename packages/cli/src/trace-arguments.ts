// The commands that read a trace: replay, and trace view.

import { command, multioption, positional, string, subcommands } from 'cmd-ts'
import { named, once } from './argument-types.js'
import type { Asked } from './asked.js'

type Arguments = Record<'trace', ReturnType<typeof positional<typeof string>>>
type Written = Record<'output', ReturnType<typeof multioption<ReturnType<typeof once<string>>>>>
type Command<Of extends Arguments> = ReturnType<typeof command<Of, () => Asked>>

/** `replay`. */
export const replay: Command<Arguments> = command({
  name: 'replay',
  description: 'Repeat every decision of a trace and report the first line that differs',
  examples: [
    { description: 'Check that this version decides as the recorded one did', command: 'mountkeeper replay run.trace' },
  ],
  args: {
    trace: positional({ displayName: 'TRACE', type: string, description: 'the trace file that run --trace wrote' }),
  },
  handler: ({ trace }): Asked => ({ _tag: 'Replay', trace }),
})

const view: Command<Arguments & Written> = command({
  name: 'view',
  description: 'Write one HTML page that shows a run: a lane for each mountpoint, with requests, effects and holders',
  examples: [
    {
      description: 'Look at a recorded run in a browser',
      command: 'mountkeeper trace view run.trace --output run.html',
    },
  ],
  args: {
    trace: positional({ displayName: 'TRACE', type: string, description: 'the trace file that run --trace wrote' }),
    output: multioption({
      long: 'output',
      type: once(named('FILE')),
      description: 'write the page to this file, which only this user may read; default stdout',
    }),
  },
  handler: (asked): Asked => ({ _tag: 'TraceView', ...asked }),
})

/** The commands of `trace`. */
export const TRACES: { readonly view: typeof view } = { view }

/** `trace`. */
export const traces: ReturnType<typeof subcommands<{ view: typeof view }>> = subcommands({
  name: 'trace',
  description: 'Show a recorded run in a browser',
  cmds: TRACES,
})

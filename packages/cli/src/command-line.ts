// From an argument vector to an exit code: read it, then hand over to the part that does it. Parts are loaded when they are
// asked for, so that help and mistakes are answered before anything heavy is read.

import { readFileSync } from 'node:fs'
import type { Asked } from './arguments.js'
import { readArguments } from './arguments.js'
import type { ExitCode } from './exit.js'
import { usageFailure } from 'mountkeeper/parts'
import { EXIT } from './exit.js'
import type { Streams } from './streams.js'
import { complain, fail } from './streams.js'

/** The version in the manifest of this package. */
export const version = (): string => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}

/** As long as a timer can be, ms. */
const AWAKE_MS = 2 ** 31 - 1

const perform = async (asked: Asked, streams: Streams): Promise<ExitCode> => {
  switch (asked._tag) {
    case 'Run':
      return (await import('./run.js')).run(asked, streams)
    case 'Serve':
      return (await import('./listen.js')).listen(asked, streams)
    case 'Plan':
      return (await import('./plan.js')).plan(asked, streams)
    case 'Status':
      return (await import('./status.js')).status(asked, streams)
    case 'Inspect':
      return (await import('./inspect.js')).inspect(asked, streams)
    case 'Why':
      return (await import('./inspect.js')).why(asked, streams)
    case 'Reconcile':
      return (await import('./reconcile.js')).reconcile(asked, streams)
    case 'Replay':
      return (await import('./replay.js')).replay(asked.trace, streams)
    case 'TraceView':
      return (await import('./trace-view.js')).traceView(asked, streams)
    case 'Simulate':
      return (await import('./simulate.js')).simulate(asked, streams)
    case 'Doctor':
      return (await import('./doctor.js')).doctor(asked, streams)
    case 'Help':
      if (asked.topic === undefined) return commandLine(['--help'], streams)
      return (await import('./configuration-help.js')).configurationHelp(streams)
  }
}

/** Does what an argument vector asks for; gives the exit code. Never rejects. */
export const commandLine = async (argv: readonly string[], streams: Streams): Promise<ExitCode> => {
  // A look process or a command may be all that is waited for, and none of them keeps this process alive.
  const awake = setInterval(() => undefined, AWAKE_MS)
  try {
    const read = await readArguments(argv, version())
    if (read._tag === 'Asked') return await perform(read.asked, streams)
    if (read._tag === 'Mistake') return fail(streams, usageFailure(read.text))
    streams.stdout.write(`${read.text}\n`)
    return EXIT.ok
  } catch (error) {
    // A defect of ours: people need the sentence, those who fix it the place.
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    complain(streams, `defect: ${what.replaceAll(/\n\s+/g, ' ')}`)
    return EXIT.stopped
  } finally {
    clearInterval(awake)
  }
}

// The public names of @mountkeeper/cli: the command as a function.

export { commandLine } from './command-line.js'
export { EXIT } from './exit.js'
export type { ExitCode } from './exit.js'
export type { Streams } from './streams.js'

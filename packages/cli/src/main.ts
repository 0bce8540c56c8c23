#!/usr/bin/env node
// The command as it is started: hands the process to the command line, and its exit code back. Everything else is loaded
// when it is needed, so that `--help` costs nothing.

// cmd-ts colours by chalk, which knows FORCE_COLOR and not NO_COLOR.
if ((process.env['NO_COLOR'] ?? '') !== '') process.env['FORCE_COLOR'] = '0'

// stderr is closed: there is nowhere to report to.
process.stderr.on('error', () => undefined)
// A reader that has had enough is no failure; a full disk is one.
let broken: string | undefined
process.stdout.on('error', (error: Error & { readonly code?: string }) => {
  if (error.code !== 'EPIPE') broken ??= error.code ?? error.message
})

/** Node lets a write to a terminal wait in the kernel: one that was stopped (Ctrl-S) would keep signals from being heard. */
const doNotBlock = (stream: NodeJS.WriteStream): void => {
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (blocks: boolean) => number } }
  if (stream.isTTY) handle?.setBlocking?.(false)
}
doNotBlock(process.stdout)
doNotBlock(process.stderr)

const reader = { isWaitedFor: true }
const main = async (): Promise<void> => {
  const { commandLine } = await import('./command-line.js')

  const code = await commandLine(process.argv.slice(2), {
    // Opening it makes it non-blocking for every process that shares it: only those who read it do.
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    abandon: () => {
      reader.isWaitedFor = false
    },
    isTerminal: process.stdout.isTTY,
    environment: process.env,
  })
  process.exitCode = code
  const end = (): void => {
    const failed = broken !== undefined && code < 2
    if (failed) process.stderr.write(`mountkeeper: stdout failed (${broken ?? ''}); free disk space\n`)
    process.exit(failed ? 3 : code)
  }
  // A pipe takes what is written when its reader does; only then may the process end, whatever else is still open. What went
  // wrong with it is reported after that.
  if (reader.isWaitedFor) process.stdout.write('', () => setImmediate(end))
  else end()
}

void main()

// A process of another user that exchanges names with each other without pause, until it is stopped.

import { spawn } from 'node:child_process'

/** The user whose process it is. */
export const TENANT = 4242

/** Two names that are exchanged with each other. */
export type Pair = readonly [one: string, other: string]

/** A swapper that runs. */
export interface Swapper {
  /** Ends it; gives how often it has exchanged two names, and how often the kernel has refused that. */
  readonly stop: () => Promise<{ readonly swaps: number; readonly refused: number }>
}

/** renameat2(2) with RENAME_EXCHANGE, by the number that this machine has for it. */
const RENAMEAT2: Readonly<Record<string, number>> = { x64: 316, arm64: 276 }

const SCRIPT = `
  my ($number, @names) = @ARGV;
  my ($swaps, $refused) = (0, 0);
  $SIG{TERM} = sub { print "$swaps $refused\\n"; exit 0 };
  $| = 1;
  print "begun\\n";
  while (1) {
    for (my $at = 0; $at < @names; $at += 2) {
      if (syscall($number, -100, $names[$at], -100, $names[$at + 1], 2) == 0) { $swaps++ } else { $refused++ }
    }
  }`

const AS_TENANT = [`--reuid=${TENANT}`, `--regid=${TENANT}`, '--clear-groups', '--inh-caps=-all', '--']

/** Whether there are a number of the call, the rights to be another user, and perl. */
export const canSwap = process.arch in RENAMEAT2

/** Starts it, and waits until it exchanges. */
export const startSwapper = async (pairs: readonly Pair[]): Promise<Swapper> => {
  const number = String(RENAMEAT2[process.arch])
  const child = spawn('setpriv', [...AS_TENANT, 'perl', '-e', SCRIPT, number, ...pairs.flat()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  const ended = new Promise<void>((settle) => child.once('close', () => settle()))
  await new Promise<void>((settle, fail) => {
    child.once('error', fail)
    void ended.then(() => fail(new Error('the swapper ended before it began')))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('begun\n')) settle()
    })
  })
  return {
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      const [swaps = 0, refused = 0] = said.replace('begun\n', '').trim().split(' ').map(Number)
      return { swaps, refused }
    },
  }
}

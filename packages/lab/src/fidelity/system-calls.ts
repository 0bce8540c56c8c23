// System calls one at a time, with their errno: a long-lived perl does them, at a twentieth of what a command costs and
// without the wording of one. It keeps files open, and its children stand in directories, until the test ends that.

import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'

/** mount(2), umount2(2), unlinkat(2) and renameat2(2), which perl calls by number. */
const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  x64: [165, 166, 263, 316],
  arm64: [40, 39, 35, 276],
  riscv64: [40, 39, 35, 276],
}

/** Why there are no system calls to be had here, if so. */
export const whyNoSystemCalls = (): string | undefined => {
  if (NUMBERS[process.arch] === undefined) return `the numbers of the system calls of ${process.arch} are not known`
  return spawnSync('perl', ['-MFcntl', '-e', '1']).status === 0 ? undefined : 'perl is not there'
}

const PROGRAM = String.raw`
use strict; use warnings; use Fcntl;
$| = 1;
my ($MOUNT, $UMOUNT, $UNLINK, $RENAME) = map { $_ + 0 } @ARGV;
my $AT_FDCWD = -100;
my @held;

sub release {
  my $one = shift;
  if (ref $one) { close $one } else { kill 'KILL', $one; waitpid $one, 0 }
}

sub stand {
  my $path = shift;
  pipe(my $read, my $write) or die $!;
  my $pid = fork;
  if ($pid == 0) {
    close $read;
    ref $_ and close $_ for @held;
    my $errno = chdir($path) ? 0 : $! + 0;
    syswrite $write, "$errno\n";
    close $write;
    sleep 3600 while $errno == 0;
    kill 'KILL', $$;
  }
  close $write;
  my $errno = <$read> + 0;
  close $read;
  if ($errno == 0) { push @held, $pid } else { waitpid $pid, 0 }
  return $errno;
}

my %calls = (
  mount  => sub { my ($path, $type, $source, $flags, $data) = @_;
                  syscall($MOUNT, $source, $path, $type, $flags + 0, $data) == 0 },
  umount => sub { my ($path, $flags) = @_; syscall($UMOUNT, $path, $flags + 0) == 0 },
  mkdir  => sub { mkdir $_[0], 0755 },
  rmdir  => sub { rmdir $_[0] },
  link   => sub { symlink $_[1], $_[0] },
  make   => sub { my $file; sysopen($file, $_[0], O_CREAT | O_EXCL | O_WRONLY) && close $file },
  unlink => sub { my ($path) = @_; syscall($UNLINK, $AT_FDCWD, $path, 0) == 0 },
  rename => sub { my ($from, $to) = @_; syscall($RENAME, $AT_FDCWD, $from, $AT_FDCWD, $to, 1) == 0 },
  open   => sub { my $file; sysopen($file, $_[0], O_RDONLY | O_NONBLOCK) && push @held, $file },
  leave  => sub { @held ? release(shift @held) || 1 : 1 },
);

while (my $line = <STDIN>) {
  chomp $line;
  my ($call, @arguments) = split /\t/, $line, -1;
  $! = 0;
  my $errno = $call eq 'stand' ? stand(@arguments) : $calls{$call}->(@arguments) ? 0 : $! + 0;
  print "$errno\n";
}
release($_) for @held;
`

/** The names of perl's functions. `leave` ends what has been held for longest. */
export type CallName =
  'mount' | 'umount' | 'mkdir' | 'rmdir' | 'link' | 'make' | 'unlink' | 'rename' | 'open' | 'stand' | 'leave'

/** A process that does system calls, one after the other. */
export interface SystemCalls {
  /** The name of the errno; nothing when it succeeded. Arguments hold no tab and no newline. */
  readonly call: (name: CallName, ...args: readonly (string | number)[]) => Promise<string | undefined>
  /** Ends it, and all that it held. */
  readonly end: () => Promise<void>
}

const NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]))

/** Starts the process. */
export const startSystemCalls = (): SystemCalls => {
  const numbers = NUMBERS[process.arch] ?? []
  const perl = spawn('perl', ['-e', PROGRAM, ...numbers.map(String)], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' })
  let waiting: ((line: string) => void)[] = []
  let isGone = false
  createInterface({ input: perl.stdout }).on('line', (line) => waiting.shift()?.(line))
  const ended = new Promise<void>((end) => perl.once('close', () => end()))
  void ended.then(() => {
    isGone = true
    const untold = waiting
    waiting = []
    for (const tell of untold) tell('perl has ended')
  })
  perl.stdin.on('error', () => undefined)
  return {
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (isGone) throw new Error('perl has ended')
        waiting.push((line) => {
          if (!/^\d+$/.test(line)) reject(new Error(`${name} ${args.join(' ')}: ${line}`))
          else resolve(line === '0' ? undefined : (NAMES.get(Number(line)) ?? line))
        })
        perl.stdin.write(`${[name, ...args].join('\t')}\n`)
      }),
    end: () => {
      perl.stdin.end()
      return ended
    },
  }
}

// in-namespace.mjs COMMAND...: runs a command where it may mount and unmount at will. What it mounts is seen by
// no other process, and all it started, FUSE daemons too, ends with it. The command learns from MOUNTKEEPER_NAMESPACE
// what it may do: `root` has the rights of the host's root, `user` only those of a user namespace; and from
// MOUNTKEEPER_NETWORK whether it has a network of its `own`, or the host's, `shared`.
// Where namespaces are refused it says so and ends with 0 without having run the command.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import process from 'node:process'

const OWN = ['--fork', '--pid', '--kill-child', '--propagation', 'private']
const RIGHTS = [
  ...(process.getuid() === 0 ? [['-m', '--mount-proc', ...OWN]] : []),
  ['-Urm', '--mount-proc', ...OWN],
  // A container whose /proc is covered in places refuses a fresh one to a user namespace.
  ['-Urm', ...OWN],
]
// With a network of its own, servers of tests take any port and any address; loopback is all there is.
const WAYS = RIGHTS.flatMap((rights) => [[...rights, '--net'], rights])
const LOOPBACK_UP = 'socket(S,2,2,0) or die $!; $r=pack("a16s","lo",1); ioctl(S,0x8914,$r) or die $!'

const identityMap = () => /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))

const command = process.argv.slice(2)
const way = WAYS.find((options) => spawnSync('unshare', [...options, 'true'], { stdio: 'ignore' }).status === 0)

if (way === undefined) {
  process.stderr.write('SKIPPED: namespaces are refused on this machine, so nothing was mounted and nothing tested.\n')
  process.stderr.write('  To run these tests: as root, or with kernel.unprivileged_userns_clone=1.\n')
} else {
  const right = way[0] === '-m' && identityMap() ? 'root' : 'user'
  // The shell is the namespace's init: it waits for orphans, which would otherwise stay as zombies.
  const network = way.includes('--net') ? 'own' : 'shared'
  const begin = network === 'own' ? `perl -e '${LOOPBACK_UP}'; ` : ''
  const init = ['sh', '-c', `${begin}"$@"; exit $?`, 'sh', ...command]
  const env = { ...process.env, MOUNTKEEPER_NAMESPACE: right, MOUNTKEEPER_NETWORK: network }
  const child = spawn('unshare', [...way, ...init], { stdio: 'inherit', env })
  // unshare ignores SIGINT and SIGTERM; killed, it takes the namespace with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGKILL'))
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}

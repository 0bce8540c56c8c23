// What `mountkeeper doctor` shows: whether this machine is as the manager needs it, each with the fix. Reads only.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import type { SecretSettings } from '@mountkeeper/core'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { Check } from './check.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import { errnoOf } from './descriptor.js'
import { execCheck, rootLockCheck } from './exec-checks.js'
import { holeChecks } from './hole-checks.js'
import { inheritedDescriptors } from './inherited.js'
import { readTable } from './mount-table.js'
import { mountProblem } from './privilege.js'
import { hidesProcesses } from './processes.js'
import type { DirectorySeen } from './roots.js'
import { seeDirectory } from './roots.js'
import { hasSecrets, secretChecks } from './secret-checks.js'
import type { Trust, TrustedOwners } from './trust.js'
import { trustFor } from './trust.js'

/** What is checked. */
export interface CheckOptions {
  readonly roots: readonly string[]
  /** As configured, by the path of a root. */
  readonly trustedOwners?: TrustedOwners
  /** Nothing is said about one where none is configured. */
  readonly stateDirectory?: string | undefined
  /** As in core's settings. */
  readonly secrets?: SecretSettings | undefined
  /** As configured; without one, mounting needs CAP_SYS_ADMIN. */
  readonly prefix?: readonly string[]
  /** As configured: starts mountkeeper-exec, to which roots then belong. */
  readonly exec?: readonly string[]
  /** The user the manager is to run as; that of this process by default. */
  readonly uid?: number
  /** The configured types: known holes are checked of the programs that these run. */
  readonly types?: readonly string[]
  /** The process that is checked for will call `inheritNothing`, as the command does. */
  readonly inheritsNothing?: boolean
}

const ok = (name: string, text: string): Check => ({ name, ok: 'ok', text })
const warn = (name: string, text: string, mend: string): Check => ({ name, ok: 'warn', text, mend })
const fail = (name: string, text: string, mend: string): Check => ({ name, ok: 'fail', text, mend })

/** Longer than any of these commands takes, ms. */
const VERSION_MS = 5_000

type Version = { readonly _tag: 'Version'; readonly text: string } | { readonly _tag: 'None'; readonly why: string }

const run = (vector: readonly string[]): Version => {
  const [file = '', ...args] = vector
  const { error, status, stdout, stderr } = spawnSync(file, args, {
    env: COMMAND_ENVIRONMENT,
    cwd: '/',
    encoding: 'utf8',
    timeout: VERSION_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (error !== undefined) return { _tag: 'None', why: errnoOf(error) }
  if (status !== 0) return { _tag: 'None', why: stderr.split('\n')[0] ?? '' }
  return { _tag: 'Version', text: stdout.split('\n')[0] ?? '' }
}

interface Tool {
  readonly name: string
  readonly args: readonly string[]
  /** What does not work without it, if the rest does. */
  readonly only?: string
  readonly install: string
}

const TOOLS: readonly Tool[] = [
  { name: 'mount', args: ['--version'], install: 'install util-linux (Debian: mount)' },
  { name: 'umount', args: ['--version'], install: 'install util-linux (Debian: mount)' },
  { name: 'mkdir', args: ['--version'], install: 'install coreutils' },
  { name: 'rmdir', args: ['--version'], install: 'install coreutils' },
  { name: 'flock', args: ['--version'], install: 'install util-linux' },
  {
    name: 'stat',
    args: ['--version'],
    only: 'unresponsive filesystems cannot be detected',
    install: 'install coreutils',
  },
  {
    name: 'setpriv',
    args: ['--version'],
    only: 'looks, locks and the shell keep all capabilities',
    install: 'install util-linux',
  },
  { name: 'unshare', args: ['--version'], only: 'there is no sandbox', install: 'install util-linux' },
  {
    name: 'perl',
    args: ['-e', 'printf "perl %vd\\n", $^V'],
    only: 'what others unmount is noticed at an interval (watchIntervalMs)',
    install: 'install perl-base',
  },
  // It has no option that shows its version.
  { name: 'dash', args: ['-c', 'echo dash'], only: 'sh is used in its place', install: 'install dash' },
]

/** Node ends commands by itself, but not those that run with other rights. */
const KILL: Tool = {
  name: 'kill',
  args: ['--version'],
  only: 'commands run with the prefix cannot be ended',
  install: 'install procps',
}

/** Without it no secret is read. */
const PRLIMIT: Tool = { name: 'prlimit', args: ['--version'], install: 'install util-linux' }

const toolCheck = ({ name, args, only, install }: Tool): Check => {
  const version = run([name, ...args])
  if (version._tag === 'Version') return ok(name, version.text)
  const text = `${name} cannot be run (${version.why})`
  return only === undefined ? fail(name, text, install) : warn(name, `${text}: ${only}`, install)
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The identity map is that of the first user namespace: only there do loop and block devices mount. */
const isFirstUserNamespace = (): boolean => /^\s*0\s+0\s+4294967295\s*$/.test(readText('/proc/self/uid_map'))

const privilegeCheck = (uid: number, { prefix = [], exec = [], roots }: CheckOptions): Check => {
  const name = 'privilege'
  if (exec.length > 0) return execCheck(exec, roots)
  if (prefix.length > 0) {
    const version = run([...prefix, 'mount', '--version'])
    if (version._tag === 'Version')
      return ok(name, `uid ${uid}, mount and umount run with ${prefix.join(' ')}: who is this user can be root`)
    const text = `${prefix.join(' ')} does not run mount (${version.why})`
    return fail(name, text, 'allow mount, umount and kill there without a password')
  }
  const problem = mountProblem(uid)
  if (problem !== undefined) {
    const mend = 'run as root, or configure a prefix such as ["sudo", "-n", "--"], or use the sandbox'
    return fail(name, problem, mend)
  }
  if (isFirstUserNamespace()) return ok(name, `uid ${uid} with CAP_SYS_ADMIN`)
  const mend = 'run outside the user namespace to mount loop and block devices'
  return warn(name, `uid ${uid} with CAP_SYS_ADMIN in a user namespace: no loop and block devices`, mend)
}

const PROPAGATION: Readonly<Record<DirectorySeen['propagation'], string | undefined>> = {
  shared: undefined,
  private: 'what is unmounted here stays mounted in namespaces that were copied before',
  slave: 'what is unmounted here stays mounted in the namespace it came from',
  unbindable: 'it cannot be given to containers by a bind mount',
}

const closedToOthers = (name: string, seen: DirectorySeen): Check =>
  (seen.mode & 0o077) === 0
    ? ok(name, `mode ${seen.mode.toString(8)}, closed to others`)
    : warn(name, `mode ${seen.mode.toString(8)}: who can read it can take its lock`, `chmod 0700 ${seen.path}`)

const propagationCheck = (seen: DirectorySeen): Check => {
  const name = `propagation of ${seen.path}`
  const consequence = PROPAGATION[seen.propagation]
  if (consequence === undefined) return ok(name, seen.propagation)
  const mend = `mount --make-shared on the mount that ${seen.path} is on, unless this is wanted`
  return warn(name, `${seen.propagation}: ${consequence}`, mend)
}

const directoryChecks = (role: 'root' | 'state directory', path: string, trust: Trust): readonly Check[] => {
  const name = `${role} ${path}`
  const seen = seeDirectory(role, path, trust)
  if (isLeft(seen)) return [fail(name, seen.left.text.replace(`${name}: `, ''), seen.left.mend)]
  const who = ['root', trust.uid, ...trust.owners].join(' or ')
  const exists = ok(
    name,
    `on ${seen.right.fstype}, of user ${trust.uid}, no link in its path, and only ${who} can change that`,
  )
  const locking = closedToOthers(`lock of ${path}`, seen.right)
  return role === 'root' ? [exists, locking, propagationCheck(seen.right)] : [exists, locking]
}

/** With mountkeeper-exec roots belong to root. */
const rootChecks = (root: string, uid: number, { exec = [], trustedOwners }: CheckOptions): readonly Check[] => {
  if (exec.length === 0) return directoryChecks('root', root, trustFor(uid, trustedOwners, root))
  const checks = directoryChecks('root', root, trustFor(0)).filter(({ name }) => !name.startsWith('lock of '))
  return [...checks, rootLockCheck(root, uid)]
}

const nestingChecks = ({ roots, stateDirectory }: CheckOptions): readonly Check[] => {
  const all = [...roots, ...(stateDirectory === undefined ? [] : [stateDirectory])]
  return all.flatMap((path) =>
    all
      .filter((other) => other !== path && path.startsWith(`${other}/`))
      .map((other) =>
        fail('nesting', `${path} is in ${other}`, 'roots and state directory may not contain one another'),
      ),
  )
}

const namespaceCheck = (): Check => {
  try {
    return ok('mount namespace', `inode ${statSync('/proc/self/ns/mnt').ino}`)
  } catch (error) {
    return fail('mount namespace', `/proc/self/ns/mnt cannot be read (${errnoOf(error)})`, 'mount /proc')
  }
}

/** Whether commands of an earlier life, which run as root, can be seen. */
const processesCheck = (uid: number): Check => {
  const name = 'processes'
  const mend = 'mount /proc with hidepid=0, or make this user a member of the group in its option gid='
  if (hidesProcesses()) {
    return fail(
      name,
      'processes of root are hidden (hidepid), so commands of an earlier life cannot be waited for',
      mend,
    )
  }
  const isAnother = uid !== 0 && uid !== process.geteuid?.()
  if (isAnother && /\bhidepid=(?!0\b|off\b)/.test(procOptions())) {
    return warn(name, `hidepid may hide processes of root from user ${uid}; run doctor as that user`, mend)
  }
  return ok(name, 'processes of root are visible')
}

const procOptions = (): string => /^proc \/proc proc (\S+)/m.exec(readText('/proc/self/mounts'))?.[1] ?? ''

/** Of this process: a service that embeds the manager asks for itself. */
const inheritedCheck = (isClosed: boolean): Check => {
  const name = 'inherited descriptors'
  const inherited = inheritedDescriptors()
  if (inherited.length === 0) return ok(name, 'none that commands and FUSE daemons would get')
  if (isClosed)
    return ok(name, `${inherited.join(', ')}: mountkeeper run closes them, a service calls inheritNothing()`)
  const text = `${inherited.join(', ')} go to each command, and stay open in FUSE daemons`
  return warn(name, text, 'call inheritNothing() before linuxHost(), or start the service without them')
}

const fuseCheck = (): Check => {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return ok('/dev/fuse', 'readable and writable')
  } catch (error) {
    const mend = 'modprobe fuse, or let this user read and write /dev/fuse'
    return warn('/dev/fuse', `${errnoOf(error)}: FUSE filesystems cannot be mounted`, mend)
  }
}

/** From this share of the limit on it is worth a word. */
const MOUNTS_SHARE = 0.8

const mountMaxCheck = (): Check => {
  const max = Number(readText('/proc/sys/fs/mount-max').trim())
  let used = 0
  try {
    used = readTable().text.split('\n').length - 2
  } catch (error) {
    return fail('mount table', `/proc/self/mountinfo cannot be read (${errnoOf(error)})`, 'mount /proc')
  }
  const text = `${used} mounts, at most ${max} in this namespace`
  if (!(max > 0)) return ok('mount table', `${used} mounts`)
  return used < max * MOUNTS_SHARE ? ok('mount table', text) : warn('mount table', text, 'sysctl fs.mount-max=200000')
}

/**
 * Checks this machine: tools and their versions, rights, namespace and propagation, roots, state directory, who can lock
 * them, FUSE, room in the mount table. Blocks for some 30 ms, since it runs each tool once; changes nothing.
 */
export const linuxChecks = (options: CheckOptions): readonly Check[] => {
  const uid = options.uid ?? process.getuid?.() ?? 0
  const prefix = options.prefix ?? []
  return [
    ...[...TOOLS, ...(prefix.length > 0 ? [KILL] : []), ...(hasSecrets(options.secrets) ? [PRLIMIT] : [])].map(
      toolCheck,
    ),
    privilegeCheck(uid, options),
    namespaceCheck(),
    processesCheck(uid),
    inheritedCheck(options.inheritsNothing === true),
    ...options.roots.flatMap((root) => rootChecks(root, uid, options)),
    ...(options.stateDirectory === undefined
      ? []
      : directoryChecks('state directory', options.stateDirectory, trustFor(uid))),
    ...secretChecks(options.secrets, trustFor(uid)),
    ...nestingChecks(options),
    fuseCheck(),
    mountMaxCheck(),
    ...holeChecks({ types: options.types ?? [], prefix: prefix.length > 0 ? prefix : (options.exec ?? []) }),
  ]
}

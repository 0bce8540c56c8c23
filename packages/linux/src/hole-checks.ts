// The doctor's lines about known holes: one for each program that this configuration runs, with the version that is installed.

import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Check } from './check.js'
import { COMMAND_ENVIRONMENT } from './command-environment.js'
import type { Concerns, Hole, HoleProgram, Installed } from './known-holes.js'
import { KNOWN_HOLES, verdictOf, versionIn } from './known-holes.js'

/** How a program is asked for its version, the types that run it, its package in Debian, and the source of that. */
interface Asked {
  readonly vector: readonly string[]
  readonly types: 'all' | 'sudo' | RegExp
  readonly package: string
  readonly sourcePackage: string
}

const PROGRAMS: Readonly<Record<HoleProgram, Asked>> = {
  'util-linux': { vector: ['mount', '--version'], types: 'all', package: 'mount', sourcePackage: 'util-linux' },
  sudo: { vector: ['sudo', '--version'], types: 'sudo', package: 'sudo', sourcePackage: 'sudo' },
  fuse: {
    vector: ['fusermount3', '--version'],
    types: /^(?:fuse(?:\..*)?|sshfs|glusterfs)$/,
    package: 'fuse3',
    sourcePackage: 'fuse3',
  },
  sshfs: { vector: ['sshfs', '--version'], types: /^(?:fuse\.)?sshfs$/, package: 'sshfs', sourcePackage: 'sshfs-fuse' },
  'cifs-utils': {
    vector: ['mount.cifs', '-V'],
    types: /^(?:cifs|smb3)$/,
    package: 'cifs-utils',
    sourcePackage: 'cifs-utils',
  },
  'nfs-utils': {
    vector: ['mount.nfs', '-V'],
    types: /^nfs4?$/,
    package: 'nfs-common',
    sourcePackage: 'nfs-utils',
  },
  glusterfs: {
    vector: ['glusterfs', '--version'],
    types: /^(?:fuse\.)?glusterfs$/,
    package: 'glusterfs-client',
    sourcePackage: 'glusterfs',
  },
}

/** What this configuration is, as far as holes concern it. */
export interface HoleContext {
  readonly types: readonly string[]
  readonly prefix: readonly string[]
}

const LIMIT_MS = 5_000

const said = (vector: readonly string[]): string | undefined => {
  const [file = '', ...args] = vector
  const options = { env: COMMAND_ENVIRONMENT, cwd: '/', encoding: 'utf8', timeout: LIMIT_MS } as const
  const { error, status, stdout, stderr } = spawnSync(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  return error === undefined && status === 0 ? stdout || stderr : undefined
}

const installedOf = ({ vector, package: name }: Asked): Installed | undefined => {
  const version = versionIn(said(vector) ?? '')
  if (version === undefined) return undefined
  const packaged = said(['dpkg-query', '-W', '-f', '${Version}', name])
  return packaged === undefined ? { version } : { version, package: packaged }
}

const isAtLeast = (version: string, other: string): boolean =>
  said(['dpkg', '--compare-versions', version, 'ge', other]) !== undefined

const SETUID = 0o4000

const isSetuid = (path: string): boolean => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & SETUID) !== 0

const IMAGES = /^(?:ext4|xfs|btrfs|squashfs)$/

const CONCERNS: Readonly<Record<Concerns, (context: HoleContext) => boolean>> = {
  'setuid-mount': () => isSetuid('/usr/bin/mount') || isSetuid('/usr/bin/umount'),
  images: ({ types }) => types.some((type) => IMAGES.test(type)),
  sudo: ({ prefix }) => basename(prefix[0] ?? '') === 'sudo',
  type: () => true,
}

const isRun = ({ types }: Asked, context: HoleContext): boolean => {
  if (types === 'all') return true
  return types === 'sudo' ? CONCERNS.sudo(context) : context.types.some((type) => types.test(type))
}

const TRACKER = 'https://security-tracker.debian.org/tracker/source-package'

const fixText = ({ cve, text, fixed }: Hole): string => `${cve} (${text}; fixed in ${fixed.join(' and ')})`

/** One line for a program, with all its holes that are not known to be fixed. */
export const holeCheck = (
  program: HoleProgram,
  installed: Installed,
  holes: readonly Hole[],
  atLeast: (version: string, other: string) => boolean,
): Check => {
  const name = `known holes of ${program}`
  const packaged = installed.package === undefined ? '' : `, package ${installed.package}`
  const at = `${installed.version}${packaged}`
  const judged = holes.map((one) => ({ one, verdict: verdictOf(one, installed, atLeast) }))
  const left = judged.filter(({ verdict }) => verdict !== 'fixed')
  if (left.length === 0) return { name, ok: 'ok', text: `${at}: none of the ${holes.length} that concern this host` }
  const isUnknown = left.every(({ verdict }) => verdict === 'unknown')
  const which = left.map(({ one }) => fixText(one)).join(', ')
  const mend = isUnknown
    ? `see whether this package has the fixes: ${TRACKER}/${PROGRAMS[program].sourcePackage}`
    : `update ${program}`
  return { name, ok: 'warn', text: `${at}: ${isUnknown ? 'unknown: ' : ''}${which}`, mend }
}

/** The checks of all programs that this configuration runs and that are installed. */
export const holeChecks = (context: HoleContext): readonly Check[] =>
  (Object.keys(PROGRAMS) as readonly HoleProgram[]).flatMap((program) => {
    const asked = PROGRAMS[program]
    const holes = KNOWN_HOLES.filter((one) => one.program === program && CONCERNS[one.concerns](context))
    if (!isRun(asked, context) || holes.length === 0) return []
    const installed = installedOf(asked)
    return installed === undefined ? [] : [holeCheck(program, installed, holes, isAtLeast)]
  })

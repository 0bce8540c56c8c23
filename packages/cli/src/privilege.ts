// How an ordinary user comes to run the manager: the sudoers file for mountkeeper-exec, and the lists that it reads. Both are printed,
// for root to read and to install; nothing is written.

import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Configuration } from '@mountkeeper/codec'
import type { Lists } from '@mountkeeper/exec'
import { DEFAULT_LIMITS } from '@mountkeeper/border'
import { LISTS_FILE, PROGRAM_FILE } from '@mountkeeper/exec'
import type { Check } from '@mountkeeper/linux'
import * as E from 'fp-ts/lib/Either.js'
import type { Failure } from 'mountkeeper/parts'
import { usageFailure } from 'mountkeeper/parts'

/** What mountkeeper-exec may do for this configuration, as the text of its file. */
export const listsText = ({ settings }: Configuration): string => {
  const limits = { ...DEFAULT_LIMITS, ...settings.limits }
  const lists: Lists = {
    format: 1,
    roots: settings.roots.map(({ path }) => path),
    suid: settings.policies.suid === 'allow',
    dev: settings.policies.dev === 'allow',
    limits: { mounts: limits.mountpointsPerHost, memoryBytes: limits.memoryBytes },
    types: settings.types,
  }
  return `${JSON.stringify(lists, null, 2)}\n`
}

/** Whether its file says what this configuration says. */
export const listsChecks = (configuration: Configuration): readonly Check[] => {
  if (configuration.adapter.exec.length === 0) return []
  const name = LISTS_FILE
  const mend = `as root: mountkeeper doctor --exec > ${LISTS_FILE}, then chmod 0644 ${LISTS_FILE}`
  try {
    const same = JSON.stringify(JSON.parse(readFileSync(LISTS_FILE, 'utf8'))) === compact(listsText(configuration))
    const text = 'it differs from this configuration'
    return [
      same ? { name, ok: 'ok', text: 'it allows what this configuration allows' } : { name, ok: 'warn', text, mend },
    ]
  } catch {
    return [{ name, ok: 'fail', text: 'it cannot be read', mend }]
  }
}

const compact = (text: string): string => JSON.stringify(JSON.parse(text))

const WHY = `mount, umount and kill in sudoers would make this user root: it could bind any file over any other, as in
"sudo mount --bind /home/me/shadow /etc/shadow", and no sudoers pattern can distinguish a managed root from another path.
Let mountkeeper-exec make the changes instead, which checks each change against lists that only root can write; in the configuration:
  "exec": ["sudo", "-n", "--", "${process.execPath}", "/usr/local/lib/mountkeeper/mountkeeper-exec.cjs"]`

/** Characters that sudoers reads as they stand in a path. */
const PLAIN = /^\/[A-Za-z0-9_./+-]+$/

const userOf = (): string | undefined => {
  const { uid, username } = userInfo()
  if (uid === 0) return undefined
  return /^[a-z_][a-z0-9_-]*$/.test(username) ? username : `#${uid}`
}

const textFor = (user: string, node: string, program: string, roots: readonly string[]): string =>
  [
    `# Lets ${user} start mountkeeper-exec as root, without arguments, and nothing else. It mounts what ${LISTS_FILE} allows.`,
    '# Install it as /etc/sudoers.d/mountkeeper with mode 0440, checked by visudo -c -f. Before that, as root:',
    `#   install -D -m 0644 ${PROGRAM_FILE} ${program}`,
    `#   install -d -m 0755 /etc/mountkeeper && mountkeeper doctor --exec > ${LISTS_FILE} && chmod 0644 ${LISTS_FILE}`,
    ...roots.flatMap((root) => [
      `#   install -d -m 0755 -o root ${root}`,
      `#   install -m 0600 -o ${user.replace('#', '')} /dev/null ${root}/.mountkeeper-lock`,
    ]),
    `Cmnd_Alias MOUNTKEEPER_EXEC = ${node} ${program}`,
    'Defaults!MOUNTKEEPER_EXEC env_reset, !setenv, !requiretty',
    `${user} ALL=(root) NOPASSWD: NOSETENV: MOUNTKEEPER_EXEC`,
    '',
  ].join('\n')

/** The sudoers file that allows to start mountkeeper-exec, and no more; or why there is none. */
export const sudoersText = async ({ settings, adapter }: Configuration): Promise<E.Either<Failure, string>> => {
  const { exec, stateDirectory } = adapter
  if (exec.length === 0) return E.left(usageFailure(WHY))
  const at = exec.indexOf('--')
  const command = exec.slice(at + 1)
  const [node = '', program = ''] = command
  if (exec[0] !== 'sudo' || at < 0 || command.length !== 2 || !command.every((path) => PLAIN.test(path))) {
    return E.left(
      usageFailure('exec has to be ["sudo", "-n", "--", NODE, PROGRAM], both absolute paths of plain characters'),
    )
  }
  const user = userOf() ?? ownerOf(stateDirectory)
  if (user === undefined) return E.left(usageFailure('run it as the user that the manager runs as'))
  const { safePath, trustFor } = await import('@mountkeeper/linux')
  for (const path of command) {
    const safe = safePath(path, trustFor(0))
    if (E.isRight(safe) || (path === program && safe.left._tag === 'Unreached')) continue
    const why = safe.left._tag === 'Unsafe' ? `${safe.left.unsafe.why}; ${safe.left.unsafe.command}` : safe.left.why
    return E.left(usageFailure(`${path} would run as root, and users other than root can change it: ${why}`))
  }
  return E.right(
    textFor(
      user,
      node,
      program,
      settings.roots.map(({ path }) => path),
    ),
  )
}

/** Where root asks: the owner of the state directory is who runs the manager. */
const ownerOf = (stateDirectory: string | undefined): string | undefined => {
  const uid = stateDirectory === undefined ? 0 : (statSync(stateDirectory, { throwIfNoEntry: false })?.uid ?? 0)
  return uid === 0 ? undefined : `#${uid}`
}

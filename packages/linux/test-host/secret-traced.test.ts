// The real helpers of Debian, traced: that they get the secret in the way of the table, up to the system call that uses it, and that no
// command has it among its arguments.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Filesystem, SecretOption } from '@mountkeeper/core'
import { namedOptions, typeRule } from '@mountkeeper/types'
import { describe, expect, test } from 'vitest'
import { execaRunner, linuxHost } from '../src/index.js'
import { NAMESPACE, SOURCE, clear, createWorld, has, hasFuse, prepareWorld } from './world.js'

prepareWorld()

const VARIABLE = 'MOUNTKEEPER_TRACED'

interface Traced {
  readonly type: string
  readonly source: string
  readonly option: string
  /** All that the file or the variable holds. */
  readonly content: string
  /** The secret in it. */
  readonly secret: string
  readonly program: string
  /** What shows in the trace that the helper has it. */
  readonly uses: (trace: string) => string | undefined
}

const mountData = (trace: string): string | undefined =>
  /mount\("[^"]*", "[^"]*", "(?:cifs|ceph)", [A-Z_|]+, "((?:[^"\\]|\\.)*)"\)/.exec(trace)?.[1]

/** What a program reads from its standard input, a byte at a time. */
const readBytes = (trace: string): string =>
  [...trace.matchAll(/read\(0, "((?:[^"\\]|\\.)+)", 1\) += 1/g)].map(([, byte]) => byte ?? '').join('')

const CEPH_KEY = 'AQDQ5ZxiAAAAABAAWd0Wd0Wd0Wd0Wd0Wd0Wd0g=='
const WORD = 'correct horse battery'

const ROWS: readonly Traced[] = [
  {
    ...{ type: 'cifs', source: '//127.0.0.1/share', option: 'credentials', program: 'mount.cifs', secret: WORD },
    content: `username=u\npassword=${WORD}\n`,
    uses: mountData,
  },
  {
    ...{ type: 'cifs', source: '//127.0.0.1/share', option: 'PASSWD', program: 'mount.cifs', secret: WORD },
    content: `${WORD}\n`,
    uses: mountData,
  },
  {
    ...{ type: 'ceph', source: '127.0.0.1:6789:/dir', option: 'secretfile', program: 'mount.ceph', secret: CEPH_KEY },
    content: `${CEPH_KEY}\n`,
    uses: mountData,
  },
  {
    ...{ type: 'fuse.sshfs', source: 'u@127.0.0.1:/export', option: 'password', program: 'sshfs', secret: WORD },
    content: `${WORD}\n`,
    uses: readBytes,
  },
]

const whyNot = ({ type, program }: Traced): string | undefined => {
  if (NAMESPACE !== 'root') return 'the helpers want the rights of root'
  if (process.env['MOUNTKEEPER_NETWORK'] !== 'own') return 'it needs a network namespace of its own'
  if (new RegExp(`\\t${type}$`, 'm').test(readFileSync('/proc/filesystems', 'latin1'))) return `this kernel has ${type}`
  if (type.startsWith('fuse.') && !hasFuse(program)) return 'FUSE cannot be used'
  const absent = [program, 'strace'].filter((each) => !has(each))
  return absent.length === 0 ? undefined : `${absent.join(', ')} is not installed`
}

const KINDS: readonly (readonly [kind: string, option: (name: string, file: string) => SecretOption])[] = [
  ['a file', (name, secretFile) => ({ name, secretFile })],
  ['a variable', (name) => ({ name, secretEnvironment: VARIABLE })],
]

describe('the helper gets the secret', () => {
  for (const row of ROWS) {
    for (const [kind, optionOf] of KINDS) {
      const { type, source, option, content, secret, uses } = row
      const why = whyNot(row)
      const name = `${type} with ${option} in ${kind}`
      if (why !== undefined) {
        process.stderr.write(`SKIPPED: ${name}: ${why}.\n`)
        test.skip(`${name}: not run, since ${why}`)
        continue
      }
      test(name, async () => {
        const directory = mkdtempSync(`${SOURCE}/secret-`)
        const [trace, file] = [join(directory, 'trace'), join(directory, 'secret')]
        writeFileSync(file, content, { mode: 0o600 })
        process.env[VARIABLE] = content
        const world = await createWorld({
          prefix: ['strace', '-f', '-qq', '-s', '4096', '-e', 'trace=mount,execve,read', '-o', trace, '--'],
          types: { [type]: typeRule(type, ['*'], namedOptions(type, [option])) },
          secrets: { directories: [directory], environment: [VARIABLE] },
        })
        await world.make('secret')
        const filesystem: Filesystem = { type, source, options: ['nosuid', 'nodev', optionOf(option, file)] }
        const report = await world.mount('secret', filesystem, 60_000)
        const text = readFileSync(trace, 'utf8')
        expect(uses(text), text).toContain(secret)
        const started = text.split('\n').filter((line) => line.includes('execve('))
        expect(started.length).toBeGreaterThan(0)
        expect(started.filter((line) => line.includes(secret))).toEqual([])
        expect(JSON.stringify(report)).not.toContain(secret)
        process.env[VARIABLE] = ''
        await clear(world, 'secret')
        rmSync(directory, { recursive: true })
      })
    }
  }
})

test('a prefix that resets the environment cannot hand on a variable', async () => {
  const prefix = ['/usr/bin/sudo', '-n', '--']
  const rule = typeRule('cifs', ['*'], namedOptions('cifs', ['PASSWD']))
  const host = linuxHost({ prefix, runner: execaRunner(), types: { cifs: rule } })
  const world = await createWorld()
  await world.make('secret')
  const option: SecretOption = { name: 'PASSWD', secretEnvironment: VARIABLE }
  const report = await host.run({
    ...{ _tag: 'Mount', effect: 1 as never, mountpoint: '/srv/mounts/secret', root: world.root, deadlineMs: 10_000 },
    filesystem: { type: 'cifs', source: '//127.0.0.1/share', options: [option] },
    options: [option],
  })
  expect(report.error?.stderr).toContain('/usr/bin/sudo passes no variable on; give the secret in another way')
  await clear(world, 'secret')
})

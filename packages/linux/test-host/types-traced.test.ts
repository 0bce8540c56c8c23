// NFS, CIFS and ceph, which not every kernel has: the real helpers of Debian are run by this package up to mount(2), traced, and
// what reaches the kernel is compared with the request; what kernels then show is compared with captures that others published.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Filesystem, MountOption } from '@mountkeeper/core'
import { KNOWN_TYPES, namedOptions, typeRule } from '@mountkeeper/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRpc } from './types/rpc.js'
import { NAMESPACE, clear, createWorld, has, prepareWorld, SOURCE } from './world.js'

prepareWorld()

/** One mount(2) that was called. */
interface Call {
  readonly source: string
  readonly target: string
  readonly fstype: string
  readonly data: readonly string[]
  readonly result: string
}

const SAFE = 'MS_NOSUID|MS_NODEV'
const unescaped = (text: string): string => text.replaceAll(/\\(.)/g, '$1')

const callsIn = (trace: string): readonly Call[] =>
  trace.split('\n').flatMap((line) => {
    const text = '"((?:[^"\\\\]|\\\\.)*)"'
    const [, source, target, fstype, flags, data, result] =
      new RegExp(`mount\\(${text}, ${text}, ${text}, ([A-Z_|]+), ${text}\\) = (.*)`).exec(line) ?? []
    if (source === undefined || target === undefined || fstype === undefined || data === undefined) return []
    expect(flags).toBe(SAFE)
    return [{ source, target, fstype, data: unescaped(data).split(','), result: result ?? '' }]
  })

interface Helper {
  readonly type: string
  readonly source: string
  readonly options?: readonly string[]
  /** What reaches the kernel. */
  readonly fstype: string
  readonly data: readonly string[]
  /** The text that stands nowhere but in the call. */
  readonly secret?: string
}

const SECRET = { ceph: 'AQDQ5ZxiAAAAABAAWd0Wd0Wd0Wd0Wd0Wd0Wd0g==', cifs: 'very secret' }

const HELPERS: readonly Helper[] = [
  {
    type: 'nfs4',
    source: '127.0.0.1:/export/a',
    options: ['vers=4.1'],
    fstype: 'nfs4',
    data: ['vers=4.1', 'addr=127.0.0.1', 'clientaddr=127.0.0.1'],
  },
  { type: 'nfs4', source: '127.0.0.1:/export/a/', fstype: 'nfs4', data: ['addr=127.0.0.1', 'clientaddr=127.0.0.1'] },
  {
    type: 'nfs',
    source: '127.0.0.1:/export/a',
    options: ['vers=4.2', 'proto=tcp', 'sec=sys', 'hard', 'timeo=600'],
    fstype: 'nfs',
    data: ['vers=4.2', 'proto=tcp', 'sec=sys', 'hard', 'timeo=600', 'addr=127.0.0.1'],
  },
  {
    type: 'nfs',
    source: '127.0.0.1:/export/a',
    options: ['nfsvers=3', 'nolock'],
    fstype: 'nfs',
    data: ['nolock', 'vers=3', 'addr=127.0.0.1', 'mountvers=3', 'mountport=20048'],
  },
  {
    type: 'cifs',
    source: '//127.0.0.1/share',
    options: ['vers=3.0'],
    fstype: 'cifs',
    data: ['ip=127.0.0.1', 'unc=\\\\127.0.0.1\\share', 'vers=3.0', 'user=u', `pass=${SECRET.cifs}`],
    secret: SECRET.cifs,
  },
  {
    type: 'ceph',
    source: '127.0.0.1:6789:/dir',
    options: ['name=admin'],
    fstype: 'ceph',
    data: ['name=admin', `secret=${SECRET.ceph}`],
    secret: SECRET.ceph,
  },
]

const secretOption = (type: string, directory: string): readonly MountOption[] => {
  if (type === 'cifs') return [{ name: 'credentials', secretFile: join(directory, 'credentials') }]
  if (type === 'ceph') return [{ name: 'secretfile', secretFile: join(directory, 'ceph') }]
  return []
}

const kernelHas = (type: string): boolean =>
  new RegExp(`\\t${type}$`, 'm').test(readFileSync('/proc/filesystems', 'latin1'))

const whyNot = ({ type }: Pick<Helper, 'type'>): string | undefined => {
  if (NAMESPACE !== 'root') return 'the helpers want the rights of root'
  if (process.env['MOUNTKEEPER_NETWORK'] !== 'own') return 'it needs a network namespace of its own'
  if (kernelHas(type)) return `this kernel has ${type}: mount it in earnest`
  const absent = [`mount.${type}`, 'strace'].filter((program) => !has(program))
  return absent.length === 0 ? undefined : `${absent.join(', ')} is not installed`
}

let stop: () => void = () => undefined
beforeAll(async () => {
  if (process.env['MOUNTKEEPER_NETWORK'] === 'own' && NAMESPACE === 'root') stop = await startRpc('127.0.0.1')
})
afterAll(() => {
  stop()
})

describe('what reaches the kernel', () => {
  for (const helper of HELPERS) {
    const { type, source, options = [], fstype, data, secret } = helper
    const why = whyNot(helper)
    const name = `${type} of ${[source, ...options].join(' with ')}`
    if (why !== undefined) {
      process.stderr.write(`SKIPPED: ${name}: ${why}.\n`)
      test.skip(`${name}: not run, since ${why}`)
      continue
    }
    test(name, async () => {
      const directory = mkdtempSync(`${SOURCE}/traced-`)
      const trace = join(directory, 'trace')
      writeFileSync(join(directory, 'credentials'), `username=u\npassword=${SECRET.cifs}\n`, { mode: 0o600 })
      writeFileSync(join(directory, 'ceph'), `${SECRET.ceph}\n`, { mode: 0o600 })
      const world = await createWorld({
        prefix: ['strace', '-f', '-qq', '-s', '4096', '-e', 'trace=mount,chdir', '-o', trace, '--'],
        types: { [type]: typeRule(type, ['*'], namedOptions('ceph', type === 'ceph' ? ['name'] : [])) },
        secrets: { directories: [directory], environment: [] },
      })
      const filesystem: Filesystem = {
        type,
        source,
        options: ['nosuid', 'nodev', ...options, ...secretOption(type, directory)],
      }
      await world.make('traced')
      const report = await world.mount('traced', filesystem, 60_000)
      const text = readFileSync(trace, 'utf8')
      const calls = callsIn(text)
      expect(calls.length, text).toBeGreaterThanOrEqual(1)
      for (const call of calls) {
        expect(call).toMatchObject({ source, fstype, result: expect.stringContaining('ENODEV') as string })
        expect(call.data).toEqual(expect.arrayContaining([...data]))
        // mount.cifs changes to the mountpoint and names that; the others hand on what they were given.
        if (call.target === '.') expect(text).toMatch(/chdir\("[^"]*\/traced"\) += 0/)
        else expect(call.target).toMatch(/\/traced$/)
      }
      expect(report).toMatchObject({ found: { _tag: 'Directory' } })
      expect(report.error?.exitStatus).not.toBe(0)
      if (secret !== undefined) expect(JSON.stringify(report)).not.toContain(secret)
      await clear(world, 'traced')
      rmSync(directory, { recursive: true })
    })
  }
})

interface Capture {
  readonly type: string
  readonly asked?: string
  readonly line: string
  readonly origin: string
}

describe('what kernels show, as others published it', () => {
  const file = new URL('../../../test-fixtures/mountinfo/network-captures.json', import.meta.url)
  const captures = JSON.parse(readFileSync(file, 'utf8')) as readonly Capture[]
  test.each(captures)('$type: $line', ({ type, asked, line }) => {
    const [source = '', , fstype = ''] = line.split(' ')
    const appears = KNOWN_TYPES[type]?.appears
    expect(appears).toMatchObject({ _tag: 'Source', fstypes: expect.arrayContaining([fstype]) as string[] })
    // Such a source is no path of this host: one that is spelled differently is ours, and a warning says so.
    expect(typeRule(type, []).sourceIsPath).toBe(false)
    if (asked !== undefined) expect(source.replace(/\/$/, '')).toBe(asked.replace(/\/$/, ''))
  })
})

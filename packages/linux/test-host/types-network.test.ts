// Types whose data comes from a server, each from a real one: sshfs, and GlusterFS with every spelling of its source.

import { mkdirSync, writeFileSync } from 'node:fs'
import type { Filesystem } from '@mountkeeper/core'
import type { MountManager } from '@mountkeeper/runtime'
import { namedOptions, typeRule } from '@mountkeeper/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Gluster } from './types/gluster.js'
import { ADDRESS, ALSO, startGluster, whyNoGluster } from './types/gluster.js'
import { live, manage } from './types/life.js'
import type { Sftp } from './types/sftp.js'
import { SFTP, startSftp } from './types/sftp.js'
import { has, hasFuse, mountsBelow, prepareWorld, ROOT, SOURCE } from './world.js'

prepareWorld()

let manager: MountManager

/** Without ssh: an administrator has to allow it by name. */
const DIRECT = namedOptions('sshfs', ['directport'])

beforeAll(async () => {
  manager = await manage({
    sshfs: typeRule('sshfs', ['*:/srv/source/*', '*:/srv/source/*/*'], DIRECT),
    'fuse.sshfs': typeRule('fuse.sshfs', ['*:/srv/source/*', '*:/srv/source/*/*'], DIRECT),
    glusterfs: typeRule(
      'glusterfs',
      ['*', '*:/*', '*:/*/*', '*:/*/*/*', '/srv/gluster/'],
      namedOptions('glusterfs', ['backup-volfile-servers']),
    ),
  })
})

afterAll(async () => {
  await manager.stop()
})

const whyNoSshfs = hasFuse('sshfs') && has(SFTP) ? undefined : 'sshfs or sftp-server is missing, or /dev/fuse is closed'
if (whyNoSshfs !== undefined) process.stderr.write(`SKIPPED: ${whyNoSshfs}.\n`)

describe.skipIf(whyNoSshfs !== undefined)(
  `sshfs${whyNoSshfs === undefined ? '' : `: not run, since ${whyNoSshfs}`}`,
  () => {
    let sftp: Sftp
    beforeAll(async () => {
      sftp = await startSftp()
      mkdirSync(`${SOURCE}/sftp`)
      mkdirSync(`${SOURCE}/other`)
      writeFileSync(`${SOURCE}/sftp/who`, 'sftp')
    })
    afterAll(() => {
      sftp.stop()
    })
    const sshfs = (type: string, name: string): Filesystem => ({
      type,
      source: `127.0.0.1:${SOURCE}/${name}`,
      options: [`directport=${sftp.port}`],
    })
    for (const type of ['sshfs', 'fuse.sshfs']) {
      for (const name of ['sftp', 'sftp/']) {
        test(`as ${type}, of ${name}: shown as asked`, async () => {
          await live(manager, 'ssh', {
            filesystem: sshfs(type, name),
            file: ['who', 'sftp'],
            fstype: 'fuse.sshfs',
            source: `127.0.0.1:${SOURCE}/${name}`,
            others: [sshfs(type, 'other')],
          })
        })
      }
    }
  },
)

const whyNot = whyNoGluster()
if (whyNot !== undefined) process.stderr.write(`SKIPPED: ${whyNot}.\n`)

/** Each spelling of a source, how the table shows it, and what it opens. */
const SPELLINGS: readonly {
  readonly source: string
  readonly shown: string
  readonly file: readonly [string, string]
  readonly options?: readonly string[]
}[] = [
  { source: `${ADDRESS}:/vol`, shown: `${ADDRESS}:/vol`, file: ['who', 'top'] },
  { source: `${ADDRESS}:vol`, shown: `${ADDRESS}:vol`, file: ['who', 'top'] },
  { source: `${ADDRESS}:/vol/sub`, shown: `${ADDRESS}:/vol/sub`, file: ['who', 'sub'] },
  { source: `${ADDRESS}:/vol/sub/`, shown: `${ADDRESS}:/vol/sub/`, file: ['who', 'sub'] },
  { source: `${ADDRESS}:/vol/`, shown: `${ADDRESS}:/vol`, file: ['who', 'top'] },
  { source: `${ADDRESS},${ALSO}:/vol`, shown: `${ADDRESS}:/vol`, file: ['who', 'top'] },
  {
    source: `${ADDRESS}:/vol`,
    options: [`backup-volfile-servers=${ALSO}`],
    shown: `${ADDRESS}:/vol`,
    file: ['who', 'top'],
  },
]

describe.skipIf(whyNot !== undefined)(`GlusterFS${whyNot === undefined ? '' : `: not run, since ${whyNot}`}`, () => {
  let server: Gluster
  beforeAll(async () => {
    server = await startGluster('vol')
    writeFileSync(`${server.brick}/who`, 'top')
    mkdirSync(`${server.brick}/sub`)
    writeFileSync(`${server.brick}/sub/who`, 'sub')
  })
  afterAll(async () => {
    await server.stop()
  })
  const glusterfs = (source: string, options: readonly string[] = []): Filesystem => ({
    type: 'glusterfs',
    source,
    options,
  })
  for (const { source, shown, file, options = [] } of SPELLINGS) {
    test(`of ${[source, ...options].join(' with ')}: shown as ${shown}`, async () => {
      await live(manager, 'gluster', {
        filesystem: glusterfs(source, options),
        file,
        fstype: 'fuse.glusterfs',
        source: shown,
        warnings: source === shown ? [] : ['SourceSpelledDifferently'],
        others: [glusterfs(`${ADDRESS}:/other`)],
      })
    })
  }
  test('of a volume file', async () => {
    await live(manager, 'gluster', {
      filesystem: glusterfs(server.volumeFile),
      file: ['who', 'top'],
      fstype: 'fuse.glusterfs',
      source: /./,
      warnings: ['SourceSpelledDifferently'],
      others: [glusterfs(`${ADDRESS}:/vol`)],
    })
  })
  test('of a volume that is not there: refused, and nothing stays', async () => {
    const filesystem = glusterfs(`${ADDRESS}:/other`)
    const request = { op: 'attach', mountpoint: `${ROOT}/gluster`, filesystem, volume: 'v', consumer: 'c' } as const
    expect(await manager.submit(request)).toMatchObject({ ok: false, error: { _tag: 'MountFailed' } })
    expect(mountsBelow(ROOT)).toEqual([])
  })
})

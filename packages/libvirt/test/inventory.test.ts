// A whole inventory, asked of programs that answer as the test says.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, describe, expect, test } from 'vitest'
import { libvirtInventory } from '../src/index.js'
import type { Said } from './fake-virsh.js'
import { UUID, domainWith, fakeVirsh, fixture, options, program, uuidOf } from './fake-virsh.js'

const LIST = 'list --all --uuid'
const both = (uuid: string, xml: Said | readonly Said[]) => ({
  [`dumpxml ${uuid}`]: xml,
  [`dumpxml --inactive ${uuid}`]: xml,
})
const ask = (path: string, limitMs = 10_000) => libvirtInventory(options({ program: path })).ask(limitMs)()
const files = async (path: string): Promise<readonly string[]> => {
  const asked = await ask(path)
  if (asked._tag === 'Left') throw new Error(asked.left.why)
  return asked.right.files.map((file) => `${file.consumer.slice(0, 8)} ${file.volume} ${file.path}`)
}
const whyNot = async (path: string, limitMs?: number): Promise<string> => {
  const asked = await ask(path, limitMs)
  return asked._tag === 'Left' ? asked.left.why.replace('libvirt at qemu:///system: ', '') : 'answered'
}

const [ONE, TWO] = [uuidOf(1), uuidOf(2)]

describe('a complete answer', () => {
  test.each(['as virsh', 'without readline', 'in pieces'] as const)(
    '%s: live and inactive disks, pools',
    async (how) => {
      const before = Date.now()
      const path = fakeVirsh(
        {
          [LIST]: `${UUID}\n\n`,
          [`dumpxml ${UUID}`]: fixture('running.xml'),
          [`dumpxml --inactive ${UUID}`]: fixture('stopped.xml'),
          'pool-dumpxml default': fixture('pool-dir.xml'),
        },
        how,
      )
      expect(await files(path)).toEqual([
        '11111111 vol-1 /srv/mounts/a b/x & "y" é.img',
        '11111111 file:disk.snap1 /srv/mounts/b/disk.snap1',
        '11111111 file:disk.snap1 /srv/mounts/b/disk.qcow2',
        '11111111 file:disk.snap1 /srv/mounts/base/os.img',
        '11111111 file:disk.snap1 /srv/mounts/c/disk.copy',
        '11111111 file:v1.img /srv/mounts/pool/v1.img',
        '11111111 vol-1 /srv/mounts/a b/x & "y" é.img',
        '11111111 file:at-next-start.img /srv/mounts/next/at-next-start.img',
      ])
      const asked = await ask(path)
      expect(asked._tag === 'Right' && asked.right.startedAt >= before && asked.right.startedAt <= Date.now()).toBe(
        true,
      )
    },
  )

  test('no domains, and nothing complained of, is nothing in use', async () => {
    expect(await files(fakeVirsh({ [LIST]: '\n' }))).toEqual([])
  })

  test('volumes of a pool of no files are in no file', async () => {
    const script = {
      [LIST]: UUID,
      ...both(UUID, fixture('running.xml')),
      'pool-dumpxml default': fixture('pool-logical.xml'),
    }
    expect((await files(fakeVirsh(script))).filter((line) => line.includes('v1'))).toEqual([])
  })

  test('a domain that went while it was asked for is not in it, one that came is', async () => {
    const script = {
      [LIST]: [`${ONE}\n`, `${TWO}\n`],
      ...both(ONE, { error: 'gone' }),
      ...both(TWO, domainWith(TWO, '/m/2')),
    }
    expect(await files(fakeVirsh(script))).toEqual(Array(2).fill('00000002 file:2 /m/2'))
  })

  test('a domain that answered and went is not in it', async () => {
    const script = { [LIST]: [`${ONE}\n`, ''], ...both(ONE, domainWith(ONE, '/m/1')) }
    expect(await files(fakeVirsh(script))).toEqual([])
  })

  test('a domain that gave no XML and is still there is asked again', async () => {
    const script = {
      [LIST]: `${ONE}\n${TWO}\n`,
      ...both(ONE, [{ error: 'not now' }, domainWith(ONE, '/m/1')]),
      ...both(TWO, domainWith(TWO, '/m/2')),
    }
    expect([...(await files(fakeVirsh(script)))].sort()).toEqual([
      ...Array<string>(2).fill('00000001 file:1 /m/1'),
      ...Array<string>(2).fill('00000002 file:2 /m/2'),
    ])
  })
})

describe('anything else is a failure, never nothing in use', () => {
  const failing = (said: Said): string => fakeVirsh({ [LIST]: said })

  test.each([
    ['a list that failed', failing({ error: 'lost' }), 'the domains cannot be listed: lost'],
    ['a list of something else', failing(' Id   Name\n---\n'), 'in the list of domains stands no UUID: "Id   Name"'],
    ['a list that was cut', failing(UUID.slice(0, 20)), 'in the list of domains stands no UUID'],
    ['nothing', program('exit 0'), 'virsh ended with 0 and without a word'],
    ['a refusal', program('echo "error: no socket" >&2; exit 1'), 'virsh ended with 1: no socket'],
    ['garbage', program('head -c 100000 /dev/zero; exit 0'), 'virsh ended with 0'],
    ['no UTF-8', program("printf 'virsh > \\377\\376'; sleep 5"), 'virsh answers with what is no UTF-8'],
    ['no program', '/nowhere/virsh', 'virsh ended with 127: '],
    ['a program that is killed', program('kill -9 $$'), 'virsh was ended by SIGKILL'],
    [
      'a domain that never gives its XML',
      fakeVirsh({ [LIST]: ONE, ...both(ONE, { error: 'denied' }) }),
      `domain ${ONE} is listed and gives no XML: denied`,
    ],
    [
      'an XML that is cut',
      fakeVirsh({ [LIST]: ONE, ...both(ONE, domainWith(ONE, '/m/1').slice(0, 60)) }),
      `the XML of domain ${ONE} cannot be understood: it is no XML`,
    ],
    [
      'the XML of another domain',
      fakeVirsh({ [LIST]: ONE, ...both(ONE, domainWith(TWO, '/m/1')) }),
      `the XML of domain ${ONE} cannot be understood: it is that of "${TWO}"`,
    ],
    [
      'a pool without XML',
      fakeVirsh({ [LIST]: UUID, ...both(UUID, fixture('running.xml')), 'pool-dumpxml default': { error: 'no pool' } }),
      'a disk is in the pool default, which gives no XML: no pool',
    ],
    [
      'a pool with an odd name',
      fakeVirsh({ [LIST]: UUID, ...both(UUID, fixture('running.xml').replace("'default'", "'a b'")) }),
      'a disk is in the pool "a b", whose name cannot be passed to virsh',
    ],
    [
      'a process that dies in the middle',
      fakeVirsh({ [LIST]: ONE, [`dumpxml ${ONE}`]: domainWith(ONE, '/m/1') }),
      'virsh ended with 7',
    ],
  ])('%s', async (_name, path, why) => {
    expect(await whyNot(path)).toContain(why)
  })

  test('an answer that is cut anywhere', async () => {
    const whole = `virsh > ${LIST}\n${UUID}\nvirsh > echo`
    for (const length of [8, 20, whole.length - 20, whole.length]) {
      const path = program(`printf '%s' '${whole.slice(0, length)}'; exit 0`)
      expect(await whyNot(path)).toBe('virsh ended with 0 and without a word')
    }
  })
})

describe('the limit', () => {
  const pidFile = `${tmpdir()}/mountkeeper-virsh-${process.pid}`
  const isAlive = (pid: string): boolean => spawnSync('kill', ['-0', pid]).status === 0
  afterEach(() => {
    if (existsSync(pidFile)) writeFileSync(pidFile, '')
  })

  test.each([
    ['hangs', 'sleep 60', 'virsh gave no answer within 300 ms'],
    ['hangs and hears no TERM', "trap '' TERM; sleep 60 & wait; sleep 60 & wait", 'virsh gave no answer within 300 ms'],
    ['takes all and says nothing', 'cat >/dev/null', 'virsh gave no answer within 300 ms'],
    ['only repeats', 'cat', 'virsh gave no answer within 300 ms'],
    ['is slow', 'while :; do echo; sleep 0.05; done', 'virsh gave no answer within 300 ms'],
  ])('is kept by a virsh that %s, and nothing of it stays', async (_name, script, why) => {
    const path = program(`echo $$ > ${pidFile}; ${script}`)
    const began = performance.now()
    expect(await whyNot(path, 300)).toBe(why)
    expect(performance.now() - began).toBeLessThan(3_000)
    const pid = readFileSync(pidFile, 'utf8').trim()
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
  })

  test('of the port is kept even where the discovery has longer', async () => {
    const path = program('sleep 60')
    const asked = await libvirtInventory(options({ program: path, limitMs: 200 })).ask(60_000)()
    expect(asked).toMatchObject({ left: { why: 'libvirt at qemu:///system: virsh gave no answer within 200 ms' } })
  })
})

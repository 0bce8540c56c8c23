// The real virsh, with the test driver of libvirt: no daemon, a thousand domains out of one file.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, describe, expect, test } from 'vitest'
import type { InventoryNews } from '@mountkeeper/runtime'
import { libvirtInventory } from '../src/index.js'
import { options, program, uuidOf } from './fake-virsh.js'

const VIRSH = '/usr/bin/virsh'
const isHere = existsSync(VIRSH)
const skipped = isHere ? '' : `: skipped, since ${VIRSH} is not installed`

const folder = mkdtempSync(`${tmpdir()}/mountkeeper-driver-`)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const domain = (number: number, disks: string): string =>
  `<domain type='test'><name>d${number}</name><uuid>${uuidOf(number)}</uuid><memory>1024</memory>` +
  `<os><type>hvm</type></os><devices>${disks}</devices></domain>\n`

const uriOf = (name: string, domains: readonly string[], pools = ''): string => {
  writeFileSync(`${folder}/${name}`, `<node>${domains.join('')}${pools}</node>`)
  return `test://${folder}/${name}`
}

describe(`the test driver${skipped}`, () => {
  test.skipIf(!isHere)(
    'a thousand domains, one process',
    async () => {
      const disk = (number: number): string =>
        `<disk type='file'><source file='/srv/mounts/m${number % 50}/d${number}.img'/><target dev='vda'/><serial>vol-${number}</serial></disk>`
      const count = 1_000
      const uri = uriOf(
        'thousand.xml',
        Array.from({ length: count }, (_, number) => domain(number, disk(number))),
      )
      const processes = `${folder}/processes`
      const counting = program(`echo $$ >> ${processes}\nexec ${VIRSH} "$@"`)
      const asked = await libvirtInventory(options({ uri, limitMs: 50_000, program: counting })).ask(50_000)()
      if (asked._tag === 'Left') throw new Error(asked.left.why)
      expect(asked.right.files).toHaveLength(2 * count)
      const seen = new Set(asked.right.files.map(({ path, volume, consumer }) => `${consumer} ${volume} ${path}`))
      expect(seen).toEqual(
        new Set(Array.from({ length: count }, (_, n) => `${uuidOf(n)} vol-${n} /srv/mounts/m${n % 50}/d${n}.img`)),
      )
      expect(readFileSync(processes, 'utf8').trim().split('\n')).toHaveLength(1)
    },
    60_000,
  )

  test.skipIf(!isHere)('paths as they are; disks that are no files are none', async () => {
    const names = ['a b', 'x &amp; y', '&quot;z&quot;', 'it&apos;s', 'été', '&lt;1&gt;', 'virsh > ', '$(id)', '日本']
    const disks = names
      .map(
        (name, index) => `<disk type='file'><source file='/m/${name}'/><target dev='vd${'abcdefghi'[index]!}'/></disk>`,
      )
      .join('')
    const others =
      `<disk type='block'><source dev='/dev/sda'/><target dev='vdj'/></disk>` +
      `<disk type='file' device='cdrom'><target dev='hda' bus='ide'/></disk>` +
      `<disk type='network'><source protocol='nbd' name='x'><host name='h'/></source><target dev='vdk'/></disk>`
    const asked = await libvirtInventory(options({ uri: uriOf('odd.xml', [domain(1, disks + others)]) })).ask(10_000)()
    if (asked._tag === 'Left') throw new Error(asked.left.why)
    expect([...new Set(asked.right.files.map(({ path }) => path))]).toEqual(
      ['a b', 'x & y', '"z"', "it's", 'été', '<1>', 'virsh > ', '$(id)', '日本'].map((name) => `/m/${name}`),
    )
  })

  test.skipIf(!isHere)('volumes of a pool, by the directory of the pool', async () => {
    const disk = `<disk type='volume'><source pool='images' volume='v 1.img'/><target dev='vda'/></disk>`
    const pool = `<pool type='dir'><name>images</name><target><path>/srv/mounts/p</path></target></pool>`
    const of = (uri: string) => libvirtInventory(options({ uri })).ask(10_000)()
    expect(await of(uriOf('pool.xml', [domain(1, disk)], pool))).toMatchObject({
      right: { files: Array(2).fill({ path: '/srv/mounts/p/v 1.img', volume: 'file:v 1.img', consumer: uuidOf(1) }) },
    })
    expect(await of(uriOf('no-pool.xml', [domain(1, disk)]))).toMatchObject({
      left: { why: expect.stringContaining('a disk is in the pool images, which gives no XML') as string },
    })
  })

  test.skipIf(!isHere)('no domains are nothing in use, no libvirt is a failure', async () => {
    const of = (uri: string) => libvirtInventory(options({ uri })).ask(10_000)()
    expect(await of(uriOf('empty.xml', []))).toMatchObject({ right: { files: [] } })
    expect(await of(`test://${folder}/none.xml`)).toMatchObject({
      left: { why: expect.stringContaining('virsh ended with 1') as string },
    })
  })

  test.skipIf(!isHere)('is back at once, and lost when its virsh is ended', async () => {
    const pid = `${folder}/pid`
    const uri = uriOf('watched.xml', [domain(1, '')])
    const noted = program(`echo $$ > ${pid}\nexec ${VIRSH} "$@"`)
    const heard: InventoryNews[] = []
    const stop = libvirtInventory(options({ uri, keepaliveSeconds: 0, program: noted })).watch((news) =>
      heard.push(news),
    )
    await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(1)
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL')
    await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(3)
    stop()
    expect(heard).toEqual([
      { _tag: 'Back' },
      { _tag: 'Lost', why: `libvirt at ${uri}: virsh was ended by SIGKILL and without a word` },
      { _tag: 'Back' },
    ])
  })
})

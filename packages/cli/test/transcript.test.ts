// The transcript, to the letter, with colours off; and with them on, that nothing but colour is added.

import { describe, expect, test } from 'vitest'
import { attach, detach, drive, frozen, streamsWith } from './drive.js'

const told = async (
  lines: readonly (string | object)[],
  options: Parameters<typeof drive>[0] = {},
  before: (run: ReturnType<typeof drive>) => void = () => undefined,
): Promise<readonly string[]> => {
  const run = drive({ output: 'transcript', timers: frozen(), ...options })
  before(run)
  run.send(...lines)
  run.end()
  await run.exit
  return run.streams.stdout.text().trimEnd().split('\n')
}

const SHARED = [
  attach('1'),
  { ...attach('2'), volume: 'vol 2' },
  detach('3', '1'),
  { op: 'release', id: '4', consumer: 'vm-2' },
]

describe('a transcript', () => {
  test.each([
    [false, 3],
    [true, 0],
  ])(
    'of a private root, in a sandbox: %s: says of host-up, detach and release what stays elsewhere',
    async (is, said) => {
      const lines = await told([...SHARED, attach('5'), detach('6', '5')], { isSandbox: is }, ({ host }) => {
        host.propagation = 'private'
      })
      expect(lines.filter((line) => line.includes('warning: /srv/mounts is '))).toHaveLength(said)
    },
  )

  test('shows request, effects with their commands, what was found, and the answer', async () => {
    expect(await told(SHARED)).toEqual([
      'host-up  /srv/mounts',
      '    <1 ms  discover     1 root, 0 mountpoints',
      '    <1 ms  ✓ up         generation 1',
      '',
      '1  attach  /srv/mounts/a  tmpfs scratch  vol-1 for vm-1',
      '    <1 ms  look         nothing is there',
      '     2 ms  make         $ mkdir -m 0700 -- /srv/mounts/a',
      '                        a directory, nothing mounted',
      '     2 ms  mount        $ mount -t tmpfs -o nosuid,nodev,size=16m,nr_inodes=4096 -- scratch /srv/mounts/a',
      '                        tmpfs scratch (rw,nosuid,nodev)',
      '    <1 ms  ✓ attached   mounted; instance 1 of generation 1',
      '',
      '2  attach  /srv/mounts/a  tmpfs scratch  "vol 2" for vm-2',
      '    <1 ms  look         tmpfs scratch (rw,nosuid,nodev)',
      '    <1 ms  ✓ attached   shared; instance 1 of generation 1',
      '',
      '3  detach  /srv/mounts/a  vol-1 for vm-1',
      '    <1 ms  ✓ detached   stays mounted: 1 holder left',
      '',
      '4  release  vm-2',
      '    <1 ms  look         tmpfs scratch (rw,nosuid,nodev)',
      '     2 ms  unmount      $ umount -- /srv/mounts/a',
      '                        a directory, nothing mounted',
      '     2 ms  remove       $ rmdir -- /srv/mounts/a',
      '                        nothing is there',
      '    <1 ms  ✓ released   1 attachment',
      '                        /srv/mounts/a "vol 2": unmounted, directory removed',
      '',
      '4 requests, all ok; 1 mount, 1 unmount; <1 ms',
      'nothing is left: no mount, no directory, no process',
    ])
  })

  test('shows failures with what the command said, and what is left', async () => {
    const lines = await told([attach('1', 'a', 'bad'), attach('2', 'b'), 'oops'], {}, ({ host }) =>
      host.failing.add('bad'),
    )
    expect(lines.slice(4)).toEqual([
      '1  attach  /srv/mounts/a  tmpfs bad  vol-1 for vm-1',
      '    <1 ms  look         nothing is there',
      '     2 ms  make         $ mkdir -m 0700 -- /srv/mounts/a',
      '                        a directory, nothing mounted',
      '     2 ms  mount        $ mount -t tmpfs -o nosuid,nodev,size=16m,nr_inodes=4096 -- bad /srv/mounts/a',
      '                        exit 32: mount: unknown filesystem type.',
      '                        a directory, nothing mounted',
      '     2 ms  remove       $ rmdir -- /srv/mounts/a',
      '                        nothing is there',
      expect.stringMatching(/^ {4}<1 ms {2}✗ refused {4}MountFailed: /),
      '',
      '2  attach  /srv/mounts/b  tmpfs scratch  vol-2 for vm-2',
      '    <1 ms  look         nothing is there',
      '     2 ms  make         $ mkdir -m 0700 -- /srv/mounts/b',
      '                        a directory, nothing mounted',
      '     2 ms  mount        $ mount -t tmpfs -o nosuid,nodev,size=16m,nr_inodes=4096 -- scratch /srv/mounts/b',
      '                        tmpfs scratch (rw,nosuid,nodev)',
      '    <1 ms  ✓ attached   mounted; instance 1 of generation 1',
      '',
      'line 3',
      '    <1 ms  ✗ refused    Invalid: not JSON at character 1: expected a value, got "o"',
      '',
      '3 requests, 1 ok, 2 refused; 1 mount, 0 unmounts; <1 ms',
      'left as they are: 1 mountpoint',
    ])
  })

  test('keeps blocks whole when requests are served together', async () => {
    const run = drive({ output: 'transcript', timers: frozen(), concurrent: true })
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'), attach('2', 'b'))
    run.end()
    await run.untilShown('2  attach')
    run.host.letGo('slow')
    expect(await run.exit).toBe(0)
    const lines = run.streams.stdout.text().split('\n')
    const titles = lines.filter((line) => /^\S/.test(line)).slice(0, 3)
    expect(titles).toEqual([
      'host-up  /srv/mounts',
      '2  attach  /srv/mounts/b  tmpfs scratch  vol-2 for vm-2',
      '1  attach  /srv/mounts/a  tmpfs slow  vol-1 for vm-1',
    ])
    expect(
      lines
        .filter((line) => line.includes('/srv/mounts/b'))
        .every((line) => lines.indexOf(line) < lines.indexOf(titles[2]!)),
    ).toBe(true)
  })

  test('goes on with a block that another one has interrupted', async () => {
    const run = drive({ output: 'transcript', timers: frozen() })
    run.host.hold('slow')
    run.send(attach('1', 'a', 'slow'))
    await run.host.held('slow')
    run.send({ op: 'cancel', id: 'c', target: 'unknown' })
    await run.untilShown('c  cancel')
    run.host.letGo('slow')
    run.end()
    expect(await run.exit).toBe(1)
    const titles = run.streams.stdout
      .text()
      .split('\n')
      .filter((line) => /^[^ ]/.test(line))
    expect(titles.slice(1, 4)).toEqual([
      '1  attach  /srv/mounts/a  tmpfs slow  vol-1 for vm-1',
      'c  cancel  unknown',
      '1  attach  /srv/mounts/a  tmpfs slow  vol-1 for vm-1 (continued)',
    ])
  })

  test('lets nothing of a request act on the terminal', async () => {
    const lines = await told([{ ...attach('1'), id: '\u001b[2J', consumer: 'a\u202eb' }])
    expect(lines.join('\n')).not.toMatch(/[\u001b\u202e]/)
    expect(lines).toContain(String.raw`"\u001b[2J"  attach  /srv/mounts/a  tmpfs scratch  vol-1 for "a\u202eb"`)
  })
})

describe('colours', () => {
  const ANSI = /\u001b\[\d+m/g

  test('add nothing but colour', async () => {
    const plain = await told(SHARED)
    const coloured = await told(SHARED, { streams: streamsWith({}, true) })
    expect(coloured.join('\n')).toMatch(ANSI)
    expect(coloured.map((line) => line.replaceAll(ANSI, ''))).toEqual(plain)
  })

  test.each([
    ['not a terminal', streamsWith({}, false)],
    ['NO_COLOR', streamsWith({ NO_COLOR: '1' }, true)],
    ['a dumb terminal', streamsWith({ TERM: 'dumb' }, true)],
  ])('are off: %s', async (_, streams) => {
    expect((await told(SHARED, { streams })).join('\n')).not.toMatch(ANSI)
  })

  test('an empty NO_COLOR says nothing', async () => {
    expect((await told(SHARED, { streams: streamsWith({ NO_COLOR: '' }, true) })).join('\n')).toMatch(ANSI)
  })
})

// The table of bad input: each gives one clear error that names the field or the line and what would be right; nothing is
// run for it, and the next request is served.

import { describe, expect, test } from 'vitest'
import { attach, detach, drive } from './drive.js'

const good = attach('1') as Record<string, unknown>
const { mountpoint: _mountpoint, ...noMountpoint } = good
const filesystem = good['filesystem'] as Record<string, unknown>

const with_ = (patch: object): object => ({ ...good, ...patch })
const onto = (mountpoint: unknown): object => with_({ mountpoint })
const of = (patch: object): object => with_({ filesystem: { ...filesystem, ...patch } })
const without = (key: string): object => Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))
const withoutIn = (key: string): object =>
  with_({ filesystem: Object.fromEntries(Object.entries(filesystem).filter(([name]) => name !== key)) })

const long = 'x'.repeat(256)

const ROWS: readonly (readonly [name: string, line: string | object, field: string, why: string | RegExp])[] = [
  ['no op', without('op'), 'op', 'missing; expected'],
  ['no mountpoint', noMountpoint, 'mountpoint', 'missing; expected a string'],
  ['no filesystem', without('filesystem'), 'filesystem', 'missing; expected'],
  ['no volume', without('volume'), 'volume', 'missing; expected a string'],
  ['no consumer', without('consumer'), 'consumer', 'missing; expected a string'],
  ['no type', withoutIn('type'), 'filesystem.type', 'missing; expected a string'],
  ['no source', withoutIn('source'), 'filesystem.source', 'missing; expected a string'],
  ['no options', withoutIn('options'), 'filesystem.options', 'missing; expected a list'],
  ['an unknown op', with_({ op: 'atach' }), 'op', 'did you mean "attach"?'],
  ['a mountpoint that is a number', onto(7), 'mountpoint', 'expected a string, got 7'],
  ['a filesystem that is text', with_({ filesystem: 'tmpfs' }), 'filesystem', 'got "tmpfs"'],
  ['options that are text', of({ options: 'ro' }), 'filesystem.options', 'expected a list, got "ro"'],
  ['an option that is a number', of({ options: [3] }), 'filesystem.options[0]', 'got 3'],
  ['a volume that is null', with_({ volume: null }), 'volume', 'expected a string, got null'],
  ['an id that is a number', with_({ id: 5 }), 'id', 'expected a string, got 5'],
  ['a deadline that is text', with_({ deadlineMs: '5' }), 'deadlineMs', 'a whole number of ms'],
  ['a deadline of nothing', with_({ deadlineMs: 0 }), 'deadlineMs', 'from 1 to'],
  ['a misspelt key', { ...noMountpoint, mountPoint: '/srv/mounts/a' }, 'mountPoint', 'did you mean "mountpoint"?'],
  ['a key that means nothing', with_({ color: 'red' }), 'color', 'unknown key'],
  ['a key in the filesystem', of({ label: 'x' }), 'filesystem.label', 'unknown key'],
  ['an empty mountpoint', onto(''), 'mountpoint', 'is empty'],
  ['an empty volume', with_({ volume: '' }), 'volume', 'is empty'],
  ['an empty consumer', with_({ consumer: '' }), 'consumer', 'is empty'],
  ['an empty id', with_({ id: '' }), 'id', 'is empty'],
  ['an empty type', of({ type: '' }), 'filesystem.type', 'is empty'],
  ['an empty source', of({ source: '' }), 'filesystem.source', 'is empty'],
  ['an empty option', of({ options: [''] }), 'filesystem.options[0]', 'is empty'],
  ['a component that is too long', onto(`/srv/mounts/${long}`), 'mountpoint', 'more than 255 bytes'],
  ['a path that is too long', onto(`/srv/mounts${'/xxxxxxx'.repeat(600)}`), 'mountpoint', 'longer than 4095 bytes'],
  ['a volume that is too long', with_({ volume: long }), 'volume', 'longer than 255 bytes'],
  ['a consumer that is too long', with_({ consumer: long }), 'consumer', 'longer than 255 bytes'],
  ['an id that is too long', with_({ id: long }), 'id', 'longer than 255 bytes'],
  ['too many options', of({ options: Array.from({ length: 65 }, () => 'ro') }), 'filesystem.options', 'more than 64'],
  ['NUL in the mountpoint', onto('/srv/mounts/a\0b'), 'mountpoint', 'control character'],
  ['a newline in the mountpoint', onto('/srv/mounts/a\nb'), 'mountpoint', 'control character'],
  ['NUL in the source', of({ source: 'a\0b' }), 'filesystem.source', 'control character'],
  ['a newline in an option', of({ options: ['size=1m\nro'] }), 'filesystem.options[0]', 'control character'],
  ['a newline in the consumer', with_({ consumer: 'a\nb' }), 'consumer', 'control character'],
  ['half a surrogate pair', with_({ consumer: 'a\ud800' }), 'consumer', 'Unicode'],
  ['a right-to-left override in the mountpoint', onto('/srv/mounts/a\u202eb'), 'mountpoint', 'U+202E at position 13'],
  ['a joiner in the volume', with_({ volume: 'a\u200db' }), 'volume', 'U+200D at position 1'],
  ['a byte order mark in the consumer', with_({ consumer: '\ufeffa' }), 'consumer', 'U+FEFF at position 0'],
  ['a separator of lines in the id', with_({ id: 'a\u2028' }), 'id', 'U+2028 at position 1'],
  ['..', onto('/srv/mounts/../a'), 'mountpoint', 'must not contain the component ..'],
  ['.', onto('/srv/mounts/./a'), 'mountpoint', 'must not contain the component .'],
  ['//', onto('/srv/mounts//a'), 'mountpoint', 'must not contain //'],
  ['the root itself', onto('/srv/mounts'), 'mountpoint', 'managed root'],
  ['a slash at the end', onto('/srv/mounts/a/'), 'mountpoint', 'must not end with /'],
  ['a relative path', onto('srv/mounts/a'), 'mountpoint', 'not absolute'],
  ['a source with a dash in front', of({ source: '-o' }), 'filesystem.source', 'must not begin with -'],
  ['a type with a dash in front', of({ type: '-tmpfs' }), 'filesystem.type', 'must not begin with -'],
  ['a type that begins with no', of({ type: 'notmpfs' }), 'filesystem.type', 'must not begin with "no"'],
  ['a type that is not allowed', of({ type: 'xfs' }), 'filesystem.type', 'allowed: tmpfs'],
  ['a name that every object has', of({ type: 'constructor' }), 'filesystem.type', 'allowed: tmpfs'],
  ['a source by tag', of({ source: 'UUID=1-2' }), 'filesystem.source', 'must be a device path'],
  ['an option with a comma', of({ options: ['ro,suid'] }), 'filesystem.options[0]', 'comma'],
  ['an option that is not allowed', of({ options: ['lowerdir=/'] }), 'filesystem.options[0]', 'not allowed'],
  ['suid', of({ options: ['suid'] }), 'filesystem.options[0]', 'refused by policy'],
  ['no JSON', 'attach /srv/mounts/a', 'line', 'not JSON at character 1'],
  ['half of JSON', '{"op":"attach"', 'line', 'not JSON at character 15'],
  ['two values', '{} {}', 'line', 'expected nothing more'],
  ['a list', '[]', 'line', 'expected a request'],
  ['null', 'null', 'line', 'expected a request'],
  ['a key twice', '{"op":"status","op":"status"}', 'line', 'a second time'],
  ['too long a line', `{"op":"status","id":"${'x'.repeat(65_536)}"}`, 'line', 'longer than 65,536 bytes'],
]

describe('bad input', () => {
  test.each(ROWS)('%s', async (_name, line, field, why) => {
    const run = drive()
    run.send(line, attach('next'))
    run.end()
    expect(await run.exit).toBe(1)
    const [refused, served] = run.answers()
    expect(refused).toMatchObject({ ok: false, error: { _tag: 'Invalid', field } })
    expect((refused as { error: { why: string } }).error.why).toMatch(why)
    expect(run.answers()).toHaveLength(2)
    // Only the next request touched the host.
    expect(served).toMatchObject({ id: 'next', ok: true })
    expect(run.host.ran).toEqual(['Look', 'MakeDirectory', 'Mount'].map((effect) => `${effect} /srv/mounts/a`))
    expect(run.streams.stderr.text()).toBe('mountkeeper: stays, in use: /srv/mounts/a mounted, 1 holder\n')
  })

  test.each([
    ['outside of the roots', '/srv/elsewhere/a'],
    ['a root with a longer name', '/srv/mounts-2/a'],
    ['the root of everything', '/'],
  ])('a mountpoint that is %s names the roots', async (_name, mountpoint) => {
    const run = drive()
    run.send(onto(mountpoint), detach('2', '1'))
    run.end()
    expect(await run.exit).toBe(1)
    expect(run.answers()[0]).toMatchObject({
      id: '1',
      ok: false,
      error: { _tag: 'NotManaged', mountpoint, roots: ['/srv/mounts'] },
    })
    expect(run.answers()[1]).toMatchObject({ id: '2', ok: true, result: { holder: 'not-held' } })
    expect(run.host.ran).toEqual([])
  })

  test('an id twice at once', async () => {
    const run = drive({ concurrent: true })
    run.host.hold('scratch')
    run.send(attach('1'), attach('1', 'b', 'other'))
    await run.until(1)
    run.host.letGo('scratch')
    run.end()
    expect(await run.exit).toBe(1)
    expect(run.answers()[0]).toMatchObject({ id: '1', ok: false, error: { _tag: 'Invalid', field: 'id' } })
    expect(run.answers()[1]).toMatchObject({ id: '1', ok: true })
  })

  test('a line of another line feed, a mark, and blanks are no mistake', async () => {
    const run = drive()
    run.send(`\ufeff${JSON.stringify(attach('1'))}\r`, '   ', '', JSON.stringify(detach('2', '1')))
    run.end()
    expect(await run.exit).toBe(0)
    expect(run.answers()).toHaveLength(2)
  })

  test('what could not be read is answered with the number of its line, and with its id where it has one', async () => {
    const run = drive()
    run.send('', 'x', with_({ id: 'mine', volume: 3 }))
    run.end()
    expect(await run.exit).toBe(1)
    expect(run.answers()).toMatchObject([{ line: 2 }, { line: 3, id: 'mine', error: { field: 'volume' } }])
  })
})

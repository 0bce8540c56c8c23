// Who may change a directory on the way, by owner and mode alone.
import { describe, expect, test } from 'vitest'
import { judge, mendOf, trustFor, unmappedUser } from '../src/trust.js'

const MANAGER = 1001
const TRUSTED = 64_055
const OTHER = 4242
const trust = trustFor(MANAGER, { '/srv/mounts': [TRUSTED] }, '/srv/mounts')

type Row = readonly [mode: number, uid: number, part: 'way' | 'end' | 'entry', wrong: RegExp | undefined]

const WRITABLE = /can be written by others \(mode 0?[0-7]+\)/
const THEIRS = /belongs to user 4242, who can replace it/

describe('a directory', () => {
  test.each<Row>([
    [0o755, 0, 'way', undefined],
    [0o755, MANAGER, 'way', undefined],
    [0o755, TRUSTED, 'way', undefined],
    [0o700, OTHER, 'way', THEIRS],
    [0o555, OTHER, 'way', THEIRS],
    [0o775, 0, 'way', WRITABLE],
    [0o757, MANAGER, 'way', WRITABLE],
    [0o720, TRUSTED, 'end', WRITABLE],
    [0o2755, 0, 'end', undefined],
    // A sticky one of root or the manager is as safe as the next one, and the next one is judged too.
    [0o1777, 0, 'way', undefined],
    [0o1777, MANAGER, 'way', undefined],
    [0o1777, TRUSTED, 'way', WRITABLE],
    [0o1777, OTHER, 'way', THEIRS],
    // There is no next one: the first user to come makes it.
    [0o1777, 0, 'end', WRITABLE],
    [0o1755, 0, 'end', undefined],
    [0o777, 0, 'entry', undefined],
    [0o777, OTHER, 'entry', THEIRS],
  ])('mode %o of user %d as %s', (mode, uid, part, wrong) => {
    const unsafe = judge('/srv/x', { mode: BigInt(0o040000 | mode), uid: BigInt(uid) }, trust, part)
    if (wrong === undefined) expect(unsafe).toBeUndefined()
    else expect(unsafe).toMatchObject({ component: '/srv/x', why: expect.stringMatching(wrong) as string })
  })

  test('is made safe by a command that a shell reads as it is meant', () => {
    const stat = { mode: 0o040777n, uid: 0n }
    expect(judge('/srv/a-b', stat, trust, 'way')?.command).toBe('chmod go-w /srv/a-b')
    expect(judge('/srv/ a', stat, trust, 'way')?.command).toBe(`chmod go-w '/srv/ a'`)
    expect(judge('/srv/a;b', stat, trust, 'way')?.command).toBe(`chmod go-w '/srv/a;b'`)
    expect(judge("/srv/it's $(id)", stat, trust, 'way')?.command).toBe(`chmod go-w '/srv/it'\\''s $(id)'`)
    const theirs = judge('/srv/a', { mode: 0o040755n, uid: BigInt(OTHER) }, trust, 'way')
    expect(theirs).toMatchObject({ command: 'chown 1001 /srv/a', owner: OTHER })
    expect(mendOf(theirs!, '/srv/a/b')).toContain('or name 4242 in trustedOwners')
    // A root itself belongs to the manager.
    expect(mendOf(theirs!, '/srv/a')).toBe('chown 1001 /srv/a')
  })
})

test('owners are trusted for their root only, and for no path that an object has by itself', () => {
  expect(trustFor(0, { '/srv/a': [7] }, '/srv/a').owners).toEqual([7])
  expect(trustFor(0, { '/srv/a': [7] }, '/srv/b').owners).toEqual([])
  expect(trustFor(0, { '/srv/a': [7] }).owners).toEqual([])
  expect(trustFor(0, {}, 'constructor').owners).toEqual([])
})

test('an owner without a number in this user namespace counts as root where no user has its number', () => {
  const FIRST = '         0          0 4294967295\n'
  expect(unmappedUser(FIRST, 65_534)).toBeUndefined()
  expect(unmappedUser('         0       1001          1\n', 65_534)).toBe(65_534)
  // Here 65534 is a user that may exist.
  expect(unmappedUser('0 100000 65536\n', 65_534)).toBeUndefined()
  expect(unmappedUser('0 1000 1\n1 100000 65533\n', 65_534)).toBe(65_534)
  expect(unmappedUser('', 65_534)).toBeUndefined()
  // Only numbers from the first one of a line on are mapped by it.
  expect(unmappedUser('65534 0 1\n', 65_534)).toBeUndefined()
  expect(unmappedUser('65535 0 9\n', 65_534)).toBe(65_534)
  expect(unmappedUser('65533 0 1\n', 65_534)).toBe(65_534)
})

// The XML of domains and pools, read strictly.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { filesOfDomain, placeOfPool } from '../src/domain.js'
import { UUID, fixture } from './fake-virsh.js'

const running = fixture('running.xml')
const disk = (inner: string, attributes = "type='file'"): string =>
  `<domain><uuid>${UUID}</uuid><devices><disk ${attributes}>${inner}</disk></devices></domain>`
const volumes = (xml: string): unknown => {
  const read = filesOfDomain(xml, UUID)
  return read._tag === 'Right' ? read.right.map(({ volume }) => volume) : read.left
}

test('a running domain: files of disks, of what they are based on, of a copy; nothing else', () => {
  expect(filesOfDomain(running, UUID)).toEqual({
    _tag: 'Right',
    right: [
      { _tag: 'Path', path: '/srv/mounts/a b/x & "y" é.img', volume: 'vol-1' },
      ...['b/disk.snap1', 'b/disk.qcow2', 'base/os.img', 'c/disk.copy'].map((path) => ({
        _tag: 'Path',
        path: `/srv/mounts/${path}`,
        volume: 'file:disk.snap1',
      })),
      { _tag: 'Pool', pool: 'default', name: 'v1.img', volume: 'file:v1.img' },
    ],
  })
})

test('a domain without devices uses nothing', () => {
  expect(filesOfDomain(`<domain><uuid>${UUID}</uuid><devices/></domain>`, UUID)).toEqual({ _tag: 'Right', right: [] })
})

describe('what is not understood is a failure', () => {
  test.each([
    ['', 'it is no XML (Root element is missing or invalid'],
    ['error: no domain', 'it is no XML'],
    [running.slice(0, -20), 'it is no XML'],
    [`${running}<domain/>`, 'it is no XML'],
    [running.replace('&amp;', '&'), 'it is no XML'],
    [running.replace("'vda'", 'vda'), 'it is no XML'],
    [`<!DOCTYPE x [<!ENTITY a "b">]>${disk("<source file='/&a;'/>")}`, 'it is no XML'],
    ['<domains/>', 'it is a <domains> and no <domain>'],
    ['<domain/>', '<domain> has no <uuid>'],
    [`<domain><uuid>${UUID}</uuid></domain>`, '<domain> has no <devices>'],
    [`<domain><uuid>${UUID}</uuid><uuid>${UUID}</uuid></domain>`, '<domain> has 2 of <uuid>'],
    [running.replace(UUID, '2'), 'it is that of "2"'],
    [disk("<source file='/x'/>", "type='tape'"), 'a disk is of type "tape"'],
    [disk("<source file='/x'/>", ''), 'a disk is of type ""'],
    [disk(''), 'a disk of type file names no file'],
    [disk('<source/>'), 'a disk of type file names no file'],
    [disk("<source dev='/dev/x'/>", "type='file' device='cdrom'"), 'a cdrom of type file names no file'],
    [disk("<source pool='p'/>", "type='volume'"), 'a disk of type volume names no pool or no volume'],
    [disk("<source file='/a'/><source file='/b'/>"), 'a disk has 2 sources'],
  ])('%#: %.40s', (xml, why) => {
    const read = filesOfDomain(xml, UUID)
    expect(read._tag === 'Left' ? read.left : 'understood').toContain(why)
  })

  test.each([900, 1_001, 3_000, 20_000])('elements that are nested %i deep are read in time, or refused', (deep) => {
    const inner = '<b><source file="/x"/>'.repeat(deep) + '</b>'.repeat(deep)
    const began = performance.now()
    const read = filesOfDomain(disk(inner, "type='block'"), UUID)
    expect(performance.now() - began).toBeLessThan(1_000)
    if (deep < 1_000) expect(read).toMatchObject({ right: Array.from({ length: deep }, () => ({ path: '/x' })) })
    else
      expect(read).toMatchObject({ left: expect.stringMatching(/nested more than 1000 deep|it is no XML/) as string })
  })

  test.each([
    '<d\u200d/>',
    '<domain><\ufeffx',
    `<domain><uuid>\u202e\u009b</uuid></domain>`,
    disk('', "type='\u2028'"),
    disk('', "type='file' device='\u200d'"),
  ])('%#: what its owner wrote is escaped in the reason', (xml) => {
    const read = filesOfDomain(xml, UUID)
    expect(read._tag === 'Left' ? read.left : 'understood').toMatch(
      /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\\u[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u,
    )
  })

  test('a document that was cut off anywhere', () => {
    const whole = running.trimEnd()
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => filesOfDomain(whole.slice(0, length), UUID)._tag === 'Left'),
    )
  })
})

describe('the name of a volume', () => {
  test.each([
    ["<source file='/m/a/x.img'/><serial>s 1</serial>", ['s 1']],
    ["<source file='/m/a/x.img'/><serial></serial>", ['file:x.img']],
    ["<source file='x.img'/>", ['file:x.img']],
    [
      "<source file='/m/a/two&#10;lines'/>",
      ['sha256:31dc6f047808626459d5e435f51113ace979c77500126e365f84cc52f11a7219'],
    ],
    [`<source file='/m/${'é'.repeat(126)}'/>`, [expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]],
    [`<source file='/m/${'é'.repeat(125)}'/>`, [`file:${'é'.repeat(125)}`]],
  ])('%#: %.60s', (inner, expected) => {
    expect(volumes(disk(inner))).toEqual(expected)
  })

  test('an empty drive has none', () => {
    expect(volumes(disk("<target dev='sda'/>", "type='file' device='cdrom'"))).toEqual([])
    expect(volumes(disk("<target dev='fda'/>", "type='volume' device='floppy'"))).toEqual([])
  })

  test('any path comes out as it went in', () => {
    const escaped = (text: string): string =>
      Array.from(text, (character) => `&#${character.codePointAt(0) ?? 0};`).join('')
    const letter = fc.oneof(
      fc.constantFrom('/', ' ', '&', '"', "'", '<', '>', '\\', ';'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    fc.assert(
      fc.property(fc.array(letter, { minLength: 1 }), (letters) => {
        const path = `/${letters.join('')}`.replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
        expect(filesOfDomain(disk(`<source file='${escaped(path)}'/>`), UUID)).toMatchObject({ right: [{ path }] })
      }),
    )
  })
})

describe('a pool', () => {
  test('of files is in a directory, another one in none', () => {
    expect(placeOfPool(fixture('pool-dir.xml'), 'default')).toEqual({ _tag: 'Right', right: '/srv/mounts/pool' })
    expect(placeOfPool(fixture('pool-logical.xml'), 'default')).toEqual({ _tag: 'Right', right: undefined })
  })

  test.each([
    ['<pool>', 'it is no XML'],
    ["<pool type='dir'><name>other</name></pool>", 'it is that of "other"'],
    ["<pool type='dir'><name>default</name></pool>", '<pool> has no <target>'],
    ["<pool type='dir'><name>default</name><target/></pool>", '<target> has no <path>'],
    ["<pool type='cloud'><name>default</name></pool>", 'a pool is of type "cloud"'],
  ])('%s is not understood', (xml, why) => {
    const read = placeOfPool(xml, 'default')
    expect(read._tag === 'Left' ? read.left : 'understood').toContain(why)
  })
})

// Whether libvirt is there: news from programs that live and die as the test says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import type { InventoryNews } from '@mountkeeper/runtime'
import { libvirtInventory } from '../src/index.js'
import { fakeVirsh, options, program } from './fake-virsh.js'

const folder = mkdtempSync(`${tmpdir()}/mountkeeper-watch-`)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const LIST = 'list --all --uuid'
const EVENT = 'event --all --loop --timestamp'

const watching = (path: string, more: Parameters<typeof options>[0] = {}) => {
  const heard: InventoryNews[] = []
  const stop = libvirtInventory(options({ program: path, ...more })).watch((news) => heard.push(news))
  const tags = (): string => heard.map(({ _tag }) => _tag).join(' ')
  return { heard, tags, stop, until: (what: string) => expect.poll(tags, { timeout: 8_000 }).toBe(what) }
}

test('back when the domains can be listed, lost when the client of events ends, and so on', async () => {
  const events = "2026-01-01 00:00:00.000+0000: event 'lifecycle' for domain 'a b': Started Booted\n"
  const watch = watching(fakeVirsh({ [LIST]: '', [EVENT]: `${events}${events}` }))
  // The stand-in ends when nothing more is said to it, as a client of events does when its connection is lost.
  await watch.until('Back Changed Changed Lost Back Changed Changed Lost Back Changed Changed Lost')
  watch.stop()
  expect(watch.heard.find(({ _tag }) => _tag === 'Lost')).toEqual({
    _tag: 'Lost',
    why: 'libvirt at qemu:///system: virsh ended with 0 and without a word',
  })
})

test('tried with growing delay up to a ceiling while it cannot be reached', async () => {
  const tries = `${folder}/tries`
  const path = program(`date +%s%N >> ${tries}; echo "error: no socket" >&2; exit 1`)
  const watch = watching(path, { retryFirstMs: 100, retryCeilingMs: 400 })
  await new Promise((wake) => setTimeout(wake, 2_500))
  watch.stop()
  const { readFileSync } = await import('node:fs')
  const times = readFileSync(tries, 'utf8')
    .trim()
    .split('\n')
    .map((time) => Number(BigInt(time) / 1_000_000n))
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  expect(watch.tags()).toBe('')
  expect(times.length).toBeGreaterThan(3)
  expect(times.length).toBeLessThan(10)
  expect(gaps[0]).toBeGreaterThanOrEqual(100)
  expect(gaps[1]).toBeGreaterThanOrEqual(200)
  expect(Math.min(...gaps.slice(2))).toBeGreaterThanOrEqual(400)
})

test('a libvirt that lets virsh wait is not back', async () => {
  const switched = `${folder}/answers`
  const well = fakeVirsh({ [LIST]: '', [EVENT]: '' })
  const path = program(`[ -e ${switched} ] || sleep 60; exec ${well}`)
  const watch = watching(path, { limitMs: 200 })
  await new Promise((wake) => setTimeout(wake, 700))
  expect(watch.tags()).toBe('')
  writeFileSync(switched, '')
  watch.stop()
})

test('a list that fails is not back', async () => {
  const watch = watching(fakeVirsh({ [LIST]: [{ error: 'denied' }] }))
  await new Promise((wake) => setTimeout(wake, 700))
  watch.stop()
  expect(watch.tags()).toBe('')
})

test('a virsh that cannot be started is tried again, and nothing is reported after the stop', async () => {
  const watch = watching(fakeVirsh({ [LIST]: '', [EVENT]: '' }))
  await expect.poll(() => watch.heard.length).toBeGreaterThan(0)
  watch.stop()
  const told = watch.heard.length
  await new Promise((wake) => setTimeout(wake, 500))
  expect(watch.heard.length).toBe(told)
})

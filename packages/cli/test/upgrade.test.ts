// What an upgrade refuses is listed before the first start: every record, and every entry of the configuration.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fact } from '@mountkeeper/core'
import { encodeHead, encodeWrite } from '@mountkeeper/journal'
import { afterAll, expect, test } from 'vitest'
import { refusedEntries, upgradeChecks } from '../src/upgrade.js'
import { configurationWith } from './drive.js'

const folder = mkdtempSync(join(tmpdir(), 'mountkeeper-cli-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const recorded = (mountpoint: string, type: string): Fact => ({
  _tag: 'Recorded',
  at: 1,
  mountpoint,
  directory: 'ours',
  instance: 1,
  filesystem: { type, source: 'scratch', options: [] },
})

test('each record that a request could not make now, with its reason', async () => {
  const held: Fact = {
    _tag: 'Held',
    at: 1,
    mountpoint: '/srv/mounts/a',
    volume: 'v\n',
    consumer: 'c',
    since: 1,
    knowledge: 'request',
  }
  const facts = [
    held,
    recorded('/srv/mounts/a', 'tmpfs'),
    recorded('/srv/mounts/b', 'gone'),
    recorded('/elsewhere/c', 'tmpfs'),
  ]
  writeFileSync(join(folder, 'journal'), encodeHead(0) + facts.map((fact) => encodeWrite([fact])).join(''))
  const configuration = configurationWith()
  const checks = await upgradeChecks({
    ...configuration,
    adapter: { ...configuration.adapter, stateDirectory: folder },
  })
  expect(checks.map(({ name, ok, text }) => `${ok} ${name}: ${text}`)).toEqual([
    expect.stringMatching(/^fail upgrade \/srv\/mounts\/a: holder v\n of c: volume /),
    expect.stringMatching(/^fail upgrade \/srv\/mounts\/b: filesystem\.type gone is not an allowed type/),
    'fail upgrade /elsewhere/c: mountpoint is not below a managed root',
  ])
})

test('options of types and patterns that this version refuses, each by its place', async () => {
  const file = join(folder, 'config.json')
  const types = {
    nfs: { sources: ['nas.corp.example'], options: ['vers', 'port', 'no-such'] },
    'fuse.bindfs': {
      sources: ['/srv/exports/'],
      options: { 'create-for-user': { words: ['1000'] }, 'force-user': true },
    },
    'fuse.sshfs': { sources: ['*:/export/*'], options: ['IdentityFile', 'ssh_command'] },
    tmpfs: { sources: ['*'], options: { size: { size: { max: '4g' } }, password: 'name' } },
  }
  writeFileSync(file, JSON.stringify({ types }))
  const entries = await refusedEntries(file)
  expect(entries.map(({ text }) => text.replace(/: expected.*/, '')).sort()).toEqual([
    'types.nfs.options[2]',
    'types.nfs.sources[0]',
    'types.tmpfs.options.password',
    'types["fuse.bindfs"].options.create-for-user',
    'types["fuse.sshfs"].options[1]',
  ])
})

test('nothing, where nothing is refused', async () => {
  expect(await upgradeChecks(configurationWith())).toMatchObject([{ name: 'upgrade', ok: 'ok' }])
})

test('each entry of the configuration, not only the first', async () => {
  const file = join(folder, 'config.json')
  writeFileSync(
    file,
    JSON.stringify({ roots: ['relative'], types: { 'no-such': { sources: ['*'] }, tmpfs: { sources: ['-x'] } } }),
  )
  const entries = await refusedEntries(file)
  expect(entries.length).toBeGreaterThanOrEqual(3)
  expect(entries.every(({ ok, name }) => ok === 'fail' && name === file)).toBe(true)
  writeFileSync(file, '{}')
  expect(await refusedEntries(file)).toEqual([])
})

// What was bound is known by its inode too, where that was asked of the layer on top.
import { defaultSettings } from '@mountkeeper/border'
import { typeRule } from '@mountkeeper/types'
import { expect, test } from 'vitest'
import type { Filesystem, Identity, ResolvedSource } from '../src/index.js'
import { ourMount } from '../src/layer.js'

const settings = { ...defaultSettings('/srv/mounts'), types: { bind: typeRule('bind', ['/exports/']) } }
const filesystem: Filesystem = { type: 'bind', source: '/exports/a', options: [] }
const layer: Identity = {
  mountId: 21,
  device: '8:1',
  fstype: 'ext4',
  source: 'disk',
  root: '/exports/a',
  flags: ['rw'],
}
const at = (inode?: string, root = '/exports/a'): ResolvedSource => ({
  _tag: 'At',
  root,
  device: '8:1',
  ...(inode === undefined ? {} : { inode }),
})

test.each<[string, ResolvedSource, ResolvedSource | undefined, string | undefined]>([
  ['the same directory', at('7'), at('7'), undefined],
  ['another one of the same name', at('7'), at('8'), 'on 8:1 inode 8, but /exports/a led to /exports/a on 8:1 inode 7'],
  ['no inode was asked for', at('7'), undefined, undefined],
  ['none was known before', at(), at('8'), undefined],
  // What was asked of another layer than this one says nothing.
  ['an inode of another directory', at('7'), at('8', '/exports/b'), undefined],
])('%s', (_, before, shown, wrong) => {
  const seen = { asked: before, ...(shown === undefined ? {} : { shown }) }
  const ours = ourMount(settings, filesystem, { fresh: [layer], grewByOne: true, exited: 'well', before, seen })
  expect(ours?.layer).toBe(layer)
  if (wrong === undefined) expect(ours?.wrong).toBeUndefined()
  else expect(ours?.wrong).toContain(wrong)
})

// Traces of versions that had no grammars: their options are a list of names, and any value of them is replayed as it was.

import { defaultSettings, readSettings } from '@mountkeeper/border'
import type { Settings } from '@mountkeeper/core'
import { checkFilesystem } from '@mountkeeper/core'
import { mountOptions } from '@mountkeeper/core/state'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { decode, settingsCodec } from '../src/index.js'

const { limits, ...others } = defaultSettings('/srv/mounts')
const { memoryBytes: _, ...oldLimits } = limits
const OLD = {
  ...others,
  limits: oldLimits,
  types: {
    tmpfs: {
      sources: ['*'],
      options: ['size', 'mode'],
      insignificant: [],
      appears: { _tag: 'Source', fstypes: ['tmpfs'] },
      mayHang: false,
      server: 'none',
      sourceIsPath: false,
      pathOptions: [],
    },
  },
}

const read = (): Settings => {
  const settings = decode(settingsCodec, OLD)
  if (E.isLeft(settings)) throw new Error(JSON.stringify(settings.left))
  return settings.right
}

test('are read, and decide what they decided', () => {
  const settings = read()
  const filesystem = { type: 'tmpfs', source: 'scratch', options: ['size=100%'] }
  expect(checkFilesystem(settings, filesystem)).toBeUndefined()
  expect(checkFilesystem(settings, { ...filesystem, options: ['uid=1'] })?.why).toBe(
    'uid is not allowed for type tmpfs',
  )
  expect(mountOptions(settings.types['tmpfs']!, filesystem)).toEqual(['size=100%', 'nosuid', 'nodev'])
  expect(decode(settingsCodec, settingsCodec.encode(settings))).toEqual(E.right(settings))
})

test('are no settings of a manager: any value is no grammar', () => {
  expect(readSettings(read())).toMatchObject({
    _tag: 'Invalid',
    field: 'settings.types.tmpfs.options.size',
    why: 'size needs a grammar of its value',
  })
})

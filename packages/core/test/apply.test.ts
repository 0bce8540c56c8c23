// The indexes beside the records: what is above a mountpoint.

import { describe, expect, test } from 'vitest'
import { ancestorsOf } from '../src/apply.js'

describe('what is above', () => {
  test.each([
    ['/srv/mounts/a', '/srv/mounts', []],
    ['/srv/mounts/a/b', '/srv/mounts', ['/srv/mounts/a']],
    ['/srv/mounts/a/b/c', '/srv/mounts', ['/srv/mounts/a/b', '/srv/mounts/a']],
    ['/a/b/c', undefined, ['/a/b', '/a']],
    ['/a', undefined, []],
  ])('%s below %s', (path, root, above) => {
    expect(ancestorsOf(path, root)).toEqual(above)
  })
})

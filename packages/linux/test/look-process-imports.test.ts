// The look process starts while looks wait for it: what it loads is counted here, since one import too many brings all of core.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** What a module loads at run time: imports of types alone are gone by then. */
const LOADS = /^(?:import|export) (?!type )[^'"]*? from '([^']+)'|^import '([^']+)'/gms

const loadedBy = (path: string, loaded: Set<string>): ReadonlySet<string> => {
  for (const [, from, bare] of readFileSync(path, 'utf8').matchAll(LOADS)) {
    const name = from ?? bare ?? ''
    const module = name.startsWith('.') ? resolve(dirname(path), name.replace(/\.js$/, '.ts')) : name
    if (loaded.has(module)) continue
    loaded.add(module)
    if (existsSync(module)) loadedBy(module, loaded)
  }
  return loaded
}

test('a look process loads no package but the two small entries made for it', () => {
  const path = fileURLToPath(new URL('../src/look-process.ts', import.meta.url))
  const loaded = [...loadedBy(path, new Set())]
  expect(loaded.filter((name) => !existsSync(name)).sort()).toEqual([
    '@mountkeeper/core/seen',
    '@mountkeeper/types/size',
    'node:fs',
  ])
  expect(loaded.filter((name) => existsSync(name)).length).toBeLessThan(20)
})

test.each(['../../core/src/seen.ts', '../../types/src/size.ts'])(
  '%s loads at most two modules, and these nothing',
  (entry) => {
    const loaded = loadedBy(fileURLToPath(new URL(entry, import.meta.url)), new Set())
    expect(loaded.size).toBeLessThanOrEqual(2)
  },
)

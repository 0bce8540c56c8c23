// A service in one file, made by esbuild: on a simulated host with 1,000 mounts, and on this one beside 1,000 others, where the table is
// so long that the look process reads it.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../test/bundled/bundle.js'
import { ROOT, mounted, prepareWorld } from './world.js'

prepareWorld()

const folders = {
  whole: mkdtempSync(join(tmpdir(), 'mountkeeper-bundle-')),
  part: mkdtempSync(join(tmpdir(), 'mountkeeper-part-')),
}
beforeAll(async () => {
  await bundle(folders.whole, 'with the look process')
  await bundle(folders.part, 'without')
  for (const folder of Object.values(folders)) writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})
afterAll(() => {
  for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true })
})

const serve = (
  folder: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly out: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'service.js'), ...args], {
    encoding: 'utf8',
    cwd: '/',
  })
  return { status, out: stdout + stderr }
}

test('a bundle attaches 1,000 mountpoints on a simulated host', () => {
  expect(serve(folders.whole, 'simulated', ROOT, '1000')).toEqual({ status: 0, out: '1000\n' })
})

test('a bundle with the look process mounts beside 1,000 other mounts', () => {
  const many =
    'mkdir /srv/others && i=0; while [ $i -lt 1000 ]; do mount --bind /srv/state /srv/others; i=$((i+1)); done'
  expect(spawnSync('sh', ['-c', many]).status).toBe(0)
  expect(serve(folders.whole, 'host', ROOT, '5')).toEqual({ status: 0, out: '5\n' })
  expect(mounted()).toEqual([])
})

test('a bundle without it is refused at start, with what to do', () => {
  const { status, out } = serve(folders.part, 'host', ROOT, '1')
  expect(status).toBe(3)
  expect(out).toContain('MountkeeperError')
  expect(out).toContain(`look-process.js is not in ${folders.part}, and without it nothing that can hang is looked at`)
  expect(out).toContain('look-process=@mountkeeper/linux/look-process')
})

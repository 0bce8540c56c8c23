// The real disk, traced: creation, appends and a compaction make the system calls, in the order, that the model disk records. What the
// model treats as a flush of the directory is an fsync(2) of it.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createFileJournal } from '../src/index.js'
import { held, leftOf } from '../test/facts.js'
import { createModelDisk } from '../test/model-disk.js'
import { createRecordingDisk } from '../test/recording-disk.js'

const MODULE = fileURLToPath(new URL('../dist/index.js', import.meta.url))
const APPENDS = Array.from({ length: 4 }, (_, index) => [held(index), leftOf(held(index))])
const COMPACT_FACTS_MIN = 8

/** Plain JavaScript on the built package: appends one after the other, and waits for the compaction that the last one begins. */
const CHILD = `
  import { statSync } from 'node:fs'
  const [module, directory, appends] = process.argv.slice(1)
  const { createFileJournal } = await import(module)
  const journal = createFileJournal({ directory, compactFactsMin: ${COMPACT_FACTS_MIN} })
  if ((await journal.read())._tag === 'Left') process.exit(3)
  const { ino } = statSync(directory + '/journal')
  for (const facts of JSON.parse(appends)) if ((await journal.append(facts)())._tag === 'Left') process.exit(4)
  while (statSync(directory + '/journal').ino === ino) await new Promise((resolve) => setTimeout(resolve, 5))
  await journal.close('drain')
`

/** What a model disk was asked for the same. */
const modelled = async (): Promise<readonly string[]> => {
  const disk = createRecordingDisk(createModelDisk())
  const journal = createFileJournal({ directory: '/state', disk, compactFactsMin: COMPACT_FACTS_MIN })
  await journal.read()
  const renames = (): number => disk.done.filter((what) => what.startsWith('rename')).length
  for (const facts of APPENDS) await journal.append(facts)()
  while (renames() < 2) await new Promise((resolve) => setImmediate(resolve))
  await journal.close('drain')
  // Nothing was there to be removed.
  return disk.done.filter((what) => !what.startsWith('unlink'))
}

/** Calls that have ended, in the order of their ends: a journal has one under way at a time, whichever thread makes it. */
const callsOf = (trace: string): readonly string[] => {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const [, pid = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (call.endsWith('<unfinished ...>')) {
      begun.set(pid, call.slice(0, -'<unfinished ...>'.length))
      return []
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call)
    return resumed === null ? [call] : [`${begun.get(pid) ?? ''}${resumed[1] ?? ''}`]
  })
}

/** The same words as those of the model, for what concerns the directory. */
const wordsOf = (call: string, directory: string): readonly string[] => {
  if (!call.includes(directory) || / = -1 /.test(call)) return []
  const [, name = ''] = /^(\w+)\(/.exec(call) ?? []
  // A descriptor is shown with its path; one that was renamed since has its new name.
  const of = (path: string): string => (path === directory ? 'directory' : basename(path))
  const path = /^\w+\(\d+<([^>]*)>/.exec(call)?.[1]
  const paths = [...call.matchAll(/"([^"]*)"/g)].map(([, each = '']) => of(each))
  if (name.startsWith('pwrite') && path !== undefined) return [`write ${of(path)}`]
  if ((name === 'fsync' || name === 'fdatasync') && path !== undefined) return [`${name} ${of(path)}`]
  if (name.startsWith('rename')) return [`rename ${paths[0]} ${paths[1]}`]
  if (name === 'openat' && call.includes('O_TRUNC')) return [`create ${paths[0]}`]
  return name === 'ftruncate' || name.startsWith('unlink') ? [call] : []
}

const hasStrace = spawnSync('strace', ['-V']).status === 0
if (!hasStrace) process.stderr.write('SKIPPED: the order of system calls of the real disk needs strace.\n')

test.skipIf(!hasStrace)('the real disk makes the calls that the model disk stands for, in its order', async () => {
  const top = mkdtempSync(join(tmpdir(), 'mountkeeper-order-'))
  const state = mkdtempSync(join(top, 'state-'))
  try {
    const kinds = 'pwrite64,pwritev,fsync,fdatasync,ftruncate,openat,rename,renameat,renameat2,unlink,unlinkat'
    const { status, stderr } = spawnSync(
      'strace',
      [
        ...['-f', '-y', '-qq', '-s', '0', '-e', `trace=${kinds}`, '-e', 'signal=none', '-o', join(top, 'trace')],
        ...[process.execPath, '--input-type=module', '-e', CHILD, MODULE, state, JSON.stringify(APPENDS)],
      ],
      // What the kernel is asked through a ring is not traced.
      { encoding: 'utf8', env: { ...process.env, UV_USE_IO_URING: '0' } },
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const traced = callsOf(readFileSync(join(top, 'trace'), 'utf8')).flatMap((call) => wordsOf(call, state))
    expect(traced).toEqual(await modelled())
    expect(traced.filter((words) => words === 'fsync directory').length).toBe(2)
  } finally {
    rmSync(top, { recursive: true })
  }
})

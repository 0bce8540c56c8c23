// A virsh that does what the test has written, in the manner of the real one: prompts, repeated commands, one answer each.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { LibvirtOptions } from '../src/index.js'

const folder = mkdtempSync(`${tmpdir()}/mountkeeper-virsh-`)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

let last = 0

/** Makes a program out of a script for sh. */
export const program = (script: string, interpreter = '/bin/sh'): string => {
  last += 1
  const path = `${folder}/virsh-${last}`
  writeFileSync(path, `#!${interpreter}\n${script}`)
  chmodSync(path, 0o755)
  return path
}

/** What it says to a command: text, a complaint, or one after the other; the last is repeated. */
export type Said = string | { readonly error: string }
export interface Script {
  readonly [command: string]: Said | readonly Said[]
}

/** How it says it: as the real one does, without readline, or in pieces of a few bytes. */
export type Manner = 'as virsh' | 'without readline' | 'in pieces'

/** A virsh that answers by the script, and dies at a command that is not in it. */
export const fakeVirsh = (script: Script, manner: Manner = 'as virsh'): string =>
  program(
    `
const script = ${JSON.stringify(script)}, manner = ${JSON.stringify(manner)}
const said = {}
const lines = require('node:readline').createInterface({ input: process.stdin })
const { writeSync } = require('node:fs')
const write = (text) => {
  const bytes = Buffer.from(text)
  const step = manner === 'in pieces' ? 7 : bytes.length || 1
  for (let at = 0; at < bytes.length; at += step) writeSync(1, bytes.subarray(at, at + step))
}
write('virsh > ')
lines.on('line', (line) => {
  if (manner !== 'without readline') write(line + '\\n')
  const echo = /^echo (--err )?'(.*)''(.*)'$/.exec(line)
  if (echo) {
    if (echo[1]) writeSync(2, 'error: ' + echo[2] + echo[3] + '\\n')
    else write(echo[2] + echo[3])
  } else {
    const all = [script[line] ?? process.exit(7)].flat()
    const say = all[Math.min(said[line] ?? 0, all.length - 1)]
    said[line] = (said[line] ?? 0) + 1
    if (typeof say === 'string') write(say)
    else writeSync(2, 'error: ' + say.error + '\\n')
  }
  write('virsh > ')
})
`,
    process.execPath,
  )

const fixtures = fileURLToPath(new URL('../../../test-fixtures/libvirt/', import.meta.url))

/** One of the files of test-fixtures/libvirt. */
export const fixture = (name: string): string => readFileSync(`${fixtures}${name}`, 'utf8')

export const options = (more: Partial<LibvirtOptions> = {}): LibvirtOptions => ({
  uri: 'qemu:///system',
  limitMs: 10_000,
  keepaliveSeconds: 5,
  retryFirstMs: 50,
  retryCeilingMs: 200,
  ...more,
})

/** The UUID of the fixtures' domain, and of others. */
export const UUID = '11111111-1111-4111-8111-111111111111'
export const uuidOf = (number: number): string => `${String(number).padStart(8, '0')}-1111-4111-8111-111111111111`

/** XML of a domain with one disk. */
export const domainWith = (uuid: string, path: string): string =>
  `<domain type='test'>\n  <uuid>${uuid}</uuid>\n  <devices>\n    <disk type='file'>\n      <source file='${path}'/>\n    </disk>\n  </devices>\n</domain>\n`

// Hostile requests with the refusal that each gets, as data (test-fixtures/hostile): the inputs of the security findings and others
// of their classes. Each is a line of JSON, read as the command reads it, against a usual configuration. `UPDATE_TRANSCRIPTS=1` writes
// the refusals again; an input that is not refused fails all the same.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { readRequest } from '@mountkeeper/border'
import type { Answer, Host, Input, Invalid, Request, Settings } from '@mountkeeper/core'
import { apply, decide, effectId, emptyHost, requestId } from '@mountkeeper/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { decodeConfigurationText, decodeRequestLine, invalidOf } from '../src/index.js'

interface Case {
  /** Requests that were accepted before, and are still being served; `overload.json` has a configuration of its own. */
  readonly before?: readonly unknown[]
  readonly request: unknown
  readonly refusal: unknown
}

const FOLDER = new URL('../../../test-fixtures/hostile/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8')
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json') && !name.startsWith('configuration'))

const settingsOf = (name: string): Settings => {
  const configuration = decodeConfigurationText(read(name))
  if (E.isLeft(configuration)) throw new Error(JSON.stringify(configuration.left))
  return configuration.right.settings
}
const settings = settingsOf('configuration.json')
const narrow = settingsOf('configuration-narrow.json')

const hostUp = (settings: Settings): Host => {
  const host = emptyHost(settings)
  const feed = (input: Input): void => apply(host, decide(host, input))
  feed({ _tag: 'Requested', at: 0, request: requestId(1), body: { op: 'host-up' } })
  const roots = settings.roots.map(({ path }) => ({
    path,
    mountId: 1,
    directory: '8:1:2',
    propagation: 'shared' as const,
  }))
  const found = { _tag: 'Discovered', boot: 'b', mountNamespace: 'm', roots, mountpoints: [] } as const
  feed({ _tag: 'Outcome', at: 0, effect: effectId(1), mountpoint: undefined, found })
  return host
}

const errorOf = (answers: readonly Answer[]): unknown => {
  const [answer] = answers
  return answer === undefined ? 'no answer: it is being served' : answer.ok ? answer.result : answer.error
}

/** Texts, each so many times, one after the other: for lines that are too long to stand in a file. */
const isParts = (request: unknown): request is { readonly parts: readonly (readonly [string, number])[] } =>
  typeof request === 'object' && request !== null && 'parts' in request

const lineOf = (request: unknown): string => {
  if (typeof request === 'string') return request
  if (isParts(request)) return request.parts.map(([text, times]) => text.repeat(times)).join('')
  return JSON.stringify(request)
}

/** What the manager answers to a line, and what it would record of it. */
const answered = (
  request: unknown,
  before: readonly unknown[] = [],
): { readonly answer: unknown; readonly recorded: string } => {
  const line = lineOf(request)
  const decoded = decodeRequestLine(line)
  if (E.isLeft(decoded)) return { answer: invalidOf(decoded.left) satisfies Invalid, recorded: '' }
  const body = readRequest(decoded.right)
  if (!body.ok) return { answer: body.error, recorded: '' }
  const host = hostUp(before.length === 0 ? settings : narrow)
  expect(host.phase).toBe('up')
  for (const [index, earlier] of before.entries()) {
    const asked = readRequest(earlier)
    if (!asked.ok) throw new Error(`not a request: ${JSON.stringify(earlier)}`)
    const decision = decide(host, { _tag: 'Requested', at: 0, request: requestId(index + 2), body: asked.request })
    expect(decision.then.answers).toEqual([])
    apply(host, decision)
  }
  const decision = decide(host, {
    _tag: 'Requested',
    at: 0,
    request: requestId(before.length + 2),
    body: body.request satisfies Request,
  })
  const recorded = JSON.stringify([body.request, decision.append, decision.then.answers])
  return { answer: errorOf(decision.then.answers), recorded }
}

const REFUSED: ReadonlySet<string> = new Set(['Invalid', 'NotManaged', 'Conflict', 'Overloaded', 'NotFound'])

const isRefused = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && '_tag' in answer && REFUSED.has(String(answer._tag))

/** A planted secret: in no answer, and in nothing that is recorded. */
const PLANTED = 'hunter2'

/** One case a line, so that a difference shows the case. */
const written = (cases: readonly Case[]): string =>
  `[\n${cases.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`

describe.each(files)('%s', (file) => {
  const cases = JSON.parse(read(file)) as readonly Case[]
  test.each(
    cases.map(
      ({ before, request, refusal }) => [JSON.stringify(request).slice(0, 200), request, refusal, before] as const,
    ),
  )('%s', (_, request, refusal, before) => {
    const { answer, recorded } = answered(request, before)
    expect(isRefused(answer), JSON.stringify(answer)).toBe(true)
    expect(JSON.stringify(answer)).not.toContain(PLANTED)
    expect(recorded).not.toContain(PLANTED)
    if (process.env['UPDATE_TRANSCRIPTS'] === undefined) expect(answer).toEqual(refusal)
  })
  if (process.env['UPDATE_TRANSCRIPTS'] !== undefined) {
    const anew = cases.map(({ before, request }): Case => ({
      ...(before === undefined ? {} : { before }),
      request,
      refusal: answered(request, before).answer,
    }))
    writeFileSync(new URL(file, FOLDER), written(anew))
  }
})

test('there are at least ten in each file', () => {
  for (const file of files) expect((JSON.parse(read(file)) as readonly Case[]).length, file).toBeGreaterThanOrEqual(10)
})

test('there are at least ten for each type', () => {
  const all = files.flatMap(
    (file) => JSON.parse(read(file)) as readonly { readonly request: { filesystem?: { type: string } } }[],
  )
  for (const type of Object.keys(settings.types)) {
    const many = all.filter(({ request }) => request.filesystem?.type === type).length
    expect(many, type).toBeGreaterThanOrEqual(10)
  }
})

test('what is usual is served', () => {
  const usual: readonly (readonly [string, string, ...string[]])[] = [
    ['tmpfs', 'scratch', 'size=1g', 'mode=0700'],
    ['bind', '/srv/exports/a', 'ro'],
    ['overlay', 'overlay', 'lowerdir=/srv/layers/a:/srv/layers/b'],
    ['ext4', '/srv/images/a.img', 'loop', 'errors=remount-ro'],
    ['nfs', 'nas.corp.example:/export/a', 'vers=4.2', 'timeo=600'],
    ['cifs', '//nas.corp.example/share1', 'vers=3.1.1'],
    ['ceph', 'mon1.corp.example:6789,mon2.corp.example:6789:/volumes/a'],
    ['glusterfs', 'gluster.corp.example:/vol1', 'log-level=WARNING'],
    ['fuse.sshfs', 'me@host:/export/a', 'reconnect'],
    ['fuse.bindfs', '/srv/exports/a'],
    ['fuse.mine', 'a.corp.example:/data/x', 'level=3'],
  ]
  for (const [type, source, ...options] of usual) {
    const request = {
      op: 'attach',
      mountpoint: '/srv/mounts/a',
      filesystem: { type, source, options },
      volume: 'v',
      consumer: 'c',
    }
    expect(answered(request).answer, type).toBe('no answer: it is being served')
  }
})

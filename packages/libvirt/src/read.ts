// What is asked of a libvirt, and what its answers come to: which files its domains use, running or not, as they run and as
// they would start. A complete answer or none.

import { left, right } from 'fp-ts/lib/Either.js'
import type { Either } from 'fp-ts/lib/Either.js'
import type { UsedFile } from '@mountkeeper/runtime'
import type { DomainFile, PoolPlace } from './domain.js'
import { filesOfDomain, placeOfPool } from './domain.js'
import type { Session } from './session.js'
import { complaintText } from './session.js'
import { quoted } from './shown.js'

/** Domains that come and go while they are asked for are asked for again; not for ever. */
const ROUNDS_MAX = 4

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** Names of pools that can be said in one line of virsh without quoting; others cannot be asked for. */
const PLAIN_NAME = /^[A-Za-z0-9_.+][A-Za-z0-9_.+:-]{0,47}$/

/** What was read, or why nothing was. */
export type Read<A> = Either<string, A>

/** The domains there are. Nothing but UUIDs may come, and nothing may be complained of: a list that failed is empty, too. */
export const listDomains = async (session: Session): Promise<Read<readonly string[]>> => {
  const asked = await session.ask(['list --all --uuid'])
  if (asked._tag === 'Left') return asked
  const { answers, complaint } = asked.right
  if (complaint !== '') return left(`the domains cannot be listed: ${complaintText(complaint)}`)
  const lines = (answers[0] ?? '').split('\n').map((line) => line.trim())
  const uuids = lines.filter((line) => line !== '')
  const bad = uuids.find((line) => !UUID.test(line))
  return bad === undefined ? right(uuids) : left(`in the list of domains stands no UUID: ${quoted(bad)}`)
}

type Known = ReadonlyMap<string, readonly DomainFile[]>

interface Round {
  readonly known: Known
  /** Of those that gave no XML, in the words of virsh. */
  readonly complaint: string
}

/** What these domains use, live and at their next start; those that gave no XML are not in it. */
const readDomains = async (session: Session, uuids: readonly string[]): Promise<Read<Round>> => {
  if (uuids.length === 0) return right({ known: new Map(), complaint: '' })
  const asked = await session.ask(uuids.flatMap((uuid) => [`dumpxml ${uuid}`, `dumpxml --inactive ${uuid}`]))
  if (asked._tag === 'Left') return asked
  const { answers, complaint } = asked.right
  const known = new Map<string, readonly DomainFile[]>()
  for (const [index, uuid] of uuids.entries()) {
    const pair = answers.slice(2 * index, 2 * index + 2)
    if (pair.some((xml) => xml.trim() === '')) continue
    const files: DomainFile[] = []
    for (const xml of pair) {
      const read = filesOfDomain(xml, uuid)
      if (read._tag === 'Left') return left(`the XML of domain ${uuid} cannot be understood: ${read.left}`)
      files.push(...read.right)
    }
    known.set(uuid, files)
    // Thousands of domains are no reason to keep everything else waiting.
    await new Promise((next) => setImmediate(next))
  }
  return right({ known, complaint })
}

/** All domains that are there in the end; those that came or went meanwhile are seen to in rounds. */
const readAllDomains = async (session: Session): Promise<Read<Known>> => {
  let known: Known = new Map()
  let complaint = ''
  let listed = await listDomains(session)
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (listed._tag === 'Left') return listed
    const missing = listed.right.filter((uuid) => !known.has(uuid))
    const read = await readDomains(session, missing)
    if (read._tag === 'Left') return read
    complaint = read.right.complaint
    const now = await listDomains(session)
    if (now._tag === 'Left') return now
    const there = new Set(now.right)
    known = new Map([...known, ...read.right.known].filter(([uuid]) => there.has(uuid)))
    if (known.size === there.size) return right(known)
    listed = now
  }
  const silent = listed._tag === 'Right' ? listed.right.find((uuid) => !known.has(uuid)) : undefined
  return left(`domain ${silent ?? ''} is listed and gives no XML: ${complaintText(complaint)}`)
}

type Places = ReadonlyMap<string, PoolPlace>

const readPools = async (session: Session, names: readonly string[]): Promise<Read<Places>> => {
  if (names.length === 0) return right(new Map())
  const odd = names.find((name) => !PLAIN_NAME.test(name))
  if (odd !== undefined) return left(`a disk is in the pool ${quoted(odd)}, whose name cannot be passed to virsh`)
  const asked = await session.ask(names.map((name) => `pool-dumpxml ${name}`))
  if (asked._tag === 'Left') return asked
  const places = new Map<string, PoolPlace>()
  for (const [index, name] of names.entries()) {
    const xml = asked.right.answers[index] ?? ''
    if (xml.trim() === '') {
      return left(`a disk is in the pool ${name}, which gives no XML: ${complaintText(asked.right.complaint)}`)
    }
    const place = placeOfPool(xml, name)
    if (place._tag === 'Left') return left(`the XML of the pool ${name} cannot be understood: ${place.left}`)
    places.set(name, place.right)
  }
  return right(places)
}

const pathOf = (file: DomainFile, places: Places): string | undefined => {
  if (file._tag === 'Path') return file.path
  const place = places.get(file.pool)
  return place === undefined ? undefined : `${place}/${file.name}`
}

/** All files that domains use. */
export const readAll = async (session: Session): Promise<Read<readonly UsedFile[]>> => {
  const domains = await readAllDomains(session)
  if (domains._tag === 'Left') return domains
  const inUse = [...domains.right].flatMap(([consumer, files]) => files.map((file) => ({ consumer, file })))
  const pools = new Set(inUse.flatMap(({ file }) => (file._tag === 'Pool' ? [file.pool] : [])))
  const places = await readPools(session, [...pools])
  if (places._tag === 'Left') return places
  return right(
    inUse.flatMap(({ consumer, file }) => {
      const path = pathOf(file, places.right)
      return path === undefined ? [] : [{ path, volume: file.volume, consumer }]
    }),
  )
}

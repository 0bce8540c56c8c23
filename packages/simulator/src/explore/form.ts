// What a canonical form is made of: small numbers, hashed as they are put in, and the names in their order of appearance.

import { RESPELLED } from './model.js'

/** 64 bits of a canonical form. */
export interface Bits {
  a: number
  b: number
}

/** A form under construction: what was put into it, hashed. */
export interface Form {
  a: number
  b: number
  /** Names in order of appearance. */
  readonly sources: string[]
  readonly mountIds: number[]
  readonly effects: number[]
}

export const put = (form: Form, value: number): void => {
  form.a = Math.imul(form.a ^ value, 0x85ebca6b)
  form.a = ((form.a << 13) | (form.a >>> 19)) + 0x561ccd1b
  form.b = Math.imul(form.b + value, 0xc2b2ae35)
  form.b = ((form.b ^ (form.b >>> 15)) + value) | 0
}

const mix = (value: number): number => {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

export const appearing = (names: number[], name: number): number => {
  const at = names.indexOf(name)
  return at >= 0 ? at : names.push(name) - 1
}

const WORDS: readonly string[] = [
  ...['absent', 'looking', 'making', 'mounting', 'mounted', 'lost', 'unmounting', 'removing', 'vacant', 'leftover'],
  ...['uncertain', 'down', 'draining', 'discovering', 'retrying', 'up', 'attach', 'detach', 'release', 'host-up'],
  ...['reconcile', 'Look', 'MakeDirectory', 'Mount', 'Unmount', 'RemoveDirectory', 'Probe', 'Wait', 'Discover'],
  ...['settle', 'unmount-retry', 'back-off', 'keep-mounted', 'discovery-retry', 'none', 'wanted', 'held', 'overdue'],
  ...['ours', 'theirs', 'KeptByPolicy', 'Stacked', 'Foreign', 'NotOurs', 'Obstacle', 'Unknown', 'DeadlinePassed'],
  ...['HostDown', 'Refused', 'nothing', 'vacant layer', 'broken', 'us', 'other', 'Seen', 'MountFailed', 'Broken'],
  ...['no', 'drain', 'hard', 'Moved'],
]
const CODES: ReadonlyMap<string, number> = new Map(WORDS.map((word, index) => [word, index + 1]))

export const putWord = (form: Form, word: string | undefined): void =>
  put(form, word === undefined ? 0 : (CODES.get(word) ?? 99))

export const putFlag = (form: Form, flag: boolean): void => put(form, flag ? 1 : 0)

/** What others mount is what it is; ours are numbered as they appear. */
export const putSource = (form: Form, source: string | undefined): void => {
  if (source === undefined || source === '') {
    put(form, 0)
    return
  }
  if (source === 'x') {
    put(form, 1)
    return
  }
  if (source.endsWith(RESPELLED)) {
    put(form, -8)
    putSource(form, source.slice(0, -RESPELLED.length))
    return
  }
  const at = form.sources.indexOf(source)
  put(form, 2 + (at >= 0 ? at : form.sources.push(source) - 1))
}

export const beginForm = (): Form => ({ a: 0x12345, b: 0x6789a, sources: [], mountIds: [], effects: [] })

/** All that was put into a form. */
export const bitsOfForm = ({ a, b }: Form): Bits => ({ a: mix(a ^ mix(b)), b: mix(b + 0x9e3779b9) })

// Addresses and host names in their one canonical form, so that one server has one name (R9.5). The C
// library reads all of these spellings; two that it reads as the same address have to come out the same here.

import { withoutEnd } from './ends.js'

const decimal = /^(0|[1-9][0-9]*)$/
const octal = /^0[0-7]+$/
const hexadecimal = /^0[xX][0-9a-fA-F]+$/

const numberOf = (part: string): number | undefined => {
  if (decimal.test(part)) return Number.parseInt(part, 10)
  if (octal.test(part)) return Number.parseInt(part, 8)
  return hexadecimal.test(part) ? Number.parseInt(part, 16) : undefined
}

const IPV4_PARTS_MAX = 4
const IPV4_MAX = 0xff_ff_ff_ff

/** The 32 bits of an IPv4 address as inet_aton(3) reads it: `127.1`, `0x7f000001` and `0177.0.0.1` are `127.0.0.1`. */
const ipv4Bits = (text: string): number | undefined => {
  const parts = text.split('.')
  if (parts.length > IPV4_PARTS_MAX) return undefined
  let bits = 0
  for (const [index, part] of parts.entries()) {
    const value = numberOf(part)
    const last = index === parts.length - 1
    const most = last ? 256 ** (IPV4_PARTS_MAX - index) - 1 : 255
    if (value === undefined || value > most) return undefined
    bits = last ? bits + value : bits + value * 256 ** (3 - index)
  }
  return bits > IPV4_MAX ? undefined : bits
}

const dotted = (bits: number): string => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.')

const IPV6_GROUPS = 8

const embedded = /^([0-9]{1,3}\.){3}[0-9]{1,3}$/

/** The groups of one part between colons: one, or two of an IPv4 address. */
const groupsOfPart = (part: string): readonly number[] | undefined => {
  if (/^[0-9a-fA-F]{1,4}$/.test(part)) return [Number.parseInt(part, 16)]
  const bits = embedded.test(part) ? ipv4Bits(part) : undefined
  return bits === undefined ? undefined : [Math.floor(bits / 0x1_00_00), bits & 0xff_ff]
}

/** The 16-bit groups of one side of a `::`; an IPv4 address may stand at the end of the whole. */
const groupsOf = (text: string, atEnd: boolean): readonly number[] | undefined => {
  if (text === '') return []
  const parts = text.split(':')
  const misplaced = parts.some((part, index) => part.includes('.') && !(atEnd && index === parts.length - 1))
  const groups = parts.map(groupsOfPart)
  return misplaced || groups.includes(undefined) ? undefined : groups.flatMap((each) => each ?? [])
}

const ipv6Groups = (text: string): readonly number[] | undefined => {
  const [before = '', after, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const left = groupsOf(before, after === undefined)
  if (after === undefined) return left?.length === IPV6_GROUPS ? left : undefined
  const right = groupsOf(after, true)
  if (left === undefined || right === undefined) return undefined
  const zeros = IPV6_GROUPS - left.length - right.length
  return zeros < 1 ? undefined : [...left, ...Array.from({ length: zeros }, () => 0), ...right]
}

/** The longest run of at least two zero groups, the first of several, as RFC 5952 wants it. */
const longestZeros = (groups: readonly number[]): { readonly from: number; readonly length: number } => {
  let best = { from: 0, length: 1 }
  let from = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0) from = index + 1
    else if (index + 1 - from > best.length) best = { from, length: index + 1 - from }
  }
  return best
}

const ipv6Text = (groups: readonly number[]): string => {
  const hex = (some: readonly number[]): string => some.map((group) => group.toString(16)).join(':')
  const zeros = longestZeros(groups)
  if (zeros.length < 2) return hex(groups)
  return `${hex(groups.slice(0, zeros.from))}::${hex(groups.slice(zeros.from + zeros.length))}`
}

// `::ffff:192.0.2.1` is reached over IPv4, at 192.0.2.1.
const isMapped = (groups: readonly number[]): boolean =>
  groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xff_ff

/** An IPv6 address without brackets as RFC 5952 writes it, its zone kept; `undefined` if the text is none. */
export const canonicalIpv6 = (text: string): string | undefined => {
  const percent = text.indexOf('%')
  const groups = ipv6Groups(percent < 0 ? text : text.slice(0, percent))
  if (groups === undefined) return undefined
  if (isMapped(groups)) return dotted((groups[6] ?? 0) * 0x1_00_00 + (groups[7] ?? 0))
  return ipv6Text(groups) + (percent < 0 ? '' : text.slice(percent))
}

/** A host without brackets in its canonical form: an address, or a name in lower case without the final dot. */
export const canonicalHost = (host: string): string => {
  const address = canonicalIpv6(host)
  if (address !== undefined) return address
  const name = withoutEnd(
    host.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
    '.',
  )
  const bits = ipv4Bits(name)
  return bits === undefined ? name : dotted(bits)
}

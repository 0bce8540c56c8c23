// Numbers and sizes as those who get an option read them. Each reader gives one text for each meaning, or nothing for what it
// does not surely know: then an option is equal to its own text alone.

import { withoutEnds } from './ends.js'

/** Who reads a value, and so what it may look like. */
export type ValueReader =
  /** memparse of the kernel (tmpfs): decimal, octal or hexadecimal, K to E for powers of 1,024; `%` of the memory. */
  | 'kernel-size'
  /** mount(8) itself (offset, sizelimit): the same numbers, K to Y, KiB for 1,024 and KB for 1,000. */
  | 'mount-size'
  /** A decimal number, and K, M or G for powers of 1,024 (xfs). */
  | 'decimal-size'
  /** A decimal or hexadecimal number. With a leading zero one helper reads octal and another does not. */
  | 'number'
  /** A number that the kernel reads by its prefix: decimal, octal or hexadecimal. */
  | 'prefixed-number'
  /** Octal with or without the leading zero (mode). */
  | 'octal'
  /** A path below the root of a filesystem, with or without slashes at its ends (subvol). */
  | 'inner-path'

const POWERS = 'kmgtpezy'

const prefixed = /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i

const prefixedNumber = (text: string): bigint | undefined => {
  if (!prefixed.test(text)) return undefined
  return text.length > 1 && /^0[0-7]/.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text)
}

const UNSIGNED_MAX = 2n ** 64n - 1n

/** A number times a power; beyond 64 bits readers wrap around or refuse, each in its own way. */
const scaled = (number: bigint | undefined, base: bigint, suffix: string): string | undefined => {
  if (number === undefined) return undefined
  const value = number * base ** BigInt(suffix === '' ? 0 : POWERS.indexOf(suffix.toLowerCase()) + 1)
  return value > UNSIGNED_MAX ? undefined : String(value)
}

const kernelSize = (text: string): string | undefined => {
  const [, number = '', suffix = '', percent = ''] = /^(0x[0-9a-f]+|[0-9]+)([kmgtpe]?)(%?)$/i.exec(text) ?? []
  const value = scaled(prefixedNumber(number), 1024n, suffix)
  return value === undefined ? undefined : value + percent
}

const mountSize = (text: string): string | undefined => {
  const [, number = '', suffix = '', unit = ''] = /^(0x[0-9a-f]+|[0-9]+)(?:([kmgtpezy])(i?b)?)?$/i.exec(text) ?? []
  // mount(8) knows `KiB` and `Kib`, not `KIB`.
  if (unit.startsWith('I')) return undefined
  return scaled(prefixedNumber(number), unit.length === 1 ? 1000n : 1024n, suffix)
}

const decimalSize = (text: string): string | undefined => {
  const [, number = '', suffix = ''] = /^(0|[1-9][0-9]*)([kmg]?)$/i.exec(text) ?? []
  return scaled(number === '' ? undefined : BigInt(number), 1024n, suffix)
}

/** The unit of a size that its reader has accepted, if it is one letter, and the factor that it stands for. */
export const sizeUnit = (text: string): { readonly unit: string; readonly factor: bigint } => {
  const [, letter = '', rest = ''] = /^(?:0x[0-9a-f]+|[0-9]+)(?:([kmgtpezy])(i?b)?)?$/i.exec(text) ?? []
  if (letter === '' || rest !== '') return { unit: '', factor: 1n }
  return { unit: letter.toLowerCase(), factor: 1024n ** BigInt(POWERS.indexOf(letter.toLowerCase()) + 1) }
}

/** A plain number with one of the units that most readers share; read without big integers. */
const PLAIN_SIZE = /^([1-9][0-9]{0,5})([kmg]?)$/
const PLAIN_FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1_024, m: 1_048_576, g: 1_073_741_824 }

const plainSize = (reader: ValueReader, text: string): string | undefined => {
  if (!reader.endsWith('-size')) return undefined
  const [, number, unit = ''] = PLAIN_SIZE.exec(text) ?? []
  return number === undefined ? undefined : String(Number(number) * (PLAIN_FACTORS[unit] ?? 1))
}

/** The one text of all values that mean the same to their reader; `undefined` for what cannot be read. */
export const readValue = (reader: ValueReader, text: string): string | undefined => {
  const plain = plainSize(reader, text)
  if (plain !== undefined) return plain
  switch (reader) {
    case 'kernel-size':
      return kernelSize(text)
    case 'mount-size':
      return mountSize(text)
    case 'decimal-size':
      return decimalSize(text)
    case 'number':
      return /^0[0-9]/.test(text) ? undefined : scaled(prefixedNumber(text), 1n, '')
    case 'prefixed-number':
      return scaled(prefixedNumber(text), 1n, '')
    case 'octal':
      return /^[0-7]+$/.test(text) ? BigInt(`0o${text}`).toString(8) : undefined
    case 'inner-path':
      return `/${withoutEnds(text, '/')}`
  }
}

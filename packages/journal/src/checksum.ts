// CRC-32 of a part of a buffer, and the eight hexadecimal digits that a line begins with. In JavaScript, eight bytes at a time:
// a call into zlib costs more than a line of a journal does, and a journal may have millions of them.

const POLYNOMIAL = 0xedb88320
const BYTES = 8

/** `TABLES[n * 256 + byte]`: what a byte contributes when `n` bytes come after it. */
const TABLES = ((): Int32Array => {
  const tables = new Int32Array(BYTES * 256)
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] ?? 0
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0)
  }
  return tables
})()

const table = (index: number): number => TABLES[index] as number

/** The checksum of `bytes[from]` to `bytes[to - 1]`, unsigned. */
export const checksumOf = (bytes: Uint8Array, from: number, to: number): number => {
  const byte = (at: number): number => bytes[at] as number
  let crc = -1
  let at = from
  for (; at + BYTES <= to; at += BYTES) {
    const low = crc ^ (byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24))
    crc =
      table(1792 + (low & 0xff)) ^
      table(1536 + ((low >>> 8) & 0xff)) ^
      table(1280 + ((low >>> 16) & 0xff)) ^
      table(1024 + (low >>> 24)) ^
      table(768 + byte(at + 4)) ^
      table(512 + byte(at + 5)) ^
      table(256 + byte(at + 6)) ^
      table(byte(at + 7))
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ table((crc ^ byte(at)) & 0xff)
  return ~crc >>> 0
}

const CLOSING = 0x7d

/** Where the first part of `bytes[from]` to `bytes[to - 1]` ends that has this checksum and a closing brace at its end. */
export const endOfChecked = (bytes: Uint8Array, from: number, to: number, checksum: number): number | undefined => {
  let crc = -1
  for (let at = from; at < to; at += 1) {
    crc = (crc >>> 8) ^ table((crc ^ (bytes[at] as number)) & 0xff)
    if (bytes[at] === CLOSING && ~crc >>> 0 === checksum) return at + 1
  }
  return undefined
}

/** The digits of a checksum as a number; -1 for what are no eight of them in lower case. */
export const digitsAt = (bytes: Uint8Array, from: number): number => {
  let value = 0
  for (let at = from; at < from + BYTES; at += 1) {
    const byte = bytes[at] ?? 0
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

// Checks of single texts: names, paths, reasons. They need no settings, and each says what would be right (R10, L19).

import type { Invalid } from './refusal.js'
import { invisibleFault } from './invisible.js'

const PATH_BYTES_MAX = 4095

const COMPONENT_BYTES_MAX = 255

const NAME_BYTES_MAX = 255

const REASON_BYTES_MAX = 1_024

export const invalid = (field: string, why: string): Invalid => ({ _tag: 'Invalid', field, why })

/** How many bytes a string takes in UTF-8; a lone surrogate counts as the three bytes it would be replaced by. */
export const utf8Length = (text: string): number => {
  let bytes = 0
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 4
      index += 1
    } else bytes += 3
  }
  return bytes
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

/** Whether a character would end, hide or garble a line: C0, DEL, C1. */
const isControl = (unit: number): boolean => unit < 0x20 || (unit >= 0x7f && unit < 0xa0)

const controlAt = (text: string): number | undefined => {
  for (let index = 0; index < text.length; index += 1) {
    if (isControl(text.charCodeAt(index))) return index
  }
  return undefined
}

/** A lone surrogate has no bytes of its own and would reach the kernel as another name. */
const isLoneSurrogate = (text: string): boolean => {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0xd800 || unit >= 0xe000) continue
    if (isLowSurrogate(unit) || !isLowSurrogate(text.charCodeAt(index + 1))) return true
    index += 1
  }
  return false
}

/** Printable ASCII throughout: nearly every name and path, recognized in one pass. */
const isPlain = (text: string): boolean => {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20 || unit > 0x7e) return false
  }
  return true
}

export const checkText = (field: string, text: string, bytesMax: number): Invalid | undefined => {
  if (text === '') return invalid(field, 'is empty')
  if (text.length <= bytesMax && isPlain(text)) return undefined
  // Three bytes a character at most: most texts are short enough without counting.
  if (text.length * 3 > bytesMax && utf8Length(text) > bytesMax) {
    return invalid(field, `is longer than ${bytesMax} bytes`)
  }
  const control = controlAt(text)
  if (control !== undefined) return invalid(field, `has a control character at position ${control}`)
  return isLoneSurrogate(text) ? invalid(field, 'is not valid Unicode') : undefined
}

/** Why the host is taken down: 1 to 1,024 bytes without control characters. */
export const checkReason = (reason: string | undefined): Invalid | undefined =>
  reason === undefined ? undefined : checkText('reason', reason, REASON_BYTES_MAX)

const checkShown = (field: string, text: string): Invalid | undefined => {
  const fault = isPlain(text) ? undefined : invisibleFault(text)
  return fault === undefined ? undefined : invalid(field, fault)
}

/** Volume, consumer, id: 1 to 255 bytes without control, invisible and bidirectional characters. */
export const checkName = (field: string, name: string): Invalid | undefined =>
  checkText(field, name, NAME_BYTES_MAX) ?? checkShown(field, name)

/** An absolute path in its one canonical spelling. */
export const checkPath = (field: string, path: string): Invalid | undefined => {
  const bad = checkText(field, path, PATH_BYTES_MAX)
  if (bad !== undefined) return bad
  if (!path.startsWith('/')) return invalid(field, 'is not absolute: it must begin with /')
  if (path === '/') return undefined
  if (path.endsWith('/')) return invalid(field, 'must not end with /')
  if (path.includes('//')) return invalid(field, 'must not contain //')
  for (const component of path.slice(1).split('/')) {
    if (component === '.' || component === '..') return invalid(field, `must not contain the component ${component}`)
    if (component.length * 3 > COMPONENT_BYTES_MAX && utf8Length(component) > COMPONENT_BYTES_MAX) {
      return invalid(field, `has a component of more than ${COMPONENT_BYTES_MAX} bytes`)
    }
  }
  return undefined
}

/** The path of a mountpoint: people read it, so that nothing in it may be invisible. */
export const checkMountpointPath = (path: string): Invalid | undefined =>
  checkPath('mountpoint', path) ?? checkShown('mountpoint', path)

const DEADLINE_MS_MAX = 86_400_000

/** How long a caller is willing to wait. */
export const checkDeadline = (deadlineMs: number | undefined): Invalid | undefined =>
  deadlineMs === undefined || (Number.isInteger(deadlineMs) && deadlineMs >= 1 && deadlineMs <= DEADLINE_MS_MAX)
    ? undefined
    : invalid('deadlineMs', `is not a whole number of milliseconds from 1 to ${DEADLINE_MS_MAX}`)

/** A mountpoint that is above or below another one that is in use; both ways are refused. */
export const nested = (mountpoint: string, other: string): Invalid =>
  invalid(
    'mountpoint',
    `${mountpoint} is ${other.startsWith(`${mountpoint}/`) ? 'above' : 'below'} ${other}, which is in use`,
  )

// Patterns of allowed sources: what one matches, and which can match nothing. What can match nothing would look as if it allowed
// something, and every attach that relies on it would be refused; so a configuration with one is refused.

import type { TypeRule } from './settings.js'

/** Compares a pattern with a whole text; `*` matches any run without `/`. */
const matchesWhole = (pattern: string, text: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  if (!text.startsWith(first)) return false
  if (rest.length === 0) return text === first
  let from = first.length
  for (const [index, part] of rest.entries()) {
    const last = index === rest.length - 1
    const at = last ? text.length - part.length : text.indexOf(part, from)
    if (at < from || !text.startsWith(part, at) || text.slice(from, at).includes('/')) return false
    from = at + part.length
  }
  return true
}

const matches = (pattern: string, source: string): boolean =>
  pattern.endsWith('/') ? source === pattern.slice(0, -1) || source.startsWith(pattern) : matchesWhole(pattern, source)

/** Whether a type's rule allows this source. A path has to be canonical before; an adapter asks again for the real path. */
export const sourceAllowed = (rule: TypeRule, source: string): boolean =>
  rule.sources.some((pattern) => pattern === '*' || matches(pattern, source))

/** A component that would lead out of what a pattern allows: `server:/export/../etc`. */
export const DOTS: RegExp = /(^|[/:])\.{1,2}($|\/)/

/** What mount(8) would look up as a tag of a device. */
export const TAG: RegExp = /^(UUID|LABEL|PARTUUID|PARTLABEL|ID)=/i

/** What would be right instead of a pattern that no source of this type can match; `undefined` if one can. */
export const patternFault = ({ sourceIsPath }: Pick<TypeRule, 'sourceIsPath'>, pattern: string): string | undefined => {
  if (pattern === '*') return undefined
  if (sourceIsPath && !pattern.startsWith('/')) return 'a path beginning with "/", such as /srv/exports/, or "*"'
  if (pattern.endsWith('/') && pattern.includes('*'))
    return 'a pattern with "*" or with "/" at its end, not with both, which no source matches'
  if (sourceIsPath && pattern.includes('//')) return 'a path without "//": no source has it'
  if (DOTS.test(pattern)) return 'a pattern without "." and ".." between slashes: no source has them'
  if (TAG.test(pattern)) return 'a device by its path: a tag is no source'
  return undefined
}

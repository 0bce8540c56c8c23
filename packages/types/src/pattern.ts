// Patterns of allowed sources: taken apart like a source, and compared with it part by part, so that no part of a source can
// stand for another. A pattern that no source can match would look as if it allowed something; it is refused.

import { canonicalHost } from './address.js'
import { withoutEnd } from './ends.js'
import type { Monitor, ParsedSource, SourceForm } from './source.js'
import { cutHost, cutPort, cutUser } from './source.js'

/** Compares a pattern with a whole text; each `*` stands for a run that `fits`, of at least `least` characters. */
const glob = (pattern: string, text: string, least: number, fits: RegExp): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  if (!text.startsWith(first)) return false
  if (rest.length === 0) return text === first
  let from = first.length
  for (const [index, part] of rest.entries()) {
    const last = index === rest.length - 1
    const at = last ? text.length - part.length : text.indexOf(part, from + least)
    if (at < from + least || !text.startsWith(part, at) || !fits.test(text.slice(from, at))) return false
    from = at + part.length
  }
  return true
}

const ANY_RUN = /^[^/]*$/
const HOST_RUN = /^[A-Za-z0-9.-]+$/
const USER_RUN = /^[^@]*$/

const inLowerCase = (host: string): string => withoutEnd(host.toLowerCase(), '.')

const bare = (host: string): string => /^\[([^\]]*)\]$/.exec(host)?.[1] ?? host

/** A pattern of a host: `*` is one or more of `[A-Za-z0-9.-]`; without one, an address is compared by what it means. */
const hostMatches = (pattern: string, host: string): boolean =>
  pattern.includes('*')
    ? glob(inLowerCase(pattern), inLowerCase(host), 1, HOST_RUN)
    : canonicalHost(bare(pattern)) === canonicalHost(bare(host))

/** A path, of this host or within an export: `*` is any run without `/`; with `/` at its end, the directory and all below. */
const pathMatches = (pattern: string, path: string): boolean =>
  pattern.endsWith('/') ? path === pattern.slice(0, -1) || path.startsWith(pattern) : glob(pattern, path, 0, ANY_RUN)

type Parts = Exclude<ParsedSource, { readonly _tag: 'Label' }>

/** The parts of a pattern: those of a source, with stars in them. */
const exportPattern = (form: SourceForm, pattern: string): Parts | undefined => {
  const { user, rest } = form === 'sshfs' ? cutUser(pattern) : { user: undefined, rest: pattern }
  const last = rest.lastIndexOf(':')
  const atLast = last < 0 ? undefined : { host: rest.slice(0, last), path: rest.slice(last + 1) }
  const cut = form === 'glusterfs' ? atLast : cutHost(rest)
  if (cut === undefined || cut.host.includes('/') || cut.host === '') return undefined
  const hosts = cut.host.startsWith('[') ? [cut.host] : cut.host.split(',')
  return { _tag: 'Export', user, hosts, path: cut.path }
}

const sharePattern = (pattern: string): Parts | undefined => {
  const [, host, path] = /^\/\/([^/\\,]+)(\/[^\\,]*)$/.exec(pattern) ?? []
  return host === undefined || path === undefined ? undefined : { _tag: 'Share', host, path }
}

const cephPattern = (pattern: string): Parts | undefined => {
  const [, user, fsid, name, inCluster] = /^([^@/]*)@([^./]*)\.([^=/]*)=(\/.*)$/.exec(pattern) ?? []
  if (user !== undefined && fsid !== undefined && name !== undefined && inCluster !== undefined)
    return { _tag: 'Cluster', user, fsid, name, path: inCluster }
  const [, device, path = ''] = /^([^/]+):(\/.*)?$/.exec(pattern) ?? []
  return device === undefined ? undefined : { _tag: 'Monitors', monitors: device.split(',').map(cutPort), path }
}

/** Takes a pattern apart; `undefined` if no source of that form can match it. */
const parsePattern = (form: SourceForm, pattern: string): Parts | undefined => {
  switch (form) {
    case 'path':
    case 'fuse-path':
      return { _tag: 'Path', path: pattern }
    case 'glusterfs':
      return pattern.startsWith('/') ? { _tag: 'Path', path: pattern } : exportPattern(form, pattern)
    case 'nfs':
    case 'sshfs':
      return exportPattern(form, pattern)
    case 'unc':
      return sharePattern(pattern)
    case 'ceph':
      return cephPattern(pattern)
    case 'label':
    case 'opaque':
      return undefined
  }
}

/** The ports of monitors that need not be named. */
const MONITOR_PORTS: ReadonlySet<string | undefined> = new Set([undefined, '3300', '6789'])

const monitorMatches = (pattern: Monitor, { host, port }: Monitor): boolean =>
  hostMatches(pattern.host, host) && (pattern.port === undefined ? MONITOR_PORTS.has(port) : pattern.port === port)

/** A pattern that names no user says nothing of it where its host begins with `*`; any other host is meant without one. */
const userMatches = (pattern: string | undefined, hosts: readonly string[], user: string | undefined): boolean => {
  if (pattern === undefined) return user === undefined || hosts.every((host) => host.startsWith('*'))
  return user !== undefined && glob(pattern, user, 1, USER_RUN)
}

const partsMatch = (pattern: Parts, source: ParsedSource): boolean => {
  switch (source._tag) {
    case 'Label':
      return false
    case 'Path':
      return pattern._tag === 'Path' && pathMatches(pattern.path, source.path)
    case 'Export':
      return (
        pattern._tag === 'Export' &&
        userMatches(pattern.user, pattern.hosts, source.user) &&
        source.hosts.every((host) => pattern.hosts.some((each) => hostMatches(each, host))) &&
        pathMatches(pattern.path, source.path)
      )
    case 'Share':
      return (
        pattern._tag === 'Share' &&
        hostMatches(pattern.host, source.host) &&
        pathMatches(pattern.path, `/${source.path}`)
      )
    case 'Monitors':
      return (
        pattern._tag === 'Monitors' &&
        source.monitors.every((monitor) => pattern.monitors.some((each) => monitorMatches(each, monitor))) &&
        pathMatches(pattern.path, source.path)
      )
    case 'Cluster':
      return (
        pattern._tag === 'Cluster' &&
        glob(pattern.user, source.user, 1, USER_RUN) &&
        glob(pattern.fsid, source.fsid, 0, ANY_RUN) &&
        glob(pattern.name, source.name, 1, ANY_RUN) &&
        pathMatches(pattern.path, source.path)
      )
  }
}

/** Where a helper may look for a host in a text whose reader is not known: before the first `/` that does not begin one. */
const HEAD = /^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/]*|^[^/]*/

const cutHead = (text: string): readonly [string, string] => {
  const [head = ''] = HEAD.exec(text) ?? []
  return [head, text.slice(head.length)]
}

const opaqueMatches = (pattern: string, text: string): boolean => {
  const [head, tail] = cutHead(pattern)
  const [host, path] = cutHead(text)
  return glob(head, host, 1, HOST_RUN) && pathMatches(tail, path)
}

/** Whether one pattern allows a source that has been taken apart. */
const patternAllows = (form: SourceForm, pattern: string, source: ParsedSource): boolean => {
  // A volume file says what a daemon of root does: only a pattern that is a path allows it.
  if (pattern === '*') return !(form === 'glusterfs' && source._tag === 'Path')
  if (source._tag === 'Label') {
    return form === 'opaque' ? opaqueMatches(pattern, source.text) : pathMatches(pattern, source.text)
  }
  const parts = parsePattern(form, pattern)
  return parts !== undefined && partsMatch(parts, source)
}

/** Whether one of the patterns allows a source. A path has to be canonical before; an adapter asks again for the real path. */
export const sourceMatches = (form: SourceForm, patterns: readonly string[], source: ParsedSource): boolean =>
  patterns.some((pattern) => patternAllows(form, pattern, source))

/** Whether one of the patterns allows a path of this host. */
export const pathAllowed = (patterns: readonly string[], path: string): boolean =>
  patterns.some((pattern) => pattern === '*' || (pattern.startsWith('/') && pathMatches(pattern, path)))

/** Whether a host is one that the patterns of a form allow. */
export const hostAllowed = (form: SourceForm, patterns: readonly string[], host: string): boolean =>
  patterns.some((pattern) => {
    if (pattern === '*') return true
    const parts = parsePattern(form, pattern)
    if (parts?._tag === 'Export') return parts.hosts.some((each) => hostMatches(each, host))
    if (parts?._tag === 'Monitors') return parts.monitors.some((each) => hostMatches(each.host, host))
    return parts?._tag === 'Share' && hostMatches(parts.host, host)
  })

/** A component that would lead out of what a pattern allows: `server:/export/../etc`. */
export const DOTS: RegExp = /(^|[/:])\.{1,2}($|\/)/

/** What mount(8) would look up as a tag of a device. */
export const TAG: RegExp = /^(UUID|LABEL|PARTUUID|PARTLABEL|ID)=/i

const EXAMPLES: Readonly<Partial<Record<SourceForm, string>>> = {
  nfs: 'host:/path, such as *.corp.example:/export/*',
  sshfs: 'host:path, such as *.corp.example:/export/*',
  glusterfs: 'host:/volume, such as gluster.corp.example:/volume, or the path of a volume file',
  unc: '//host/share, such as //nas.corp.example/*',
  ceph: 'mon:/path or user@fsid.name=/path, such as mon1,mon2:/volumes/',
}

/** The text in which a star and an ending `/` exclude each other. */
const pathPart = (form: SourceForm, pattern: string): string => {
  const parts = parsePattern(form, pattern)
  if (parts !== undefined) return parts.path
  return form === 'opaque' ? cutHead(pattern)[1] : pattern
}

/** What would be right instead of a pattern that no source of this form can match; `undefined` if one can. */
export const patternFault = (form: SourceForm, pattern: string): string | undefined => {
  if (pattern === '*') return undefined
  const isPath = form === 'path' || form === 'fuse-path'
  if (isPath && !pattern.startsWith('/')) return 'a path beginning with "/", such as /srv/exports/, or "*"'
  const example = EXAMPLES[form]
  if (example !== undefined && parsePattern(form, pattern) === undefined) return `${example}, or "*"`
  const path = pathPart(form, pattern)
  if (path.endsWith('/') && path.includes('*'))
    return 'a pattern with "*" or with "/" at its end; with both it matches no source'
  if (isPath && pattern.includes('//')) return 'a path without "//": no source has it'
  if (DOTS.test(pattern)) return 'a pattern without "." and ".." between slashes: no source has them'
  if (TAG.test(pattern)) return 'a device path: a tag is not a source'
  return undefined
}

// Sources, taken apart by the rules of the helper that will read them (R10.2: one reading of each text).
// What two readers could take apart in two ways is refused, whatever the list of allowed sources says; what a command gets is
// rewritten from the parts.

import { canonicalIpv6 } from './address.js'
import type { Wrong } from './grammar.js'
import { wrong } from './grammar.js'

/** Who reads a source, and so how it is taken apart. */
export type SourceForm =
  /** A path of this host: bind, block devices and images, bindfs. */
  | 'path'
  /** The same, by a FUSE helper that makes an option of it. */
  | 'fuse-path'
  /** A name that is only shown: tmpfs, overlay. */
  | 'label'
  /** `host:/path`, `host,other:/path`, `[v6]:/path`: mount.nfs cuts at the first colon. */
  | 'nfs'
  /** `user@host:path`, `user@[v6]:path`: what comes before the colon goes to ssh. */
  | 'sshfs'
  /** `host,other:/volume`: mount.glusterfs cuts at the last colon, and at a space; or the path of a volume file. */
  | 'glusterfs'
  /** `//host/share/path`: mount.cifs reads `\` as `/`, and a comma would begin an option. */
  | 'unc'
  /** `mon:6789,other:/path`, or `user@fsid.name=/path`. */
  | 'ceph'
  /** Read by a helper that is not known. */
  | 'opaque'

/** Every form, for those who read one from outside. */
export const SOURCE_FORMS: Readonly<Record<SourceForm, true>> = {
  path: true,
  'fuse-path': true,
  label: true,
  nfs: true,
  sshfs: true,
  glusterfs: true,
  unc: true,
  ceph: true,
  opaque: true,
}

/** Whether a value from outside names a form. */
export const isSourceForm = (value: unknown): value is SourceForm =>
  typeof value === 'string' && Object.hasOwn(SOURCE_FORMS, value)

/** A monitor of a ceph cluster. */
export interface Monitor {
  readonly host: string
  readonly port: string | undefined
}

/** The parts of a source. */
export type ParsedSource =
  | { readonly _tag: 'Path'; readonly path: string }
  | { readonly _tag: 'Label'; readonly text: string }
  | {
      readonly _tag: 'Export'
      readonly user: string | undefined
      readonly hosts: readonly string[]
      readonly path: string
    }
  | { readonly _tag: 'Share'; readonly host: string; readonly path: string }
  | { readonly _tag: 'Monitors'; readonly monitors: readonly Monitor[]; readonly path: string }
  | {
      readonly _tag: 'Cluster'
      readonly user: string
      readonly fsid: string
      readonly name: string
      readonly path: string
    }

const HOST = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u

/** What is wrong with one host of a source. */
const hostFault = (host: string): string | undefined => {
  const address = /^\[([^\]]*)\]$/.exec(host)?.[1]
  if (address !== undefined) {
    return canonicalIpv6(address) === undefined
      ? `has brackets around ${address}, which is not an IPv6 address`
      : undefined
  }
  if (host === '') return 'has an empty host'
  return HOST.test(host) ? undefined : `has ${host} for a host, which is neither a host name nor an address`
}

const firstFault = (hosts: readonly string[]): string | undefined =>
  hosts.map(hostFault).find((fault) => fault !== undefined)

const beforeSlash = (source: string): string => source.split('/', 1)[0] ?? source

/** Cuts at the colon that ends the host: the first one, or the one after an address in brackets. */
export const cutHost = (text: string): { readonly host: string; readonly path: string } | undefined => {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1
  const colon = text.indexOf(':', bracket < 0 ? 0 : bracket)
  return colon < 0 ? undefined : { host: text.slice(0, colon), path: text.slice(colon + 1) }
}

const SECOND_COLON = 'has a second colon before its path; write an IPv6 address in brackets'

const hostsOf = (host: string): readonly string[] => (host.startsWith('[') ? [host] : host.split(','))

const parseNfs = (source: string): ParsedSource | Wrong => {
  if (/^nfs:\/\//i.test(source)) return wrong('is a URL; write host:/path')
  const cut = cutHost(source)
  if (cut === undefined || cut.host.includes('/')) return wrong('is not host:/path')
  if (beforeSlash(cut.path).includes(':')) return wrong(SECOND_COLON)
  const hosts = hostsOf(cut.host)
  const fault = firstFault(hosts)
  return fault === undefined ? { _tag: 'Export', user: undefined, hosts, path: cut.path } : wrong(fault)
}

const parseGlusterfs = (source: string): ParsedSource | Wrong => {
  if (source.includes(' ')) return wrong('must not contain a space (mount.glusterfs would end the volume there)')
  if (source.startsWith('/') && !source.includes(':')) return { _tag: 'Path', path: source }
  const colon = source.lastIndexOf(':')
  if (colon < 0) return wrong('is not host:/volume')
  const host = source.slice(0, colon)
  if (host.includes('/'))
    return wrong('must not have a colon in the volume (mount.glusterfs would begin the volume there)')
  if (host.includes('[')) return wrong('has brackets, which mount.glusterfs cannot read; write the address without')
  const hosts = host.split(',')
  const fault = firstFault(hosts.filter((each) => canonicalIpv6(each) === undefined))
  return fault === undefined ? { _tag: 'Export', user: undefined, hosts, path: source.slice(colon + 1) } : wrong(fault)
}

const USER = /^[\p{L}\p{N}_][^[\]:,\s\\]*$/u

/** The user before the host, and the rest. */
export const cutUser = (text: string): { readonly user: string | undefined; readonly rest: string } => {
  const [, user] = /^([^:[\]/]*)@/.exec(text) ?? []
  return { user, rest: user === undefined ? text : text.slice(user.length + 1) }
}

const parseSshfs = (source: string): ParsedSource | Wrong => {
  const { user, rest } = cutUser(source)
  const cut = cutHost(rest)
  if (cut === undefined || cut.host.includes('/')) return wrong('is not host:path')
  if (user !== undefined && !USER.test(user)) return wrong(`has ${user} for a user, which is not a user name`)
  const fault = hostFault(cut.host)
  if (fault !== undefined) return wrong(fault)
  if (beforeSlash(cut.path).includes(':')) return wrong(SECOND_COLON)
  return { _tag: 'Export', user, hosts: [cut.host], path: cut.path }
}

const parseUnc = (source: string): ParsedSource | Wrong => {
  if (source.includes('\\')) return wrong('must not contain a backslash; write //host/share')
  if (source.includes(',')) return wrong('must not contain a comma (it would begin an option)')
  const [, host, path] = /^\/\/([^/]*)\/([^/].*)$/.exec(source) ?? []
  if (host === undefined || path === undefined) return wrong('is not //host/share')
  const fault = canonicalIpv6(host) === undefined ? hostFault(host) : undefined
  return fault === undefined ? { _tag: 'Share', host, path } : wrong(fault)
}

/** A monitor with its port; an IPv6 address without brackets has none. */
export const cutPort = (monitor: string): Monitor => {
  if (canonicalIpv6(monitor) !== undefined) return { host: monitor, port: undefined }
  const [, host = monitor, port] = /^(.*):([0-9]+)$/.exec(monitor) ?? []
  return { host, port }
}

const CLUSTER = /^([^@]*)@([^.]*)\.([^=]*)=(\/.*)$/
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/

const parseCluster = (source: string): ParsedSource | Wrong => {
  const [, user = '', fsid = '', name = '', path = ''] = CLUSTER.exec(source) ?? []
  if (!PLAIN.test(user) || !/^[A-Za-z0-9-]*$/.test(fsid) || !PLAIN.test(name))
    return wrong('is not user@fsid.name=/path')
  return { _tag: 'Cluster', user, fsid, name, path }
}

const parseCeph = (source: string): ParsedSource | Wrong => {
  if (beforeSlash(source).includes('=')) return parseCluster(source)
  const [, device, path = ''] = /^([^/]*):(\/.*)?$/.exec(source) ?? []
  if (device === undefined) return wrong('is not mon:/path')
  const monitors = device.split(',').map(cutPort)
  const hosts = monitors.map(({ host }) => host).filter((host) => canonicalIpv6(host) === undefined)
  const fault = firstFault(hosts)
  return fault === undefined ? { _tag: 'Monitors', monitors, path } : wrong(fault)
}

const parseFusePath = (source: string): ParsedSource | Wrong =>
  /[\\,]/.test(source)
    ? wrong('must not contain a comma or a backslash (FUSE would end the option there); rename the directory')
    : { _tag: 'Path', path: source }

const parseOpaque = (source: string): ParsedSource | Wrong => {
  if (source.includes('\\')) return wrong('must not contain a backslash (a helper may read it differently)')
  return source.includes(',')
    ? wrong('must not contain a comma (a helper may begin an option there)')
    : { _tag: 'Label', text: source }
}

/** A `-` where a helper may look for the beginning of a host: it could be handed on as an option. */
const optionLike = (source: string): string | undefined =>
  /[@[]-/.test(beforeSlash(source)) ? 'must not have - after @ or [ (a helper could read it as an option)' : undefined

const LOCAL: ReadonlySet<SourceForm> = new Set(['path', 'label'])

/** Takes a source apart, or says why its readers would not agree on its parts. */
export const parseSource = (form: SourceForm, source: string): ParsedSource | Wrong => {
  const fault = LOCAL.has(form) ? undefined : optionLike(source)
  if (fault !== undefined) return wrong(fault)
  switch (form) {
    case 'path':
      return { _tag: 'Path', path: source }
    case 'fuse-path':
      return parseFusePath(source)
    case 'label':
      return { _tag: 'Label', text: source }
    case 'nfs':
      return parseNfs(source)
    case 'sshfs':
      return parseSshfs(source)
    case 'glusterfs':
      return parseGlusterfs(source)
    case 'unc':
      return parseUnc(source)
    case 'ceph':
      return parseCeph(source)
    case 'opaque':
      return parseOpaque(source)
  }
}

const monitorText = ({ host, port }: Monitor): string => (port === undefined ? host : `${host}:${port}`)

/** A source as a helper gets it, written from its parts. */
export const writeSource = (source: ParsedSource): string => {
  switch (source._tag) {
    case 'Path':
      return source.path
    case 'Label':
      return source.text
    case 'Export':
      return `${source.user === undefined ? '' : `${source.user}@`}${source.hosts.join(',')}:${source.path}`
    case 'Share':
      return `//${source.host}/${source.path}`
    case 'Monitors':
      return `${source.monitors.map(monitorText).join(',')}:${source.path}`
    case 'Cluster':
      return `${source.user}@${source.fsid}.${source.name}=${source.path}`
  }
}

// The server of a source: whose slots are counted together, and what `refuse-new` names (R9.5). One
// server has one name, however a source spells it.

import { canonicalHost, canonicalIpv6, withoutEnd } from '@mountkeeper/types'
import { ruleOf } from './agree.js'
import type { Filesystem } from './filesystem.js'
import type { Settings } from './settings.js'

type Known = Pick<Settings, 'types' | 'aliases'>

const aliased = ({ aliases }: Pick<Settings, 'aliases'>, name: string): string =>
  aliases !== undefined && Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name

/**
 * The name under which a server is counted: its host in lower case without the final dot, an address in canonical form
 * without brackets, and then what `aliases` says. Text with a `/` is no host (a type whose whole source is its server).
 */
export const canonicalServer = (settings: Pick<Settings, 'aliases'>, server: string): string => {
  if (server.includes('/')) return aliased(settings, server)
  const host = withoutEnd(server.slice(server.lastIndexOf('@') + 1), '.')
  const bare = /^\[([^\]]*)\]$/.exec(host)?.[1] ?? host
  return aliased(settings, canonicalHost(bare) || server)
}

/** A source without `user@`; neither a user nor a host has a colon or a slash in it. */
const withoutUser = (source: string): string => source.replace(/^[^:/]*@/, '')

/**
 * The hosts before the colon that ends them. Brackets count only where an address begins. An IPv6 address without brackets is
 * read as one, although some helpers cut it at its first colon: else all such servers were one.
 */
const hostsBeforeColon = (source: string): readonly string[] => {
  const text = withoutUser(source)
  const end = hostEnd(text)
  const host = text.slice(0, end)
  return text[end] === ',' ? [host, ...hostsBeforeColon(text.slice(end + 1))] : [host]
}

const hostEnd = (text: string): number => {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1
  if (bracket >= 0) return bracket + 1
  const slash = text.indexOf('/')
  const device = slash < 0 ? text : text.slice(0, slash)
  const comma = device.indexOf(',')
  const end = comma < 0 ? device.lastIndexOf(':') : comma
  if (end > 0 && canonicalIpv6(device.slice(0, end)) !== undefined) return end
  const first = device.search(/[:,]/)
  return first < 0 ? device.length : first
}

const uncHost = (source: string): string => {
  const part = source.split(/[/\\]/).find((each) => each !== '') ?? ''
  return part.slice(part.lastIndexOf('@') + 1)
}

/** The monitors of `mon:6789,[v6]:6789:/path`, each without its port, or the cluster of `user@fsid.name=/path`. */
const cephHosts = (source: string): readonly string[] => {
  const slash = source.indexOf('/')
  const device = slash < 0 ? source : source.slice(0, slash)
  const cluster = /^[^@,]*@([^.]*)\.[^=]*=$/.exec(device)
  if (cluster !== null) return [cluster[1] ?? '']
  const monitors = device.replace(/:$/, '').split(',')
  const hosts = monitors.map((each) => canonicalIpv6(each) ?? hostsBeforeColon(each)[0] ?? each)
  // A cluster is one server whichever of its monitors is named first.
  return hosts.map((host) => canonicalServer({}, host)).sort()
}

const hostsOf = (settings: Known, { type, source }: Filesystem): readonly string[] => {
  switch (ruleOf(settings, type).server) {
    case 'host-colon':
      return hostsBeforeColon(source)
    case 'unc':
      return [uncHost(source)]
    case 'ceph':
      return cephHosts(source)
    case 'source':
    case 'none':
      return [source]
  }
}

/** All servers of a source, the one that is asked first before the others; none for types that cannot hang. */
export const serversOf = (settings: Known, filesystem: Filesystem): readonly string[] => {
  if (!ruleOf(settings, filesystem.type).mayHang) return []
  // A source that names no host is a server of its own: one without a name would count as one that cannot hang.
  return hostsOf(settings, filesystem).map((host) => canonicalServer(settings, host) || filesystem.source)
}

/** The server of a source, whose slots are counted together; `''` for types that take no server slot. */
export const serverOf = (settings: Known, filesystem: Filesystem): string => serversOf(settings, filesystem)[0] ?? ''

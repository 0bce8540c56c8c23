// The form of a source, as the helper that gets it takes it apart (specification, section 10: one reading of each text). What
// the helper would read otherwise than the list of allowed sources does is refused, whatever the list says.

import { canonicalIpv6 } from './address.js'
import type { TypeRule } from './settings.js'

const HOST = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u

const SSHFS: ReadonlySet<string> = new Set(['sshfs', 'fuse.sshfs'])

/** What is wrong with one host of a source. */
const hostFault = (host: string): string | undefined => {
  const address = /^\[([^\]]*)\]$/.exec(host)?.[1]
  if (address !== undefined) {
    return canonicalIpv6(address) === undefined ? `has brackets around ${address}, which is no IPv6 address` : undefined
  }
  if (host === '') return 'has an empty host'
  return HOST.test(host) ? undefined : `has ${host} for a host, which is no host name and no address`
}

const firstFault = (hosts: readonly string[]): string | undefined =>
  hosts.map(hostFault).find((fault) => fault !== undefined)

const beforeSlash = (source: string): string => source.split('/', 1)[0] ?? source

/** Cuts at the colon that ends the host: the first one, or the one after an address in brackets. */
const cutHost = (device: string): { readonly host: string; readonly path: string } | undefined => {
  const bracket = device.startsWith('[') ? device.indexOf(']') : -1
  const colon = device.indexOf(':', bracket < 0 ? 0 : bracket)
  return colon < 0 ? undefined : { host: device.slice(0, colon), path: device.slice(colon + 1) }
}

const SECOND_COLON = 'has a second colon before its path; write an IPv6 address in brackets'

/** `host:/path` of NFS: the helper cuts at the first colon, and a list `host,other:/path` at the comma. */
const nfsFault = (source: string): string | undefined => {
  if (/^nfs:\/\//i.test(source)) return 'is a URL; write host:/path'
  const cut = cutHost(beforeSlash(source))
  if (cut === undefined) return undefined
  if (cut.path.includes(':')) return SECOND_COLON
  return cut.host.startsWith('[') ? hostFault(cut.host) : firstFault(cut.host.split(','))
}

/** `host:/vol` of GlusterFS: its script takes the volume from after the last colon, and up to a space. */
const glusterfsFault = (source: string): string | undefined => {
  const colon = source.lastIndexOf(':')
  if (colon < 0) return undefined
  if (source.includes(' ')) return 'has a space in it, where mount.glusterfs would end the volume'
  const hosts = source.slice(0, colon)
  if (hosts.includes('/')) return 'has a colon in the volume, where mount.glusterfs would begin it'
  if (hosts.includes('[')) return 'has brackets, which mount.glusterfs cannot read; write the address without'
  return firstFault(hosts.split(',').filter((host) => canonicalIpv6(host) === undefined))
}

const USER = /^[\p{L}\p{N}_][^[\]:,\s\\]*$/u

/** `user@host:path` of sshfs: what comes before the colon goes to ssh, which takes a leading `-` for an option. */
const sshfsFault = (source: string): string | undefined => {
  const device = beforeSlash(source)
  const [, user] = /^([^:[\]]*)@/.exec(device) ?? []
  const cut = cutHost(user === undefined ? device : device.slice(user.length + 1))
  if (cut === undefined) return undefined
  if (user !== undefined && !USER.test(user)) return `has ${user} for a user, which is no user name`
  return hostFault(cut.host) ?? (cut.path.includes(':') ? SECOND_COLON : undefined)
}

/** `//host/share` of CIFS: the helper reads `\` as `/`, and a comma would begin an option. */
const uncFault = (source: string): string | undefined => {
  if (source.includes('\\')) return 'has a backslash in it; write //host/share'
  if (source.includes(',')) return 'has a comma in it, which would begin an option'
  const [, host] = /^\/\/([^/]*)\/[^/]/.exec(source) ?? []
  if (host === undefined) return 'is not //host/share'
  return canonicalIpv6(host) === undefined ? hostFault(host) : undefined
}

/** `mon:6789,other:/path` of ceph, or `user@fsid.name=/path`. */
const cephFault = (source: string): string | undefined => {
  const device = beforeSlash(source).replace(/:$/, '')
  if (device.includes('=')) return undefined
  const hosts = device.split(',').filter((monitor) => canonicalIpv6(monitor) === undefined)
  return firstFault(hosts.map((monitor) => monitor.replace(/:[0-9]+$/, '')))
}

/** A `-` where a helper may look for the beginning of a host: it could be handed on as an option. */
const optionLike = (source: string): string | undefined =>
  /[@[]-/.test(beforeSlash(source)) ? 'has - after @ or [, where a helper could take it for an option' : undefined

/** What is wrong with the form of a source, for those who read it; `undefined` if all of them read the same. */
export const sourceFault = (type: string, rule: TypeRule, source: string): string | undefined => {
  if (rule.sourceIsPath || !rule.mayHang) return undefined
  const fault = optionLike(source)
  if (fault !== undefined) return fault
  if (type === 'glusterfs') return glusterfsFault(source)
  if (SSHFS.has(type)) return sshfsFault(source)
  switch (rule.server) {
    case 'host-colon':
      return nfsFault(source)
    case 'unc':
      return uncFault(source)
    case 'ceph':
      return cephFault(source)
    case 'source':
    case 'none':
      return undefined
  }
}

// Types whose data are on a server.

import type { TypeEntry } from '../entry.js'
import { allowed, byName, each, entry } from '../entry.js'
import type { Grammar } from '../grammar.js'
import { FLAG, NAME, number, secret, words } from '../grammar.js'

const CLIENT = 'concerns this client alone'
const ATTRIBUTES = 'concerns this mount alone'
const HIDDEN = 'names another server than the source does: the sources have to allow it'
const FILE = 'names a file, which root would read or write: only below directories that an administrator names'
const PORT = 'chooses a service of the server, and so who answers'
const PROGRAM = 'names a program or a library'
const USER = 'names a user'
const YES: Grammar = words('yes', 'no')
const ANY_PORT: Grammar = number(1, 65_535)

const DAY_SECONDS = 86_400

const never = (names: readonly string[], reason: string): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, reason]))

const NFS_VERSIONS = words('3', '4', '4.0', '4.1', '4.2')

const nfs = (fstypes: readonly string[]): TypeEntry =>
  entry({
    form: 'nfs',
    appears: { _tag: 'Source', fstypes },
    mayHang: true,
    server: 'host-colon',
    options: {
      vers: allowed(NFS_VERSIONS, 'a version that checks what it gets'),
      proto: allowed(words('tcp', 'tcp6', 'rdma'), 'udp damages data at today’s speeds'),
      ...each(['hard', 'soft', 'nolock'], allowed(FLAG, CLIENT)),
      timeo: allowed(number(1, 6_000), CLIENT),
      retrans: allowed(number(0, 100), CLIENT),
      ...each(['rsize', 'wsize'], allowed(number(1_024, 4_194_304), CLIENT)),
      sec: allowed(words('sys', 'krb5', 'krb5i', 'krb5p'), '`none` is not in the list'),
      port: byName(ANY_PORT, PORT),
    },
    never: never(
      ['addr', 'mountaddr', 'mounthost', 'mountport', 'clientaddr', 'mountprog', 'nfsprog', 'v4.0addr'],
      'another server than the source names, past the list of sources',
    ),
    aliases: { nfsvers: 'vers' },
    exclusive: [
      ['hard', 'soft', 'softerr'],
      ['fg', 'bg'],
      ['proto', 'tcp', 'udp', 'rdma'],
      ['vers', 'v2', 'v3', 'v4', 'v4.0', 'v4.1', 'v4.2'],
    ],
    defaults: ['hard'],
  })

export const NFS: TypeEntry = nfs(['nfs', 'nfs4'])
export const NFS4: TypeEntry = nfs(['nfs4', 'nfs'])

const ID: Grammar = number(0, 4_294_967_294)
const MODE: Grammar = number(0, 0o777, 'octal')

export const CIFS: TypeEntry = entry({
  form: 'unc',
  appears: { _tag: 'Source', fstypes: ['cifs', 'smb3'] },
  mayHang: true,
  server: 'unc',
  options: {
    credentials: allowed(secret('credentials-file'), 'a secret: the file is named by reference alone'),
    PASSWD: byName(
      secret('environment'),
      'a secret, which mount.cifs takes from this variable; the user is root without `credentials`',
    ),
    vers: allowed(words('default', '2.0', '2.1', '3', '3.0', '3.02', '3.1.1'), '`1.0` is not in the list'),
    ...each(['uid', 'gid'], allowed(ID, 'a number, never a name')),
    ...each(['file_mode', 'dir_mode'], allowed(MODE, 'permissions without setuid, setgid and sticky')),
    domain: allowed(NAME, 'a name without a meaning on this host'),
    sec: allowed(words('ntlmssp', 'ntlmsspi', 'krb5', 'krb5i'), '`none` and old forms are not in the list'),
    seal: allowed(FLAG, 'encrypts'),
    port: byName(ANY_PORT, PORT),
  },
  never: never(['ip', 'addr', 'unc', 'prefixpath', 'netbiosname', 'servern'], 'another server than the source names'),
  aliases: { cred: 'credentials', dom: 'domain', workgroup: 'domain', username: 'user', password: 'pass' },
})

export const CEPH: TypeEntry = entry({
  form: 'ceph',
  appears: { _tag: 'Source', fstypes: ['ceph'] },
  mayHang: true,
  server: 'ceph',
  options: {
    secretfile: allowed(secret('secret-file'), 'a secret: the file is named by reference alone'),
    name: byName(NAME, `${USER} of the cluster`),
    mds_namespace: byName(NAME, 'names another filesystem of the cluster, past the list of sources'),
    conf: byName({ _tag: 'Path', below: ['/etc/ceph'], list: false }, 'names a file, which names monitors and keys'),
  },
  never: { ip: 'another address than the host’s', mon_addr: 'another server than the source names' },
  aliases: { fs: 'mds_namespace' },
})

export const GLUSTERFS: TypeEntry = entry({
  form: 'glusterfs',
  appears: { _tag: 'Source', fstypes: ['fuse.glusterfs'] },
  mayHang: true,
  server: 'host-colon',
  options: {
    'log-level': allowed(words('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'TRACE', 'NONE'), CLIENT),
    'direct-io-mode': allowed(words('enable', 'disable'), CLIENT),
    ...each(['attribute-timeout', 'entry-timeout'], allowed(number(0, DAY_SECONDS), ATTRIBUTES)),
    'backup-volfile-servers': byName(
      { _tag: 'Host', list: true },
      `${HIDDEN}, for it says which code the daemon of root loads`,
    ),
    'log-file': byName({ _tag: 'Path', below: ['/var/log/glusterfs'], list: false }, FILE),
  },
  never: never(
    ['xlator-option', 'volfile', 'volfile-server', 'volfile-server-transport', 'volfile-server-port', 'volfile-id'],
    'says which code the daemon of root loads',
  ),
  aliases: { 'backupvolfile-server': 'backup-volfile-servers' },
})

export const SSHFS: TypeEntry = entry({
  form: 'sshfs',
  appears: { _tag: 'Source', fstypes: ['fuse.sshfs'] },
  mayHang: true,
  server: 'host-colon',
  options: {
    port: allowed(ANY_PORT, 'who answers has to have the key of the host'),
    reconnect: allowed(FLAG, CLIENT),
    BatchMode: allowed(YES, CLIENT),
    ConnectTimeout: allowed(number(1, 3_600), CLIENT),
    ServerAliveInterval: allowed(number(0, 3_600), CLIENT),
    ServerAliveCountMax: allowed(number(1, 100), CLIENT),
    ...each(['allow_other', 'default_permissions'], allowed(FLAG, 'concerns who may use this mount')),
    dir_cache: allowed(YES, ATTRIBUTES),
    ...each(['attr_timeout', 'entry_timeout'], allowed(number(0, DAY_SECONDS), ATTRIBUTES)),
    max_conns: allowed(number(1, 16), CLIENT),
    directport: byName(ANY_PORT, `${PORT}, without ssh and its keys`),
    StrictHostKeyChecking: byName(words('yes'), '`no` and `accept-new` let any server in and write to a file'),
    IdentityFile: byName({ _tag: 'Path', below: ['/etc/ssh'], list: false }, FILE),
    UserKnownHostsFile: byName({ _tag: 'Path', below: ['/etc/ssh'], list: false }, FILE),
    password: byName(secret('stdin'), 'a secret, which `password_stdin` asks to be read'),
  },
  never: never(
    [
      'ssh_command',
      'sftp_server',
      'ssh_protocol',
      'ProxyCommand',
      'LocalCommand',
      'PermitLocalCommand',
      'KnownHostsCommand',
      'PKCS11Provider',
      'SecurityKeyProvider',
      'XAuthLocation',
      'ControlPath',
      'ProxyJump',
      'IdentityAgent',
      'Include',
      'F',
      'uidfile',
      'gidfile',
      'slave',
      'passive',
    ],
    PROGRAM,
  ),
})

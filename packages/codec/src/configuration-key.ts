// The documented table of the configuration: every key, what it may be, its default, and what it means.

import {
  DEADLINE_SETTINGS,
  DELAY_SETTINGS,
  LIBVIRT_SETTINGS,
  LIMIT_SETTINGS,
  POLICY_SETTINGS,
  SLOT_SETTINGS,
  JOURNAL_BYTES_MAX,
  JOURNAL_FACTS_MAX,
  WATCH_INTERVAL,
} from './configuration-section.js'
import type { ConfigurationKey } from './section.js'
import { keysOf } from './section.js'
import { ladderCodec, serverOfCodec } from './settings.js'
import { DEFAULT_SOCKET_MODE, DEFAULT_SOCKET_OPERATIONS, modeCodec } from './sockets.js'
import type { Json } from './shape.js'
import { truth } from './shape.js'
import { ownersCodec, pathCodec } from './form.js'

const row = (
  key: string,
  expected: { readonly name: string } | string,
  meaning: string,
  value?: Json,
): ConfigurationKey => ({
  key,
  expected: typeof expected === 'string' ? expected : expected.name,
  ...(value === undefined ? {} : { default: value }),
  meaning,
})

const OPTION_NAMES = 'a list of names of options'
const WRITTEN = 'a list of names of options, or an object with a grammar for each'

const ROOT_KEYS: readonly ConfigurationKey[] = [
  row(
    'roots',
    'a list of paths, or of { path, ladder, trustedOwners }',
    'The managed roots: every mountpoint is below one of them, and only this manager may mount there.',
    [],
  ),
  row('roots[].path', pathCodec, 'The directory.'),
  row(
    'roots[].ladder',
    ladderCodec,
    'The steps after a failed unmount: none, an abort of requests that wait inside, or also a lazy unmount.',
    'off',
  ),
  row(
    'roots[].trustedOwners',
    ownersCodec,
    'Users other than root and the manager who may own directories above and below this root; each of them can redirect mounts there.',
    [],
  ),
  row(
    'stateDirectory',
    pathCodec,
    'The directory for the journal and the lock of the manager; without it, records are lost when the process ends.',
  ),
]

const TYPE_KEYS: readonly ConfigurationKey[] = [
  row('types', 'an object', 'The allowed filesystem types, by name; all others are refused.', {
    tmpfs: { sources: ['*'] },
  }),
  row(
    'types.NAME.sources',
    'a list of patterns',
    'The sources allowed. `*` alone is any, in a pattern any run without "/"; an ending "/", without any `*`, allows a directory and all below.',
  ),
  row(
    'types.NAME.options',
    WRITTEN,
    'The options allowed in addition to those of every type. A list narrows the table of types to these names, an object adds to the table: { "port": true, "timeo": { "number": { "max": 600 } }, "soft": false }. Default: those that the table allows.',
  ),
  row(
    'types.NAME.insignificant',
    OPTION_NAMES,
    'Options in which two requests may differ and still share a mount. Default: those in the table of types.',
  ),
  row(
    'types.NAME.mayHang',
    truth,
    'Whether its server may stop responding. Default: as in the table of types, else true.',
  ),
  row(
    'types.NAME.server',
    serverOfCodec,
    'How to find the server in a source; all mounts of one server share its slots. Default: as in the table of types, else "source".',
  ),
  row(
    'aliases',
    'an object: a server, and a list of its other names',
    'Names and addresses of the same server: they share its slots, and refuse-new of one applies to all. Case, a final dot and the spelling of an address need no entry.',
    {},
  ),
]

const SECRET_KEYS: readonly ConfigurationKey[] = [
  row(
    'secretDirectories',
    'a list of paths',
    'Directories below which `secretFile` of an option may be; only root and the manager may have permission to change them.',
    [],
  ),
  row(
    'secretEnvironment',
    'a list of names of variables',
    'Environment variables of the manager that `secretEnvironment` of an option may name; for services that embed the manager.',
    [],
  ),
]

const SOCKET_KEYS: readonly ConfigurationKey[] = [
  row(
    'sockets',
    'a list of objects with path',
    'Unix sockets on which mountkeeper serve listens, one for each trust domain. Owner and mode of the file decide who may open it.',
    [],
  ),
  row(
    'sockets[].path',
    pathCodec,
    'The file; its directory has to exist, and only root and the manager may write to it.',
  ),
  row('sockets[].mode', modeCodec, 'Permission bits of the file.', DEFAULT_SOCKET_MODE),
  row('sockets[].owner', 'a number of a user', 'The owner of the file. Default: the user of the manager.'),
  row('sockets[].group', 'a number of a group', 'The group of the file. Default: the group of the manager.'),
  row(
    'sockets[].consumers',
    'a list of patterns of consumers',
    'The consumers that requests on this socket may name; "*" is any run of characters.',
    ['*'],
  ),
  row(
    'sockets[].operations',
    'a list of operations',
    'The operations that are accepted on this socket. status and plan show the holders of all consumers.',
    [...DEFAULT_SOCKET_OPERATIONS],
  ),
]

/** Every key of the configuration file, in the order in which documentation shows them. */
export const CONFIGURATION_KEYS: readonly ConfigurationKey[] = [
  ...ROOT_KEYS,
  ...TYPE_KEYS,
  ...SECRET_KEYS,
  ...keysOf('policies', POLICY_SETTINGS),
  ...keysOf('limits', LIMIT_SETTINGS),
  ...keysOf('slots', SLOT_SETTINGS),
  ...keysOf('deadlines', DEADLINE_SETTINGS),
  row('deadlines.perType.NAME.lookMs', 'a whole number of ms', 'Deadline of a look at a mountpoint of that type.'),
  row('deadlines.perType.NAME.mountMs', 'a whole number of ms', 'Deadline of the mount command of that type.'),
  row('deadlines.perType.NAME.unmountMs', 'a whole number of ms', 'Deadline of the umount command of that type.'),
  row(
    'deadlines.perType.NAME.probeMs',
    'a whole number of ms',
    'Deadline of a probe whether a filesystem of that type responds.',
  ),
  ...keysOf('delays', DELAY_SETTINGS),
  row('journalFactsMax', JOURNAL_FACTS_MAX.codec.name, JOURNAL_FACTS_MAX.meaning, JOURNAL_FACTS_MAX.default),
  row('journalBytesMax', JOURNAL_BYTES_MAX.codec.name, JOURNAL_BYTES_MAX.meaning, JOURNAL_BYTES_MAX.default),
  row('watchIntervalMs', WATCH_INTERVAL.codec.name, WATCH_INTERVAL.meaning, WATCH_INTERVAL.default),
  row(
    'prefix',
    'a list of words',
    'Command prefix of mount, umount and the kill of their process group, such as ["sudo", "-n", "--"].',
    [],
  ),
  row(
    'exec',
    'a list of words',
    'Command that starts mountkeeper-exec, which makes all changes as root, within its own lists; see mountkeeper doctor --sudoers.',
    [],
  ),
  row(
    'inventory',
    'null, or an object with libvirt',
    'The outside authority on which consumers use which files: queried at each host-up; if it is lost, the host goes down.',
    null,
  ),
  row('inventory.libvirt', 'an object', 'The disks of libvirt domains, running or not; `{}` uses all defaults.'),
  ...keysOf('inventory.libvirt', LIBVIRT_SETTINGS),
  ...SOCKET_KEYS,
]

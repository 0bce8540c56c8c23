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
    'The managed roots: every mountpoint lies below one of them, and what lies there belongs to this manager alone.',
    [],
  ),
  row('roots[].path', pathCodec, 'The directory.'),
  row(
    'roots[].ladder',
    ladderCodec,
    'What may follow an unmount that failed: nothing, an abort of what waits inside, or also a lazy unmount.',
    'off',
  ),
  row(
    'roots[].trustedOwners',
    ownersCodec,
    'Users beside root and the manager who may own directories above and below this root: each can redirect what is mounted there.',
    [],
  ),
  row(
    'stateDirectory',
    pathCodec,
    'Where facts are kept and the lock of the manager lies; without one they last as long as the process.',
  ),
]

const TYPE_KEYS: readonly ConfigurationKey[] = [
  row('types', 'an object', 'The filesystem types that may be asked for, by name; what is not here is refused.', {
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
    'The options allowed beside those of every type. A list narrows the table of types to these names, an object adds to the table: { "port": true, "timeo": { "number": { "max": 600 } }, "soft": false }. Default: those that the table allows.',
  ),
  row(
    'types.NAME.insignificant',
    OPTION_NAMES,
    'Options in which two requests may differ and still share a mount. Default: those in the table of types.',
  ),
  row(
    'types.NAME.mayHang',
    truth,
    'Whether its server may stop answering. Default: as in the table of types, else true.',
  ),
  row(
    'types.NAME.server',
    serverOfCodec,
    'How the server is found in a source; its slots are counted together. Default: as in the table of types, else "source".',
  ),
  row(
    'aliases',
    'an object: a server, and a list of its other names',
    'Names and addresses that are one server: its slots are counted together, and refuse-new of one is of all. Case, a final dot and the spelling of an address need no entry.',
    {},
  ),
]

const SECRET_KEYS: readonly ConfigurationKey[] = [
  row(
    'secretDirectories',
    'a list of paths',
    'Directories below which `secretFile` of an option may lie; nobody but root and the manager may be able to change them.',
    [],
  ),
  row(
    'secretEnvironment',
    'a list of names of variables',
    'Variables of the process of the manager that `secretEnvironment` of an option may name; for services that embed it.',
    [],
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
  row('deadlines.perType.NAME.lookMs', 'a whole number of ms', 'For seeing what is at a mountpoint of that type.'),
  row('deadlines.perType.NAME.mountMs', 'a whole number of ms', 'For the mount command of that type.'),
  row('deadlines.perType.NAME.unmountMs', 'a whole number of ms', 'For the umount command of that type.'),
  row(
    'deadlines.perType.NAME.probeMs',
    'a whole number of ms',
    'For a filesystem of that type to show that it answers.',
  ),
  ...keysOf('delays', DELAY_SETTINGS),
  row('journalFactsMax', JOURNAL_FACTS_MAX.codec.name, JOURNAL_FACTS_MAX.meaning, JOURNAL_FACTS_MAX.default),
  row('journalBytesMax', JOURNAL_BYTES_MAX.codec.name, JOURNAL_BYTES_MAX.meaning, JOURNAL_BYTES_MAX.default),
  row('watchIntervalMs', WATCH_INTERVAL.codec.name, WATCH_INTERVAL.meaning, WATCH_INTERVAL.default),
  row(
    'prefix',
    'a list of words',
    'Put before mount, umount and the kill of their process group, such as ["sudo", "-n", "--"].',
    [],
  ),
  row(
    'exec',
    'a list of words',
    'Starts mountkeeper-exec, which then makes all changes as root by lists of its own; see mountkeeper doctor --sudoers.',
    [],
  ),
  row(
    'inventory',
    'null, or an object with libvirt',
    'The outside authority on who uses what: asked whenever the host comes up; its loss takes the host down.',
    null,
  ),
  row('inventory.libvirt', 'an object', 'The disks of domains, running or not; `{}` is all defaults.'),
  ...keysOf('inventory.libvirt', LIBVIRT_SETTINGS),
]

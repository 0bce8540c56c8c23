// `mountkeeper help config`: the documented table of configuration keys, straight from the codec that reads them.

import { CONFIGURATION_KEYS } from '@mountkeeper/codec'
import type { ExitCode } from './exit.js'
import { EXIT } from './exit.js'
import { wrapped } from './help.js'
import type { Streams } from './streams.js'

const WIDTH = 100
const MARGIN = '    '

const EXAMPLE = `{
  "roots": ["/srv/mounts"],
  "stateDirectory": "/var/lib/mountkeeper",
  "types": { "tmpfs": { "sources": ["*"] }, "bind": { "sources": ["/srv/exports/"] } },
  "prefix": ["sudo", "-n", "--"]
}`

/** Every key, one paragraph each. */
export const configurationTable = (): string =>
  CONFIGURATION_KEYS.map(({ key, expected, meaning, default: value }) => {
    const standard = value === undefined ? [] : [`Default: ${JSON.stringify(value)}`]
    const about = [`${expected[0]?.toUpperCase() ?? ''}${expected.slice(1)}.`, meaning, ...standard]
    return [key, ...about.flatMap((text) => wrapped(text, WIDTH - MARGIN.length).map((line) => MARGIN + line))].join(
      '\n',
    )
  }).join('\n')

/** Prints the table. */
export const configurationHelp = ({ stdout }: Streams): ExitCode => {
  stdout.write(
    `The configuration is one JSON file: --config FILE, else /etc/mountkeeper/config.json. All keys are optional.\n\n` +
      `${EXAMPLE}\n\n${configurationTable()}\n`,
  )
  return EXIT.ok
}

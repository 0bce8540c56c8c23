// Which capabilities are enough for a manager of root: doctor and run say the same of each set, and with CAP_SYS_ADMIN alone it works.

import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { MAIN, ROOT, STATE, attach, detach, mounted, prepareWorld } from './world.js'

prepareWorld()

/** Runs the command as root with these capabilities, and no others for anything that it starts. */
const withOnly = (
  set: string,
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly text: string } => {
  const vector = [
    `--bounding-set=${['-all', ...set.split(',').filter((word) => word !== '')].join()}`,
    '--inh-caps=-all',
    '--',
    process.execPath,
    MAIN,
    ...args,
  ]
  const { status, stdout, stderr } = spawnSync('setpriv', vector, { encoding: 'utf8', input })
  return { status, text: `${stdout}${stderr}` }
}

const PLACE = ['--root', ROOT, '--state-dir', STATE]

// In a user namespace doctor says more of the privilege.
describe.runIf(process.env['MOUNTKEEPER_NAMESPACE'] === 'root')('with', () => {
  test.each([
    ['+sys_admin,+sys_ptrace,+dac_override,+dac_read_search,+setpcap,+kill', true],
    ['+sys_admin,+setpcap', true],
    ['+sys_admin,+sys_ptrace', true],
    ['+sys_admin', true],
    ['+sys_ptrace,+setpcap,+dac_override', false],
    ['', false],
  ])('%j it may mount: %s', (set, may) => {
    const doctor = withOnly(set, ['doctor', ...PLACE])
    expect(doctor.text).toMatch(may ? /^ok +privilege +uid 0 with CAP_SYS_ADMIN$/m : /^FAIL +privilege /m)
    const lines = [attach('1', 'a'), detach('2', '1', 'a')].map((line) => `${JSON.stringify(line)}\n`).join('')
    const run = withOnly(set, ['run', ...PLACE], lines)
    if (may) expect(run.text.match(/"ok":true/g)).toHaveLength(2)
    else expect(run.text).toContain('uid 0 without CAP_SYS_ADMIN may not mount')
    expect(run.status === 0).toBe(may)
    expect(mounted()).toEqual([])
  })
})

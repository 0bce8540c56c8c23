// A mount over ssh that outlives its manager: under way at a server that hangs when the manager is killed, done when the server
// goes on. The daemon's `ssh` stays in the session of the command for as long as the mount lives; the next manager waits for the
// command, and not for that.

import { readFileSync, writeFileSync } from 'node:fs'
import { EXPORTS, SSHD_KIND, processesWith, until } from '@mountkeeper/lab'
import { expect, test } from 'vitest'
import { ROOT, STATE, answersOf, attach, command, detach, mounted, prepareWorld, run } from './world.js'

prepareWorld()

const KEYS = { path: { below: ['/run', '/srv'] } }
const OF_SSH = { StrictHostKeyChecking: true, IdentityFile: KEYS, UserKnownHostsFile: KEYS }

const CONFIG = {
  roots: [ROOT],
  stateDirectory: STATE,
  types: { 'fuse.sshfs': { sources: ['*'], options: OF_SSH } },
  delays: { backOffFirstMs: 100, backOffCeilingMs: 400, settleMs: 100 },
}
const RUN = ['run', '--config', '/srv/orphan.json']

const skipped = SSHD_KIND.why === undefined ? '' : `: skipped, since ${SSHD_KIND.why}`

test.skipIf(SSHD_KIND.why !== undefined)(
  `L22 L30: a mount over ssh that is done after its manager was killed is shared, and mounted once${skipped}`,
  async () => {
    writeFileSync('/srv/orphan.json', JSON.stringify(CONFIG))
    const server = await SSHD_KIND.start('orphan')
    try {
      const share = (id: string): object => ({ ...attach(id, 'a'), filesystem: server.filesystem, deadlineMs: 20_000 })
      await server.hang()
      const first = command(...RUN)
      first.send(share('1'))
      await until(() => processesWith('ssh -x').length > 0, 'ssh is connecting')
      first.kill('SIGKILL')
      await first.ended

      const second = command(...RUN)
      second.send(share('2'))
      // Only a manager that is up while the command lives meets it: one that comes up later finds a mount without a holder.
      await until(() => readFileSync(`${STATE}/journal`, 'utf8').includes('"generation":2'), 'the second manager is up')
      expect(second.stdout()).toBe('')
      server.goOn()
      await second.until(1)
      second.send(detach('3', '1', 'a'), detach('4', '2', 'a'))
      second.end()
      expect(answersOf(await second.ended)).toMatchObject([
        { id: '2', ok: true, result: { mount: 'shared' } },
        { id: '3', ok: true, result: { holder: 'not-held' } },
        { id: '4', ok: true, result: { mount: 'unmounted', directory: 'removed' } },
      ])
      expect(mounted()).toEqual([])
      expect(answersOf(await run(RUN, [{ op: 'status' }]))).toMatchObject([{ result: { mountpoints: [] } }])
    } finally {
      server.goOn()
      await server.stop()
    }
    expect(processesWith(`${EXPORTS}/orphan`)).toEqual([])
  },
  60_000,
)

// The peers: scripts that run the commands of a cycle one after the other, with no check, no look and no record.

import { spawnSync } from 'node:child_process'

const LOOP = `
i=0
while [ $i -lt "$2" ]; do
  mkdir -m 0700 -- "$1/$i" && mount -t tmpfs -o size=64k,nosuid,nodev -- bench "$1/$i" && umount -- "$1/$i" && rmdir -- "$1/$i" || exit 1
  i=$((i+1))
done`

/** Runs so many cycles of mkdir, mount, umount, rmdir by a shell, one at a time; ms for each. */
export const shellLoop = (shell: string, directory: string, cycles: number): number => {
  const from = performance.now()
  const { status, stderr } = spawnSync(shell, ['-c', LOOP, shell, directory, String(cycles)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${shell}: ${stderr}`)
  return (performance.now() - from) / cycles
}

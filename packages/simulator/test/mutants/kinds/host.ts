// Mistakes about generations, journal and recovery, and about limits.
import type { Mutant } from '../mutant.js'
import { mutant, mutantOf } from '../mutant.js'

const DOWN =
  "patchHost(out, { phase: 'down', hostUps: [], discovery: undefined, retry: undefined, downReason: reason })"

export const HOST: readonly Mutant[] = [
  mutant(
    'lost-down-while-draining',
    'a host-down that arrives while the old generation ends is answered and forgotten',
    'L36',
    'decide/host.ts',
    "  if (out.phase !== 'down') {\n    refuseNext",
    "  if (out.phase !== 'down' && out.phase !== 'draining') {\n    refuseNext",
  ),
  mutantOf(
    'lost-down-while-discovering',
    'the discovery that runs when the host is taken down brings it up',
    'L36',
    { file: 'decide/host.ts', find: DOWN, replace: DOWN.replace('discovery: undefined, ', '') },
    {
      file: 'decide/host.ts',
      find: "if (out.phase !== 'discovering') {\n    answerReconcile",
      replace: "if (out.phase !== 'discovering' && out.phase !== 'down') {\n    answerReconcile",
    },
  ),
  mutantOf(
    'retrying-without-a-phase',
    'the delay before the next discovery outlives a host-down: the host comes up although the last wish was down',
    'L36',
    { file: 'decide/host.ts', find: DOWN, replace: DOWN.replace('retry: undefined, ', '') },
  ),
  mutant(
    'incomplete-discovery-is-up',
    'the host comes up although it could not be read',
    'L28',
    'decide/host.ts',
    '    failDiscovery(out, said.reason)\n',
    "    beginGeneration(out, { _tag: 'Discovered', boot: 'boot', mountNamespace: 'mnt', roots: [], mountpoints: [] })\n",
  ),
  mutant(
    'record-over-table',
    'after a restart what is recorded as mounted counts as mounted, whatever the table shows',
    'L29 L35',
    'decide/generation.ts',
    '  onLook(draft, found, source)\n',
    '  if (draft.record.layer === undefined) onLook(draft, found, source)\n  else set(draft, { work: undefined, unresolved: undefined })\n',
  ),
  mutant(
    'identity-of-another-boot',
    'what was recorded before a reboot is compared with the table after it',
    'L29',
    'decide/generation.ts',
    "  if (host.boot !== boot) return 'reboot'",
    "  if (host.boot !== boot) return 'here'",
  ),
  mutant(
    'half-written-claim-forgotten',
    'a claim that was open at a crash is not settled: its layer and directory belong to no record',
    'L30 L47',
    'remember.ts',
    "    case 'Claimed':\n      return { kind: 'Mount', error: undefined }\n",
    "    case 'Claimed':\n      return unresolved\n",
  ),
  mutant(
    'holder-lost-in-recovery',
    'a record that was unmounted by others loses its holders at a restart',
    'L30',
    'remember.ts',
    '  evolveHolders(INTO_THE_SET, holders, fact)\n',
    "  evolveHolders(INTO_THE_SET, holders, fact)\n  if (fact._tag === 'Unmounted') INTO_THE_SET.clear(holders)\n",
  ),
  mutantOf(
    'fact-after-effect',
    'the claim is recorded when the mount has ended, not before it begins',
    'L3 L30',
    {
      file: 'decide/mount.ts',
      find: "  recordFact(draft, { _tag: 'Claimed', at: out.at, mountpoint: record.path, filesystem, ...claim, found, layersBefore })\n  set(draft, { reason: undefined })\n",
      replace:
        '  set(draft, { reason: undefined })\n  Object.assign(draft.record, { filesystem, claim, intent: { found, layersBefore } })\n',
    },
    {
      file: 'decide/mount.ts',
      find: '  noteError(draft, error)\n  const { work, intent, directory } = draft.record\n',
      replace: `  noteError(draft, error)
  const { work, intent, directory } = draft.record
  if (intent !== undefined && draft.record.claim !== undefined && draft.record.filesystem !== undefined) {
    recordFact(draft, { _tag: 'Claimed', at: draft.out.at, mountpoint: draft.record.path, filesystem: draft.record.filesystem, ...draft.record.claim, ...intent })
  }\n`,
    },
  ),
  mutant(
    'holder-not-recorded',
    'an attach that shares a mount is answered, and no fact makes it a holder',
    'L30',
    'decide/hold.ts',
    "    recordFact(draft, { _tag: 'Held'",
    "    if (mount !== 'shared') recordFact(draft, { _tag: 'Held'",
  ),
  mutant(
    'leaving-not-recorded',
    'a detach is answered as if its holder had left, and no fact says so',
    'L7 L30',
    'decide/advance.ts',
    "  recordFact(draft, { _tag: 'Left', at: out.at, mountpoint: record.path, volume, consumer })\n",
    '',
  ),
  mutant(
    'unmount-not-recorded',
    'an unmount is begun without a fact',
    'L30',
    'decide/steps.ts',
    "  recordFact(draft, { _tag: 'Unmounting', at: out.at, mountpoint: record.path, identity })\n",
    '',
  ),
  mutant(
    'slot-kept-in-a-wait',
    'every request that waits before the next try keeps its slot: others get none',
    'L25',
    'decide/steps.ts',
    'claimed: record.claim !== undefined } })\n  releaseSlot(draft)',
    'claimed: record.claim !== undefined } })',
  ),
  mutant(
    'overdue-not-counted',
    'commands that hang do not count for their server: ever more of them hang there',
    'L25',
    'slots.ts',
    'const free = lane.held + lane.overdue < settings.slots.perServer',
    'const free = lane.held < settings.slots.perServer',
  ),
  mutant(
    'unbounded-queue',
    'any number of requests may wait at a mountpoint',
    'L25',
    'decide/admit.ts',
    'if (waitingHere >= limits.waitingPerMountpoint) {',
    'if (waitingHere >= limits.waitingPerHost) {',
  ),
  mutant(
    'unbounded-retries',
    'an unmount is tried again and again',
    'L25',
    'decide/unmount.ts',
    'if (attempts >= attemptsMax(draft)) {',
    'if (attempts >= attemptsMax(draft) + 1000) {',
  ),
  mutant(
    'back-off-without-a-ceiling',
    'delays double for ever',
    'L25',
    'decide/steps.ts',
    'Math.min(last * 2, backOffCeiling)',
    'last * 2',
  ),
  mutant(
    'directory-forgotten-at-a-reboot',
    'what was to be made is forgotten when no look is possible after a reboot',
    'L47',
    'decide/generation.ts',
    "const mayBeThere = found._tag !== 'NoDirectory' && found._tag !== 'Obstacle'",
    "const mayBeThere = found._tag === 'Directory' || found._tag === 'Mounted'",
  ),
]

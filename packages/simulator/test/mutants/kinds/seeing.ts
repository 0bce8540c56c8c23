// Mistakes about what was seen: exit codes believed, looks left out, looks believed for too long.
import type { Mutant } from '../mutant.js'
import { mutant, mutantOf } from '../mutant.js'

export const SEEING: readonly Mutant[] = [
  mutant(
    'exit-0-means-mounted',
    'the mount command ended well, so it is mounted',
    'L15 L16 L21',
    'decide/mount.ts',
    '  const seen = identifyMount(draft, found, source, exited)\n',
    `  const looked = identifyMount(draft, found, source, exited)
  const isWell = error === undefined && looked._tag === 'Nothing'
  const seen = isWell ? ({ _tag: 'Ours', wrong: undefined, warnings: [] } as const) : looked\n`,
  ),
  mutant(
    'error-means-not-mounted',
    'the mount command ended badly, so nothing is mounted',
    'L15 L47',
    'decide/mount.ts',
    '  const seen = identifyMount(draft, found, source, exited)\n',
    "  const seen = error === undefined ? identifyMount(draft, found, source, exited) : ({ _tag: 'Nothing' } as const)\n",
  ),
  mutant(
    'exit-0-means-unmounted',
    'the umount command ended well, so it is unmounted',
    'L10 L15',
    'decide/unmount.ts',
    "  const unknown = compareWithFound(draft, found, 'us')\n  noteError(draft, error)\n",
    `  const unknown = compareWithFound(draft, found, 'us')
  if (unknown === undefined && error === undefined && draft.record.layer !== undefined) noteUnmounted(draft, 'us')
  noteError(draft, error)\n`,
    "import { noteUnmounted } from './steps.js'",
  ),
  mutant(
    'attached-without-a-look',
    'what is recorded as mounted is shared without being looked at',
    'L16 L21',
    'decide/advance.ts',
    "  startWork(draft, mountingFor('Attach'), { request: head.request })\n",
    `  startWork(draft, mountingFor('Attach'), { request: head.request })
  if (draft.record.phase === 'mounted' && filesystem !== undefined) {
    set(draft, { work: { ...draft.record.work!, lookedFor: head.request } })
    share(draft, filesystem, [])
    return
  }\n`,
    "import { share } from './hold.js'",
  ),
  mutant(
    'stale-look',
    'a look that began before a request arrived serves it',
    'L21',
    'decide/hold.ts',
    '(each) => each.request <= lookedFor',
    '(each) => lookedFor >= 0',
  ),
  mutant(
    'no-look-before-unmount',
    'what was on top when it was mounted is unmounted without another look',
    'L20 L34',
    'decide/outcome.ts',
    "  set(draft, { slot: 'held', work: { ...record.work, granted: true } })\n  emitLook(draft)",
    `  set(draft, { slot: 'held', work: { ...record.work, granted: true } })
  if (isUnmounting(record.work) && record.layer !== undefined && !record.covered) emitUnmount(draft, record.layer, 'plain')
  else emitLook(draft)`,
    "import { emitUnmount } from './steps.js'",
  ),
  mutant(
    'ours-gone-is-vacant',
    'our layer counts as there although a look shows that it is gone',
    'L35 L34',
    'decide/see.ts',
    'if (position < 0) noteUnmounted(draft, by)',
    'if (position < 0 && layers.length === 0) noteUnmounted(draft, by)',
  ),
  mutant(
    'only-the-top-layer',
    'a layer of ours below another one counts as gone',
    'L20 L47',
    'decide/see.ts',
    '  const { layer } = draft.record\n  const layers = layersOf(found)\n',
    '  const { layer } = draft.record\n  const layers = layersOf(found).slice(0, 1)\n',
  ),
  mutant(
    'only-the-top-layer-of-a-mount',
    'the layer that a late mount has made is not found below another one',
    'L6 L47',
    'decide/see.ts',
    '  const { intent, filesystem, work } = draft.record\n  const layers = layersOf(found)\n',
    '  const { intent, filesystem, work } = draft.record\n  const layers = layersOf(found).slice(0, 1)\n',
  ),
  mutant(
    'unknown-means-nothing-there',
    'the look was inconclusive, so there is nothing',
    'L17',
    'decide/see.ts',
    "if (found._tag === 'Unknown') return found",
    '',
  ),
  mutant(
    'no-second-look-after-settleMs',
    'exit 0 and nothing there is a failure at once: the mount appears later',
    'L6 L47',
    'decide/mount.ts',
    "if (seen._tag === 'Nothing' && work?.settled === false &&",
    "if (seen._tag === 'Nothing' && work?.settled === true &&",
  ),
  mutant(
    'wrong-filesystem-accepted',
    'whatever is there after our mount is ours',
    'L16',
    'layer.ts',
    'const fits = fresh.filter((layer) => isAllowedFstype(rule, layer))',
    'const fits = fresh',
  ),
  mutant(
    'demanded-flags-not-checked',
    'a mount without nosuid is handed out',
    'L16',
    'decide/see.ts',
    'const bare = missing.length === 0 ? undefined',
    'const bare = missing.length >= 0 ? undefined',
  ),
  mutant(
    'identity-by-mount-id',
    'a layer is known by its mount id alone, which the kernel uses again',
    'L20 L34',
    'found.ts',
    `    recorded.mountId !== seen.mountId ||
    recorded.device !== seen.device ||
    recorded.fstype !== seen.fstype ||
    recorded.source !== seen.source`,
    'recorded.mountId !== seen.mountId',
  ),
  mutant(
    'open-intent-forgotten',
    'a mount whose end no look saw is not settled by the next look: its layer is called foreign',
    'L6 L34 L47',
    'decide/outcome.ts',
    'if (unresolved === undefined || overdue.length > 0) {',
    'if (unresolved !== undefined || overdue.length >= 0) {',
  ),
  mutant(
    'observation-leads-to-an-effect',
    'what was merely seen at a mountpoint starts an unmount',
    'section 4, L20',
    'decide/operator.ts',
    "  startWork(draft, { _tag: known && !kept ? 'CleanUp' : 'Look' })\n  wantSlot(draft, true)\n",
    `  startWork(draft, { _tag: known && !kept ? 'CleanUp' : 'Look' })
  if (known && record.layer !== undefined && record.slot === 'none') {
    set(draft, { slot: 'held' })
    emitUnmount(draft, record.layer, 'plain')
  } else wantSlot(draft, true)\n`,
    "import { emitUnmount } from './steps.js'",
  ),
  mutantOf(
    'intent-closed-in-memory-only',
    'an attach that ended before it could mount leaves its intent open in the journal, and a layer of others is ours after a restart',
    'section 7 L34',
    {
      file: 'decide/mount.ts',
      find: 'others have mounted it.\n    closeIntent(draft)\n',
      replace:
        "others have mounted it.\n    Object.assign(draft.record, { intent: undefined })\n    if (!isThere(found)) noteUnmounted(draft, 'other')\n",
    },
    {
      file: 'evolve.ts',
      find: "intent?.found._tag === 'NoDirectory' && directory !== 'ours' ? { ...intent, explains: 'only the directory' } : intent",
      replace: 'directory === undefined ? undefined : intent',
    },
  ),
  mutant(
    'late-mount-of-others-not-recorded',
    'a late mount that shows another layer closes the intent in memory only',
    'section 7 L34',
    'decide/mount.ts',
    "    closeIntent(draft)\n    return 'proceed'\n  }\n  if (seen._tag === 'Ours'",
    "    if (seen._tag === 'Nothing') closeIntent(draft)\n    else Object.assign(draft.record, { intent: undefined })\n    return 'proceed'\n  }\n  if (seen._tag === 'Ours'",
  ),
]

/** Mistakes that need a crash and a third party at the right moment: too rare for the rounds of the law suites. */
export const RARELY_SEEN: readonly Mutant[] = [
  mutant(
    'moved-means-unmounted',
    'a layer that a renamed directory has taken along is gone',
    'L10 L47',
    'decide/see.ts',
    '? draft.elsewhere : undefined',
    '? undefined : undefined',
  ),
  mutant(
    'intent-without-a-mount',
    'a layer is treated as ours because an attach had begun, although no Mount was ever emitted for it',
    'L34',
    'evolve.ts',
    "intent?.found._tag === 'NoDirectory' && directory !== 'ours' ? { ...intent, explains: 'only the directory' } : intent",
    'directory === undefined ? undefined : intent',
  ),
  mutant(
    'no-second-look-at-an-unmount',
    'an unmount that reported success while its layer still showed counts as failed at once: every request that waits shares a layer that disappears',
    'L2',
    'decide/unmount.ts',
    "const mayDisappear = error === undefined || when === 'late'",
    'const mayDisappear = error !== undefined && work === undefined',
  ),
]

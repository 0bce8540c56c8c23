// Mistakes about who holds, who claims, and who gets what answer.
import type { Mutant } from '../mutant.js'
import { mutant, mutantOf } from '../mutant.js'

export const HOLDERS: readonly Mutant[] = [
  mutant(
    'integer-instead-of-set',
    'a repeated attach is counted again: one detach is too few',
    'L1 L6',
    'decide/hold.ts',
    'const known = holderOf(draft, volume, consumer)',
    'const known = [holderOf(draft, volume, consumer)].find(() => false)',
  ),
  mutant(
    'stranger-counted-down',
    'a detach by a consumer that holds nothing ends another holder',
    'L1 L2',
    'decide/advance.ts',
    'return others.length === 0 ? only : undefined',
    'return others.length === 0 && only !== undefined ? only : heldBy(draft, consumer)[0]',
  ),
  mutantOf(
    'unmount-under-holders',
    'each detach unmounts, and EBUSY is treated as the count of those that are left',
    'L2 L14',
    { file: 'decide/advance.ts', find: 'if (left > 0 || !last ||', replace: 'if (!last ||' },
    { file: 'decide/unmount.ts', find: '(holdersLeft(draft) > 0 || savingAttach', replace: '(savingAttach' },
  ),
  mutant(
    'release-before-check',
    'the claim ends when the mount is begun: nothing protects the attach while it is mounted',
    'L3 L30',
    'decide/mount.ts',
    'else emitMount(draft, filesystem)\n}\n\n/** Our layer is gone',
    "else emitMount(draft, filesystem)\n  endClaim(draft, 'open')\n}\n\n/** Our layer is gone",
  ),
  mutant(
    'success-shared-beyond-the-head',
    'a mount serves attaches that wait behind a detach of the same attachment',
    'L1 L2',
    'decide/hold.ts',
    'return end < 0 ? waiting : waiting.slice(0, end)',
    `return end < 0
    ? waiting
    : waiting.filter((each) => each.op === 'attach' && isServed(each) && shares(draft, each.filesystem, filesystem))`,
  ),
  mutant(
    'failure-not-shared',
    'each waiter tries the same failed mount again',
    'L25',
    'decide/rollback.ts',
    'arrivedBefore(each, goal.failedFor) && shares(draft, each.filesystem, filesystem)',
    'each.request === work?.request',
  ),
  mutant(
    'conflict-ignored',
    'another filesystem than asked for is shared',
    'L5 L16',
    'option-meaning.ts',
    'a === b || (a.type === b.type && a.source === b.source &&',
    'a !== b || (a.type === b.type && a.source === b.source &&',
  ),
  mutant(
    'options-not-compared',
    'a mount with other options is shared',
    'L5',
    'option-meaning.ts',
    'a.source === b.source && sameOptions(a.type, a.options, b.options, insignificant))',
    'a.source === b.source)',
  ),
  mutant(
    'deadline-leaves-the-claim',
    'an attach that is refused at its deadline goes on claiming the mountpoint',
    'L2 L7 L47',
    'decide/abandon.ts',
    "  endClaim(draft, 'open')\n  setWork",
    '  setWork',
  ),
  mutant(
    'deadline-without-an-answer',
    'an attach that is being served is not answered at its deadline',
    'L45',
    'decide/deadline.ts',
    "    if (served) abandon(draft)\n    refuseWaiting(draft, waiting, { _tag: 'Uncertain', why })",
    "    if (served) abandon(draft)\n    else refuseWaiting(draft, waiting, { _tag: 'Uncertain', why })",
  ),
  mutant(
    'cancel-of-a-served-request',
    'an attach that has begun is cancelled, and what it did stays',
    'L7 L45',
    'decide/operator.ts',
    'if (begun || drafts.length === 0 || drafts.some((draft) => !isUntouched(draft, target))) {',
    'if (begun || drafts.length === 0) {',
  ),
  mutant(
    'second-answer',
    'an answered request stays in the list of those that wait for an answer',
    'L45',
    'decide/reply.ts',
    "{ _tag: 'Answered', request: unanswered.request }",
    "{ _tag: 'Progressed', unanswered }",
  ),
  mutant(
    'release-forgets-who-waits',
    'a release takes the holders of a consumer, and not its attaches that wait',
    'L7',
    'decide/request.ts',
    'const attaches = attachesOf(out, consumer)',
    'const attaches = attachesOf(out, consumer).slice(0, 0)',
  ),
  mutant(
    'holders-dropped-with-the-layer',
    'every consumer that holds a layer that a third party has taken off is forgotten',
    'L1 L30 L35',
    'decide/see.ts',
    'if (position < 0) noteUnmounted(draft, by)',
    `if (position < 0) {
    noteUnmounted(draft, by)
    for (const { volume, consumer } of everyHolder(draft)) endHolder(draft, volume, consumer)
  }`,
    "import { endHolder } from './advance.js'\nimport { everyHolder } from './draft.js'",
  ),
]

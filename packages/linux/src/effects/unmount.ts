// Unmount: takes the top layer off, if it still is the one that was ours. Only these forms of umount(8) are used: plain for
// types that cannot hang, `-c` (does not touch the target), `-f`, `-l`; never `-i`, `-R` or `-a`, never a source.

import type { Unmount } from '@mountkeeper/core'
import { compareIdentity, layersOf } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import type { Looked, Tools } from '../tools.js'
import { holdParent, leftOf, lookFor, notRun, reportOf, runAndLook } from '../tools.js'

const OPTIONS: Readonly<Record<Unmount['how'], readonly string[]>> = { plain: ['-c'], force: ['-f'], lazy: ['-l'] }

/** Plain umount stats its target first, and hangs with it; with `-c` it reads the whole table instead (measured). */
const touchesTarget = (effect: Unmount): boolean => effect.how === 'plain' && !effect.mayHang

const isOnTop = (effect: Unmount, looked: Looked): boolean => {
  const top = layersOf(looked.found)[0]
  return top !== undefined && compareIdentity(effect.identity, top) === 'same'
}

/**
 * Unmounts one layer. What lies on top is compared once more, right before: anything else is reported as found and left
 * alone (L20, L34). Between that and umount2(2) a third party can act, which nothing on Linux prevents.
 */
export const unmount = async (tools: Tools, effect: Unmount): Promise<Report> => {
  const left = leftOf(effect.deadlineMs)
  const options = touchesTarget(effect) ? [] : OPTIONS[effect.how]
  const before = await lookFor(tools, effect, left)
  if (!isOnTop(effect, before)) {
    if ('ended' in before) return reportOf(before)
    return notRun(before.found, ['umount', ...options, '--', effect.mountpoint], 'not run: another layer is on top')
  }
  const held = holdParent(effect, ['umount', ...options, '--'])
  if ('found' in held) return held
  const { parent, target, shown } = held
  // The plain form makes its target canonical, which the path is already; the others take it as it is.
  const operand = touchesTarget(effect) ? effect.mountpoint : target
  return runAndLook(
    { tools, effect, left, shown, hold: [parent.place.fd] },
    { program: 'umount', options, operands: [operand], rights: 'privileged', deadlineMs: left() },
  )
}

// Unmount: takes the top layer off, if it still is the one that was ours. Only these forms of umount(8) are used: plain where
// it hands on the path that it was given, `-c` everywhere else (does not touch the target, and follows no descriptor back to
// its path), with `-f` and `-l`; never `-i`, `-R` or `-a`, never a source.

import type { Found, MountOption, Unmount } from '@mountkeeper/core'
import { compareIdentity, layersOf, optionName } from '@mountkeeper/core'
import type { Report } from '@mountkeeper/runtime'
import { UMOUNT_TAKES_PATH } from '@mountkeeper/types'
import { leftOf } from '../clock.js'
import { unmountsQuickly } from '../quick.js'
import type { Tools } from '../tools.js'
import { lookFor, nameTarget, notRun, pathOf, reportOf, runAndLook } from '../tools.js'

const CANONICAL: Readonly<Record<Unmount['how'], readonly string[]>> = {
  plain: ['-c'],
  // Without `-c` these make the path canonical, and hand that on (traced).
  force: ['-f', '-c'],
  lazy: ['-l', '-c'],
}

const UTAB: ReadonlySet<string> = new Set(['_netdev', 'user', 'users', 'owner', 'group', 'uhelper', 'helper'])

/** mount(8) keeps these in utab, and umount(8) then goes by the table and the path in it. */
const isKept = (option: MountOption): boolean => UTAB.has(optionName(option)) || /^[xX]-/.test(optionName(option))

/**
 * Plain umount stats its target first, and hangs with it; with `-c` it reads the whole table instead (measured). For some
 * filesystems, overlay among them, and for what stands in utab it makes the path canonical and hands that to umount2(2): a
 * path that leads elsewhere when a parent is exchanged, and that may be the source of another mount.
 */
const takesPath = ({ how, mayHang, identity, filesystem }: Unmount): boolean =>
  how === 'plain' &&
  !mayHang &&
  UMOUNT_TAKES_PATH.includes(identity.fstype) &&
  !(filesystem?.options ?? []).some(isKept)

const isOnTop = (effect: Unmount, found: Found): boolean => {
  const top = layersOf(found)[0]
  return top !== undefined && compareIdentity(effect.identity, top) === 'same'
}

/**
 * Unmounts one layer. What is on top is compared once more, right before: anything else is reported as found and left
 * alone (L20, L34). Between that and umount2(2) a third party can act, which nothing on Linux prevents.
 */
export const unmount = async (tools: Tools, effect: Unmount): Promise<Report> => {
  const left = leftOf(tools.clock, effect.deadlineMs)
  const isPlain = takesPath(effect)
  const options = isPlain ? [] : CANONICAL[effect.how]
  const before = await lookFor(tools, effect, left)
  if (!isOnTop(effect, before.found)) {
    if ('ended' in before) return reportOf(before)
    const moved = before.elsewhere === undefined ? {} : { elsewhere: before.elsewhere }
    return {
      ...notRun(before.found, ['umount', ...options, '--', effect.mountpoint], 'not run: another layer is on top'),
      ...moved,
    }
  }
  const target = nameTarget(tools, effect, ['umount', ...options, '--'])
  if ('found' in target) return target
  return runAndLook(
    { tools, effect, left, shown: [target.shown], hold: [], isOwed: (found) => isOnTop(effect, found) },
    {
      ...{ program: 'umount', options, operands: [pathOf(target)], rights: 'privileged', deadlineMs: left() },
      quick: isPlain && unmountsQuickly(effect),
      change: { do: 'unmount', mountpoint: effect.mountpoint, how: effect.how },
    },
  )
}

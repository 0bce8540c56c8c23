// A service that the tests make one file of: it attaches on a simulated host, or on this one, and says how many were mounted.

import { openMountkeeper } from 'mountkeeper'
import type { Keeper } from 'mountkeeper'
import { openSimulatedMountkeeper } from 'mountkeeper/simulated'

const attachAll = async (keeper: Keeper, root: string, count: number): Promise<number> => {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      keeper.attach({
        mountpoint: `${root}/m${n}`,
        filesystem: { type: 'tmpfs', source: 'bundled', options: ['size=64k'] },
        volume: 'v',
        consumer: 'c',
      }),
    ),
  )
  return answers.filter(({ mount }) => mount === 'mounted').length
}

const [, , where = '', root = '', count = ''] = process.argv
try {
  if (where === 'simulated') {
    const keeper = await openSimulatedMountkeeper({ root })
    console.log(await attachAll(keeper, root, Number(count)))
  } else {
    const keeper = await openMountkeeper({ root, log: () => undefined })
    console.log(await attachAll(keeper, root, Number(count)))
    await keeper.release({ consumer: 'c' })
    await keeper.close()
  }
} catch (error) {
  console.log(String(error))
  process.exitCode = 3
}

// The search of all processes, shared by all who wait for the end of a command: it reads all of /proc, half a second among 3,000
// processes on a busy machine, so that one for each of them would leave no time for anything else.

/** Finds what lives, by a search that began after it was asked for. */
export type SearchTogether<Found> = () => Promise<readonly Found[]>

/** Between two searches, in times of the last one, and at most this many ms. */
const PAUSE_SHARE = 20
const PAUSE_MAX_MS = 1_000

/** Makes a search that is done once for all who ask while it is due. Keeps no process running by itself. */
export const createSearch = <Found>(
  search: () => readonly Found[],
  now: () => number = () => performance.now(),
): SearchTogether<Found> => {
  let next: Promise<readonly Found[]> | undefined
  let notBefore = -Infinity
  const searchNow = (): readonly Found[] => {
    next = undefined
    const since = now()
    const found = search()
    const end = now()
    notBefore = end + Math.min(PAUSE_MAX_MS, PAUSE_SHARE * (end - since))
    return found
  }
  return () =>
    (next ??= new Promise((resolve) => {
      setTimeout(() => resolve(searchNow()), Math.max(0, notBefore - now())).unref()
    }))
}

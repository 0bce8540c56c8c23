// How long something is waited for: as long as it takes, and no longer than a stop allows. No wait of a run is without it.

import type { Stopping } from './stopping.js'

/** What came of waiting. */
export type Waited<T> = { readonly _tag: 'Done'; readonly value: T } | { readonly _tag: 'GivenUp' }

/** How long is waited after a stop, ms; without `drainMs` only a hard stop counts. */
export interface Patience {
  readonly drainMs?: number
  readonly hardMs: number
}

/** A disk that hangs is waited for no longer than this after a hard stop, ms. */
export const JOURNAL_PATIENCE: Patience = { hardMs: 1_000 }

/** Waits for work. What was given up goes on, and its result is dropped. Rejects as the work does. */
export const patiently = <T>(
  work: Promise<T>,
  { drain, hard }: Pick<Stopping, 'drain' | 'hard'>,
  { drainMs, hardMs }: Patience,
): Promise<Waited<T>> =>
  new Promise((resolve, reject) => {
    const timers: NodeJS.Timeout[] = []
    const after = (limitMs: number) => (): void => {
      timers.push(setTimeout(() => settle(() => resolve({ _tag: 'GivenUp' })), limitMs))
    }
    const onDrain = drainMs === undefined ? () => undefined : after(drainMs)
    const onHard = after(hardMs)
    const settle = (how: () => void): void => {
      for (const timer of timers) clearTimeout(timer)
      drain.removeEventListener('abort', onDrain)
      hard.removeEventListener('abort', onHard)
      how()
    }
    drain.addEventListener('abort', onDrain)
    hard.addEventListener('abort', onHard)
    if (drain.aborted) onDrain()
    if (hard.aborted) onHard()
    work.then(
      (value) => settle(() => resolve({ _tag: 'Done', value })),
      (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
    )
  })

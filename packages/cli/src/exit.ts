// How the command ends. Nothing here exits: every part returns its code, and only main.ts hands it to the process.

import type { Failure } from 'mountkeeper/parts'

/** 0: every request was answered ok; 1: some were refused, or a check failed; 2: usage or configuration; 3: no start, or stopped. */
export const EXIT = { ok: 0, refused: 1, usage: 2, stopped: 3 } as const

/** One of the four ways to end. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** How the command ends that cannot go on. */
export const exitOf = ({ by }: Failure): ExitCode => (by === 'usage' ? EXIT.usage : EXIT.stopped)

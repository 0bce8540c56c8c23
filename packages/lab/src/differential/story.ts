// What a story is, and what many of them share.

import type { SimulatedSettings } from '@mountkeeper/simulator'
import { SHORT_MS } from './planted.js'
import type { Step } from './step.js'
import { tmpfs } from './step.js'

/** A name, what happens, and what is set otherwise. */
export type Story = readonly [name: string, steps: readonly Step[], settings?: SimulatedSettings]

export const G = tmpfs('g')
export const SHORT: SimulatedSettings = { deadlinesMs: { mount: SHORT_MS, unmount: SHORT_MS, directory: SHORT_MS } }
/** For what waits for a conclusive look, and for what is overdue: later than `SHORT`. */
export const SOON = { deadlineMs: SHORT_MS + 500 }

// Hooks for those who watch: transcripts, traces, metrics. They see everything and change nothing; what is absent costs
// nothing. A hook that throws is reported, and after `ERRORS_MAX` errors the observer is no longer called.

import type { Answer, Decision, Discover, Effect, Host, Input, MountpointEffect } from '@mountkeeper/core'
import type { InventoryNews, Report } from './ports.js'

/** What may be watched. All hooks are called synchronously, in the order in which things happen. */
export interface Observer {
  /** Once, before the first input. The host is changed in place afterwards: copy what is to be kept. */
  readonly onBegin?: (host: Host) => void
  /** After each decision and before it is applied; decisions may be ahead of the disk. */
  readonly onDecision?: (input: Input, decision: Decision) => void
  /** When an effect is about to be started, its facts and all before them being durable; delays (`Wait`) too. */
  readonly onEffectStarted?: (effect: Effect) => void
  /** When the port has reported, before the outcome is decided. Never for delays. Times are wall clock, ms. */
  readonly onReport?: (effect: MountpointEffect | Discover, report: Report, startedAt: number, endedAt: number) => void
  /** When an answer is delivered, just before its caller gets it. */
  readonly onAnswer?: (answer: Answer) => void
  /** When the authority on what is in use was lost, is back or reports a change; before anything follows from it. */
  readonly onInventory?: (news: InventoryNews) => void
}

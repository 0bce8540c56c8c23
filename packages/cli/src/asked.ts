// What a command line asks for, as values: the command and its options, read and not yet acted on.

import type { FaultKind } from '@mountkeeper/simulator'
import type { PlaceArguments } from 'mountkeeper/parts'

/** How results are shown; left out, a terminal gets a transcript and anything else JSON. */
export type OutputKind = 'json' | 'transcript'

/** Where effects are run. */
export type HostKind = 'linux' | 'simulator'

/** `run`, as it was asked for. */
export interface RunArguments extends PlaceArguments {
  readonly _tag: 'Run'
  /** Absent or `-`: stdin. */
  readonly file: string | undefined
  readonly sandbox: boolean
  readonly host: HostKind
  readonly concurrent: boolean
  readonly output: OutputKind | undefined
  readonly trace: string | undefined
}

/** `serve`, as it was asked for. */
export interface ServeArguments extends PlaceArguments {
  readonly _tag: 'Serve'
  /** Besides those that are configured. */
  readonly sockets: readonly string[]
  readonly trace: string | undefined
}

/** `plan`, as it was asked for. */
export interface PlanArguments extends PlaceArguments {
  readonly _tag: 'Plan'
  readonly file: string | undefined
  readonly output: OutputKind | undefined
}

/** `doctor`, as it was asked for. */
export interface DoctorArguments extends PlaceArguments {
  readonly _tag: 'Doctor'
  readonly json: boolean
  readonly repair: boolean
  readonly upgrade: boolean
  readonly sudoers: boolean
  readonly exec: boolean
}

/** `simulate`, as it was asked for. */
export interface SimulateArguments {
  readonly _tag: 'Simulate'
  /** Absent: one that differs from call to call. */
  readonly seed: number | undefined
  readonly runs: number
  /** Absent: everything goes wrong that can. */
  readonly faults: readonly FaultKind[] | undefined
  readonly shrink: boolean
  readonly trace: string | undefined
  readonly json: boolean
}

/** `status`, as it was asked for. */
export interface StatusArguments extends PlaceArguments {
  readonly _tag: 'Status'
  readonly json: boolean
  readonly mountpoint: string | undefined
  readonly limit: number | undefined
  readonly after: string | undefined
}

/** `inspect`, as it was asked for. */
export interface InspectArguments {
  readonly _tag: 'Inspect'
  readonly path: string | undefined
  readonly source: string | undefined
  readonly json: boolean
  readonly deadlineMs: number | undefined
}

/** `why`, as it was asked for. */
export interface WhyArguments {
  readonly _tag: 'Why'
  readonly mountpoint: string
  readonly json: boolean
  readonly deadlineMs: number | undefined
}

/** `reconcile`, as it was asked for. */
export interface ReconcileArguments extends PlaceArguments {
  readonly _tag: 'Reconcile'
  readonly apply: boolean
  readonly json: boolean
}

/** `trace view`, as it was asked for. */
export interface TraceViewArguments {
  readonly _tag: 'TraceView'
  readonly trace: string
  /** Absent: stdout. */
  readonly output: string | undefined
}

/** One command, as it was asked for. */
export type Asked =
  | RunArguments
  | ServeArguments
  | PlanArguments
  | StatusArguments
  | InspectArguments
  | WhyArguments
  | ReconcileArguments
  | DoctorArguments
  | SimulateArguments
  | TraceViewArguments
  | { readonly _tag: 'Replay'; readonly trace: string }
  | { readonly _tag: 'Help'; readonly topic: 'config' | undefined }

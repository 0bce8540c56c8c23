// A report: what was measured, on what, by which commit; as JSON for machines and as a table for people.

import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Figure } from './figure.js'

/** One line of a report. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly figure: Figure
  /** The figure that is aimed at, in words. */
  readonly aim?: string
  /** Whether it was reached, where there is an aim. */
  readonly met?: boolean
}

/** Where and when figures were measured. */
export interface Circumstances {
  readonly machine: string
  readonly kernel: string
  readonly node: string
  readonly commit: string
  /** Load average over a minute when the measurement began. */
  readonly load: number
}

const BYTES_PER_GB = 1e9

const commitOf = (folder: string): string => {
  const { status, stdout } = spawnSync('git', ['-C', folder, 'describe', '--always', '--dirty', '--abbrev=12'], {
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : 'unknown'
}

/** Of this machine, now; the commit is that of the repository that this folder is in. */
export const circumstances = (folder: string): Circumstances => {
  const [first] = cpus()
  return {
    machine: `${cpus().length} x ${first?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / BYTES_PER_GB)} GB`,
    kernel: release(),
    node: process.version,
    commit: commitOf(folder),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  }
}

const NAME_WIDTH = 58
const FIGURE_WIDTH = 10

const shown = (value: number): string => {
  if (!Number.isFinite(value)) return '-'
  if (value >= 1_000) return value.toFixed(0)
  return value >= 100 ? value.toFixed(1) : value.toFixed(2)
}

const line = ({ name, unit, figure, aim, met }: Row): string => {
  const goal = aim === undefined ? '' : `  aim ${aim}: ${met === true ? 'met' : 'NOT MET'}`
  const spread = `[${shown(figure.least)} to ${shown(figure.most)}]`
  return `${name.padEnd(NAME_WIDTH)}${shown(figure.median).padStart(FIGURE_WIDTH)} ${unit.padEnd(9)} ${spread}${goal}`
}

/** The table, one line for each row. */
export const tableOf = (title: string, where: Circumstances, rows: readonly Row[]): string =>
  [
    `${title}; median [spread]`,
    `${where.machine}; Linux ${where.kernel}; Node ${where.node}; commit ${where.commit}; load ${where.load} at the start`,
    ...rows.map(line),
    '',
  ].join('\n')

/** Prints the table, and writes the same as JSON where `BENCH_JSON` names a file. */
export const tell = (title: string, where: Circumstances, rows: readonly Row[]): void => {
  process.stdout.write(tableOf(title, where, rows))
  const file = process.env['BENCH_JSON']
  if (file === undefined) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify({ title, ...where, rows }, null, 2)}\n`)
}

// A campaign against a core with a mistake in it, as the body of a worker thread: posts what a person would be shown.
import { parentPort } from 'node:worker_threads'
import { beginCampaign, goOnWith, shrink, tellCounterexample } from '../../../src/index.js'

/** What a person would be shown. */
export interface Simulated {
  readonly law: string | undefined
  readonly runs: number
  readonly seconds: number
  readonly actions: number
  readonly transcript: string
}

const RUNS_MAX = 20_000

const simulated = (): Simulated => {
  const began = performance.now()
  const campaign = beginCampaign({ seed: 1, runs: RUNS_MAX })
  goOnWith(campaign, RUNS_MAX)
  const found = campaign.broken && shrink(campaign, campaign.broken)
  return {
    law: found?.law,
    runs: campaign.runs,
    seconds: (performance.now() - began) / 1_000,
    actions: found?.run.actions.length ?? 0,
    transcript: found === undefined ? '' : tellCounterexample(found),
  }
}

parentPort?.postMessage(simulated())

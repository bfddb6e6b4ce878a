// A job at first sight: what its contracts hold, and the latest rounds as the node tells them.

import { numberToHex } from 'viem/utils'
import { eventOf, federationAbi, selectorOf } from '../chain/abi'
import type { Chain } from '../chain/client'
import type { Standing } from '../chain/history/reader'
import { eventIn, type Logs } from '../chain/logs'
import { termsHash, type JobTerms } from '../chain/structs'
import { parseBaselines } from '../protocol/baselines'
import type { JobSpec } from '../protocol/spec'
import { termsView } from './job'
import type { JobGlance, Token } from './model'
import { noteOf } from './waiting'

const LATEST = 50 // rounds
const PATIENCE = 200 // ms that a spec may take here

interface Sources {
  chain: Chain
  logs: Logs
  job: number
  standing: Standing
  terms: JobTerms
  token: Promise<Token>
  spec: Promise<JobSpec | null>
}

export async function glanceAt({ chain, logs, job, standing, terms, ...given }: Sources): Promise<JobGlance> {
  const { at, state, books } = standing
  const late = new Promise<null>((done) => setTimeout(done, PATIENCE, null))
  const [metrics, token, spec] = await Promise.all([latest(chain, logs, job, standing), given.token, Promise.race([given.spec, late])])
  return {
    job, sponsor: state.sponsor, token, terms: termsView(terms), termsHash: termsHash(terms, books.escrowed, state.sponsor),
    spec, phase: state.phase, waiting: { deadline: state.deadline, acted: [], waitingFor: [], note: noteOf(terms, state) },
    books, baselines: parseBaselines(spec?.baselines ?? []), stopping: state.stopping, failures: state.failures, enrolled: state.enrolled, finalized: state.round - 1, metrics,
    head: { number: at.number, timestamp: at.timestamp },
  }
}

/** Metrics of the latest rounds; none where they don't lead to the best one that the contract holds. */
async function latest(chain: Chain, logs: Logs, job: number, { at, state }: Standing): Promise<JobGlance['metrics']> {
  const { federation, firstBlock } = chain.deployment
  const topics = [selectorOf(federationAbi, 'RoundFinalized'), numberToHex(job, { size: 32 })]
  const wanted = Math.min(LATEST, state.round - 1)
  const found = await logs.newest([federation], topics, firstBlock, at, wanted)
  const event = eventOf(federationAbi, 'RoundFinalized')
  const events = found.slice(-LATEST).map((log) => eventIn(log, event)?.values ?? {})
  const rounds = events.map(({ metric }, i): { round: number; metric: bigint } => ({ round: state.round - events.length + i, metric }))
  const inOrder = events.every(({ round }, i) => round === rounds[i]?.round)
  const best = rounds.at(-1 - state.stale)?.metric ?? state.bestMetric // which is older than these
  return inOrder && best === state.bestMetric && rounds.every(({ metric }) => metric <= best) ? rounds : []
}

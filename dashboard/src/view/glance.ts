// A job at first sight: what its contracts hold, and the latest rounds as the node tells them.

import { encodeAbiParameters, keccak256, numberToHex } from 'viem/utils'
import { decodeEvent, federationAbi, outputOf, selectorOf } from '../chain/abi'
import type { Chain } from '../chain/client'
import { phaseOf, type RawTerms } from '../chain/history'
import type { Standing } from '../chain/jobs'
import type { Logs } from '../chain/logs'
import { parseBaselines } from '../protocol/spec'
import { termsView } from './job'
import type { JobGlance, Spec, Token } from './model'
import { noteOf } from './waiting'

const LATEST = 50 // rounds
const PATIENCE = 200 // ms that a spec may take here

interface Sources {
  chain: Chain
  logs: Logs
  job: number
  standing: Standing
  tokenOf: (terms: RawTerms) => Promise<Token>
  specOf: (terms: RawTerms) => Promise<Spec | null>
}

export async function glanceAt({ chain, logs, job, standing, tokenOf, specOf }: Sources): Promise<JobGlance> {
  const { at, state, books } = standing
  const rounds = latest(chain, logs, job, standing)
  const terms = await chain.call<RawTerms>(chain.deployment.federation, federationAbi, 'termsOf', [BigInt(job)], at.number)
  const late = new Promise<null>((done) => setTimeout(done, PATIENCE, null))
  const [metrics, token, spec] = await Promise.all([rounds, tokenOf(terms), Promise.race([specOf(terms), late])])
  const phase = phaseOf(state.phase)
  return {
    job, sponsor: state.sponsor, token, terms: termsView(terms), termsHash: keccak256(encodeAbiParameters([outputOf(federationAbi, 'termsOf')], [terms])),
    spec, phase, waiting: { phase, deadline: state.deadline, now: at.timestamp, acted: [], waitingFor: [], note: noteOf(terms, state) },
    books, baselines: parseBaselines(spec?.baselines ?? []), stopping: state.stopping, enrolled: state.enrolled, finalized: state.round - 1, metrics,
    head: { number: at.number, timestamp: at.timestamp },
  }
}

/** Metrics of the latest rounds; none where they don't lead to the result that the contract holds. */
async function latest(chain: Chain, logs: Logs, job: number, { at, state }: Standing): Promise<JobGlance['metrics']> {
  const { federation, firstBlock } = chain.deployment
  const topics = [selectorOf(federationAbi, 'RoundFinalized'), numberToHex(job, { size: 32 })]
  const wanted = Math.min(LATEST, state.round - 1)
  const found = await logs.newest([federation], topics, firstBlock, at, wanted)
  const events = found.map((log) => decodeEvent(log.topics, log.data)?.values).slice(-LATEST)
  const rounds = events.map((event, i) => ({ round: state.round - events.length + i, metric: event?.metric as bigint }))
  const whole = events.length === wanted && events.every((event, i) => event?.round === rounds[i]?.round)
  return whole && (!wanted || events.at(-1)?.resultHash === state.lastResult) ? rounds : []
}

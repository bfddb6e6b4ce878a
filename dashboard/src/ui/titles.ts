/** What a tab is called, from the place that it shows and what is known of it: what, then where; "!" before a job in trouble. */
import { short } from './format'
import type { Route } from './router'

/** job: of the one that is on the screen. */
export interface Facts {
  network: string
  job?: JobFacts
  account?: string // what the one on the screen is called
}

export interface JobFacts {
  number: number
  title: string // '' where the sponsor gave none
  trouble?: boolean
}

export function titleOf(route: Route, facts: Facts): string {
  if (route.page === 'jobs') return route.filter === 'open' ? 'Open jobs · Hansa' : `Hansa: jobs on ${facts.network}`
  const warns = 'job' in route && facts.job?.number === route.job && facts.job.trouble
  return (warns ? '! ' : '') + [...placeOf(route, facts), 'Hansa'].join(' · ')
}

const PLACES = { accounts: 'Accounts', how: 'How it works', post: 'Post a job', unknown: 'No such page' } as const
const PARTS = { job: '', join: 'Join', rounds: 'Rounds and pay', validators: 'Validators', money: 'Money', terms: 'Terms' } as const

function placeOf(route: Exclude<Route, { page: 'jobs' }>, { job, account }: Facts): string[] {
  if ('job' in route) {
    const part = route.page === 'round' ? `Round ${route.round}` : PARTS[route.page]
    return [...(job?.number === route.job && job.title ? [job.title] : []), `Job ${route.job}`, ...(part ? [part] : [])]
  }
  if (route.page === 'account') return route.address ? [`Account ${account ?? short(route.address)}`] : ['Account']
  if (route.page === 'tx') return [`Transaction ${short(route.hash)}`]
  if (route.page === 'block') return [`Block ${route.number}`]
  if (route.page === 'verify') return route.cid ? [`Verify ${short(route.cid, 6, 6)}`] : ['Verify a file']
  return [PLACES[route.page]]
}

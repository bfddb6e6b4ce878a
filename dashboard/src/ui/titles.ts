/** What a tab is called, from the place that it shows and what is known of it: what, then where. */
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
}

export function titleOf(route: Route, facts: Facts): string {
  return route.page === 'jobs' ? `Hansa: jobs on ${facts.network}` : [...placeOf(route, facts), 'Hansa'].join(' · ')
}

function placeOf(route: Exclude<Route, { page: 'jobs' }>, { job, account }: Facts): string[] {
  switch (route.page) {
    case 'job':
    case 'ledger':
    case 'validators':
    case 'round':
      return [...(job?.number === route.job && job.title ? [job.title] : []), `Job ${route.job}`, ...partOf(route)]
    case 'account':
      return route.address ? [`Account ${account ?? short(route.address)}`] : ['Account']
    case 'verify':
      return route.cid ? [`Verify ${short(route.cid, 6, 6)}`] : ['Verify a file']
    case 'accounts':
      return ['Accounts']
    case 'post':
      return ['Post a job']
    case 'unknown':
      return ['No such page']
  }
}

function partOf(route: Extract<Route, { job: number }>): string[] {
  switch (route.page) {
    case 'job':
      return []
    case 'ledger':
      return ['Ledger']
    case 'validators':
      return ['Validators']
    case 'round':
      return [`Round ${route.round}`]
  }
}

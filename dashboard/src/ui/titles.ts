/** What a tab is called, from the place that it shows and what is known of it: what, then where. */
import { short } from './format'
import type { Route } from './router'

/** job: of the one that is on the screen. */
export interface Facts {
  network: string
  job?: JobFacts
}

export interface JobFacts {
  number: number
  title: string // '' where the sponsor gave none
}

export function titleOf(route: Route, facts: Facts): string {
  return route.page === 'jobs' ? `Hansa: jobs on ${facts.network}` : [...placeOf(route, facts), 'Hansa'].join(' · ')
}

function placeOf(route: Exclude<Route, { page: 'jobs' }>, { job }: Facts): string[] {
  switch (route.page) {
    case 'job':
    case 'join':
    case 'ledger':
    case 'validators':
    case 'round':
      return [...(job?.number === route.job && job.title ? [job.title] : []), `Job ${route.job}`, ...partOf(route)]
    case 'account':
      return route.address ? [`Account ${short(route.address)}`] : ['Account']
    case 'tx':
      return [`Transaction ${short(route.hash)}`]
    case 'block':
      return [`Block ${route.number}`]
    case 'verify':
      return route.cid ? [`Verify ${short(route.cid, 6, 6)}`] : ['Verify a file']
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
    case 'join':
      return ['Join']
    case 'ledger':
      return ['Ledger']
    case 'validators':
      return ['Validators']
    case 'round':
      return [`Round ${route.round}`]
  }
}

/** The page's places, as hash routes: they work from any path, an IPFS one too. */
import type { Hex } from 'viem'
import { useEffect, useState } from 'preact/hooks'

/** A job's pages, and where they are below #/job/N. */
const JOB_PAGES = { rounds: 'rounds', ledger: 'rounds', validators: 'validators', money: 'money', terms: 'terms', join: 'join' } as const // ledger: as it was called

export type JobPage = 'job' | (typeof JOB_PAGES)[keyof typeof JOB_PAGES]

export type Route =
  | { page: 'jobs'; filter: 'all' | 'open' }
  | { page: JobPage; job: number }
  | { page: 'round'; job: number; round: number }
  | { page: 'account'; address: string }
  | { page: 'tx'; hash: Hex }
  | { page: 'block'; number: number }
  | { page: 'verify'; cid: string }
  | { page: 'post' | 'how' | 'accounts' }
  | { page: 'unknown'; path: string }

export function parse(hash: string): Route {
  const path = hash.replace(/^#?\/?/, '')
  const parts = path.split('/').map(decoded)
  const [first = '', second = '', third = '', fourth = ''] = parts
  if (path === '' || path === 'open') return { page: 'jobs', filter: path || 'all' }
  if ((first === 'post' || first === 'how' || first === 'accounts') && parts.length === 1) return { page: first }
  if (first === 'verify' && parts.length <= 2) return { page: 'verify', cid: second }
  if (first === 'account' && parts.length <= 2) return { page: 'account', address: second }
  if (first === 'tx' && /^0x[0-9a-f]{64}$/i.test(second) && parts.length === 2) return { page: 'tx', hash: second.toLowerCase() as Hex }
  if (first === 'block' && /^\d{1,15}$/.test(second) && parts.length === 2) return { page: 'block', number: Number(second) }
  const job = number(second)
  if (first === 'job' && job !== null) {
    if (parts.length === 2) return { page: 'job', job }
    if (Object.hasOwn(JOB_PAGES, third) && parts.length === 3) return { page: JOB_PAGES[third as keyof typeof JOB_PAGES], job }
    const round = number(fourth)
    if (third === 'round' && parts.length === 4 && round !== null) return { page: 'round', job, round }
  }
  return { page: 'unknown', path }
}

const number = (text: string) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : null)

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function useRoute(): Route {
  const [route, set] = useState(() => parse(location.hash))
  useEffect(() => {
    const follow = () => {
      set(parse(location.hash))
      scrollTo(0, 0)
      document.getElementById('content')?.focus({ preventScroll: true })
    }
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return route
}

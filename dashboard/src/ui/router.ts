/** The page's places, as hash routes: they work from any path, an IPFS one too. */
import { useEffect, useState } from 'preact/hooks'

export type Route =
  | { page: 'jobs' }
  | { page: 'job' | 'ledger' | 'validators'; job: number }
  | { page: 'round'; job: number; round: number }
  | { page: 'account'; address: string }
  | { page: 'verify'; cid: string }
  | { page: 'post' | 'accounts' }
  | { page: 'unknown'; path: string }

export function parse(hash: string): Route {
  const path = hash.replace(/^#?\/?/, '')
  const parts = path.split('/').map(decoded)
  const [first = '', second = '', third = '', fourth = ''] = parts
  if (path === '') return { page: 'jobs' }
  if ((first === 'post' || first === 'accounts') && parts.length === 1) return { page: first }
  if (first === 'verify' && parts.length <= 2) return { page: 'verify', cid: second }
  if (first === 'account' && parts.length <= 2) return { page: 'account', address: second }
  const job = number(second)
  if (first === 'job' && job !== null) {
    if (parts.length === 2) return { page: 'job', job }
    if ((third === 'ledger' || third === 'validators') && parts.length === 3) return { page: third, job }
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

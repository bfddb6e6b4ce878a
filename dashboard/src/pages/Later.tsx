/** A part of a page that comes later, in a script of its own: the page's first load stays small. Without it the rest is shown all the same. */
import type { ComponentChildren } from 'preact'
import { Banner } from '../ui/Banner'
import { useLoad } from '../ui/load'

export function Later({ children }: { children: (late: typeof import('./late')) => ComponentChildren }) {
  const { value, error, reload } = useLoad('late', () => import('./late'))
  if (value) return <>{children(value)}</>
  return error && <Banner tone="warn" title="A part of this page could not be loaded" action={{ label: 'Try again', run: reload }}>The rest is whole without it. Should it stay away, reload the page.</Banner>
}

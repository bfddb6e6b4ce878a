/** Reading with its states: under way, done, failed. What was read stays on the screen while it is read again. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { asError, ChainProblem } from '../problems'
import type { Head } from '../view/model'
import type { Reader } from '../view/reader'

interface Stage<T> {
  key: string
  value: T | null
  error: Error | null
  loading: boolean
}

type Loaded<T> = Omit<Stage<T>, 'key'> & { reload: () => void }

/** Reads at once, and again whenever `fresh` changes; another `key` begins anew. */
export function useLoad<T>(key: string, load: () => Promise<T>, fresh: unknown = null): Loaded<T> {
  const [state, set] = useState<Stage<T>>({ key, value: null, error: null, loading: true })
  const [again, ask] = useState(0)
  const busy = useRef<string | null>(null)
  const latest = useRef(load)
  latest.current = load

  useLayoutEffect(() => { // at once, not after the next frame
    if (busy.current === key) return // the answer on its way is as new as the next one
    busy.current = key
    set((old) => (old.key === key ? { ...old, loading: true } : { key, value: null, error: null, loading: true }))
    latest.current().then(
      (value) => done(() => ({ key, value, error: null, loading: false })),
      (thrown: unknown) => done((old) => ({ ...old, key, error: asError(thrown), loading: false })),
    )
    function done(next: (old: Stage<T>) => Stage<T>) {
      if (busy.current !== key) return
      busy.current = null
      set(next)
    }
  }, [key, fresh, again])

  const reload = useCallback(() => ask((n) => n + 1), [])
  return state.key === key ? { ...state, reload } : { value: null, error: null, loading: true, reload }
}

/** The reader's clock in seconds, once a second. */
export function useNow(): number {
  const [now, set] = useState(() => Date.now() / 1000)
  useEffect(() => {
    const timer = setInterval(() => set(Date.now() / 1000), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}

const POLL = 2_000 // ms

/** Follows the newest block; while that fails, what was read last stays. */
export function useHead(reader: Reader) {
  const [head, set] = useState<Head | null>(null)
  const [problem, setProblem] = useState<Error | null>(null)
  const [again, ask] = useState(0)
  useEffect(() => {
    let gone = false
    let timer: ReturnType<typeof setTimeout>
    const look = async () => {
      try {
        const next = await reader.head()
        if (gone) return
        set((old) => (old?.number === next.number && old.timestamp === next.timestamp ? old : next))
        setProblem(null)
      } catch (thrown) {
        if (gone) return
        setProblem(asError(thrown))
        if (thrown instanceof ChainProblem && thrown.kind === 'reset') return // what was read is void: only a reload helps
      }
      if (!gone) timer = setTimeout(() => void look(), POLL)
    }
    void look()
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [reader, again])
  const refresh = useCallback(() => ask((n) => n + 1), [])
  return { head, problem, refresh }
}

/** Dark and light: the system's choice until the reader makes one. */
import { useEffect, useState } from 'preact/hooks'
import { keep, recalled } from '../kept'

type Theme = 'light' | 'dark'
const KEY = 'hansa.theme'

const preferred = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')

function stored(): Theme | null {
  const found = recalled(KEY)
  return found === 'light' || found === 'dark' ? found : null
}

function useTheme(): [Theme, () => void] {
  const [theme, set] = useState<Theme>(() => stored() ?? preferred())
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
  }, [theme])
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)')
    const follow = () => stored() || set(preferred())
    media.addEventListener('change', follow)
    return () => media.removeEventListener('change', follow)
  }, [])
  const toggle = () => {
    const next = theme === 'dark' ? 'light' : 'dark'
    keep(KEY, next)
    set(next)
  }
  return [theme, toggle]
}

export function ThemeButton() {
  const [theme, toggle] = useTheme()
  return (
    <button type="button" class="plain" onClick={toggle} aria-label={theme === 'dark' ? 'Light colours' : 'Dark colours'}>
      <svg viewBox="0 0 16 16" aria-hidden="true" class="icon">
        <circle cx="8" cy="8" r="5.5" />
        <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" class="filled" />
      </svg>
    </button>
  )
}

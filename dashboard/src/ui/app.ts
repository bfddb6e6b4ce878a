/** What every page has at hand. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Client } from '../chain/rpc'
import type { Deployment } from '../chain/deployment'
import type { Reader } from '../view/reader'
import type { Wallet } from '../wallet/session'
import type { JobFacts } from './titles'

interface App {
  reader: Reader
  client: Client
  deployment: Deployment
  wallet: Wallet
  head: number // the newest block; pages read again when it changes
  time: number // of that block, seconds
  problem: Error | null // with the chain, said above every page
  refresh: () => void // reads the head now
  tell: (job: JobFacts) => void // what the tab's title needs
}

export const AppContext = createContext<App | null>(null)

export function useApp(): App {
  const app = useContext(AppContext)
  if (!app) throw new Error('a page outside the app')
  return app
}

// What goes wrong with chain, store and wallet, and the words for it.

const TITLES = {
  'rpc-down': 'The RPC node does not answer',
  nonsense: 'The RPC node answers nonsense',
  reset: 'The chain was reset',
  'wrong-chain': 'The RPC node is of another chain',
  down: 'The store does not answer',
  missing: 'The store does not have this file',
  'wrong-bytes': 'The store gave other bytes than the CID names',
  'too-large': 'The file is too large',
  refused: 'The wallet, or the contracts, would not do it',
}

/** What a wallet needs after a test chain was started anew. */
export const CLEAR = 'In the wallet, clear the activity data of this network: its nonces are those of the old chain.'

/** message: the object and the cause; next: what to do. */
export abstract class Problem<Kind extends keyof typeof TITLES = keyof typeof TITLES> extends Error {
  constructor(readonly kind: Kind, message: string, readonly next: string) {
    super(message)
  }

  get title(): string {
    return TITLES[this.kind]
  }
}

export class ChainProblem extends Problem<'rpc-down' | 'nonsense' | 'reset' | 'wrong-chain'> {
  override name = 'ChainProblem'
}

/** That a node refused a request, rather than being away: the caller may ask for less. */
export class Refused extends ChainProblem {}

export class StoreProblem extends Problem<'down' | 'missing' | 'wrong-bytes' | 'too-large'> {
  override name = 'StoreProblem'

  constructor(kind: StoreProblem['kind'], readonly cid: string, message: string, next: string) {
    super(kind, message, next)
  }
}

/** What a wallet, or the contracts, would not do. */
export class Refusal extends Problem<'refused'> {
  override name = 'Refusal'

  constructor(message: string, next: string) {
    super('refused', message, next)
  }
}

export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

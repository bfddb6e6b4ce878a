// What goes wrong with chain, store and wallet, and the words for it. message: the object and the cause; next: what to do.

const TITLES = {
  'rpc-down': 'The RPC node does not answer',
  nonsense: 'The RPC node answers nonsense',
  reset: 'The chain was reset',
  'wrong-chain': 'The RPC node is of another chain',
  down: 'The store does not answer',
  missing: 'The store does not have this file',
  'wrong-bytes': 'The store gave other bytes than the CID names',
  'too-large': 'The file is too large',
}

export class ChainProblem extends Error {
  override name = 'ChainProblem'

  constructor(
    readonly kind: 'rpc-down' | 'nonsense' | 'reset' | 'wrong-chain',
    message: string,
    readonly next: string,
  ) {
    super(message)
  }
}

/** That a node refused a request, rather than being away: the caller may ask for less. */
export class Refused extends ChainProblem {}

export class StoreProblem extends Error {
  override name = 'StoreProblem'

  constructor(
    readonly kind: 'down' | 'missing' | 'wrong-bytes' | 'too-large',
    readonly cid: string,
    message: string,
    readonly next: string,
  ) {
    super(message)
  }
}

/** What a wallet, or the contracts, would not do. */
export class Refusal extends Error {
  override name = 'Refusal'

  constructor(
    message: string,
    readonly next: string,
  ) {
    super(message)
  }
}

/** What happened, in a few words. */
export function titleOf(error: Error): string {
  return error instanceof ChainProblem || error instanceof StoreProblem ? TITLES[error.kind] : 'This could not be worked out'
}

export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

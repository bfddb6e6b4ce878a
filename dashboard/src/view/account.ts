// What the pages show of an account.

import type { Address, Hex, Token, TrainerView, ValidatorView } from './model'

export type MovementKind = 'Deposited' | 'Bonded' | 'RewardClaimed' | 'Struck' | 'FeesClaimed' | 'BondReturned' | 'RestReturned' | 'Burnt'

/** One event of the vault about an account. */
export interface Movement {
  block: number
  time: number | null // null: not asked for
  tx: Hex
  job: number
  kind: MovementKind
  round: number | null
  amount: bigint
  moved: bigint // to the account; from it: negative; 0 where tokens stay in the vault or are burnt
}

export interface AccountView {
  address: Address
  did: string
  native: bigint
  movements: Movement[] // oldest first
  unlike: number[] // jobs whose movements don't add up to what the vault holds
  tokens: { token: Token; balance: bigint | null }[] // null: the token does not say
  jobs: {
    job: number
    token: Token
    roles: ('sponsor' | 'trainer' | 'validator')[]
    trainer: TrainerView | null
    validator: ValidatorView | null
    rest: bigint // the sponsor's, claimable
  }[]
}

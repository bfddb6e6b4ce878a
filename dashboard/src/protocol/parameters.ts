// Types of what is hashed together, written as in Solidity. viem's own parser of them knows the whole language, and is large.

import type { ParseAbiParameters } from 'viem'

/** types: plain ones, separated by ", ". */
export const parametersOf = <const Types extends string>(types: Types): ParseAbiParameters<Types> =>
  types.split(', ').map((type) => ({ type })) as unknown as ParseAbiParameters<Types>

// Types of ABI-encoded words, as Solidity lists them; a parser of whole signatures is ten times as large.

import type { AbiParameter } from 'viem'

/** 'bytes32, address[]' → two parameters without names. Plain types and arrays of them alone. */
export const parameters = (types: string): readonly AbiParameter[] => types.split(', ').map((type) => ({ type }))

// ERC-20 facts. Their texts are anybody's: capped, and what can't be seen in them is shown. A stranger whose symbol looks
// like that of the deployment's token is called by its address.

import type { Address, Hex } from 'viem'
import { hexToString } from 'viem/utils'
import { shortSymbolAbi, tokenAbi } from '../chain/abi'
import type { Chain } from '../chain/client'
import { ChainProblem } from '../problems'
import { escapeUntrusted } from '../protocol/text'
import { looks } from './book'
import type { Token } from './model'

const LONGEST_SYMBOL = 16
const MOST_DECIMALS = 36

/** Tokens, each asked once. */
export class Tokens {
  private readonly known = new Map<Address, Promise<Token>>()

  constructor(private readonly chain: Chain) {}

  of(address: Address, at: number): Promise<Token> {
    const found = this.known.get(address) ?? this.read(address, at)
    this.known.set(address, found)
    found.catch(() => this.known.delete(address))
    return found
  }

  private async read(address: Address, at: number): Promise<Token> {
    const ask = (name: string, abi = tokenAbi) => this.chain.call<string | number>(address, abi, name, [], at).catch(unlessAway)
    const [said, decimals] = await Promise.all([ask('symbol'), ask('decimals')])
    const symbol = said ?? shortSymbol(await ask('symbol', shortSymbolAbi))
    const text = typeof symbol === 'string' ? escapeUntrusted(symbol, LONGEST_SYMBOL) : ''
    const { token } = this.chain.deployment
    const twin = address !== token && looks(text) === looks((await this.of(token, at)).symbol)
    return { address, symbol: twin ? `${address.slice(0, 6)}…${address.slice(-4)}` : text || 'tokens', decimals: typeof decimals === 'number' && decimals <= MOST_DECIMALS ? decimals : 0 }
  }

  /** null: the token does not say. */
  balance(token: Address, owner: Address, at: number): Promise<bigint | null> {
    return this.chain.call<bigint>(token, tokenAbi, 'balanceOf', [owner], at).catch(unlessAway)
  }
}

/** The text of a symbol in 32 bytes. */
export const shortSymbol = (word: unknown) => (typeof word === 'string' ? hexToString(word as Hex, { size: 32 }) : null)

/** A token without these functions is shown in its smallest unit. */
function unlessAway(error: unknown): null {
  if (error instanceof ChainProblem && error.kind !== 'rpc-down') return null
  throw error
}

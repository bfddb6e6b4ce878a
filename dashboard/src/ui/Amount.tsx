/** An amount of a token; the exact one on hover. */
import { escapeUntrusted } from '../protocol/text'
import type { Token } from '../view/model'
import { exact, rounded } from './format'

export const symbolOf = (token: Token) => escapeUntrusted(token.symbol, 12) || 'token'

interface Props {
  value: bigint
  token: Token
  unit?: boolean
  whole?: boolean
  signed?: boolean // + before what is positive
}

export function Amount({ value, token, unit = true, whole = false, signed = false }: Props) {
  const all = exact(value, token.decimals)
  return (
    <span class="amount" title={`${all} ${symbolOf(token)}`}>
      {signed && value > 0n && '+'}
      {whole ? all : rounded(value, token.decimals)}
      {unit && <span class="unit"> {symbolOf(token)}</span>}
    </span>
  )
}

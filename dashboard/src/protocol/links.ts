// `history`, as hansa/protocol/links.py: one word that proves a job, a chain over each cycle's opening and end, and each
// lapsed OPEN. The functions give what one link adds, but for `link` itself.

import type { Address, Hex } from 'viem'
import { concat, encodeAbiParameters, keccak256, numberToHex } from 'viem/utils'
import { parameters } from './parameters'
import { OF_SEATS, PHASE_NAMES, type PhaseName, type SeatBits } from './phases'

const BITMAP_BITS = 24
const METRIC_AT = 192n
const BITMAPS: readonly SeatBits[] = ['due', ...OF_SEATS.map(({ acted }) => acted)]
const LINK = parameters('bytes32, bytes32')
const OPENED = parameters('bytes32, address[], bytes32[]')
const FINALISED = parameters('bytes32, uint144, bytes32, uint32')
const FAILED = parameters('uint64, uint128, bytes32, uint144, bytes32, uint8, uint256, uint32')
const LAPSED = parameters('uint8, uint32')

/** What the committee did in a cycle: bitmaps of seats (bit s is seat s). */
export type Board = Readonly<Record<SeatBits, number>>

/** The low 144 bits of the contract's board. */
export const boardWord = (board: Board): bigint =>
  BITMAPS.reduce((word, name, place) => word | (BigInt(board[name]) << BigInt(BITMAP_BITS * place)), 0n)

/** `history` with one link more. */
export const link = (history: Hex, payload: Hex): Hex => keccak256(encodeAbiParameters(LINK, [history, payload]))

/** A cycle's opening; with it `history` is the cycle's seed. keys: by seat, 0 for none. */
export function opened(draw: Hex, committee: readonly Address[], keys: readonly Hex[]): Hex {
  return keccak256(encodeAbiParameters(OPENED, [draw, committee, keys]))
}

/** A finalised cycle. result: its result hash; words: `votesHash`; time: of the block. */
export function finalised(result: Hex, board: Board, words: Hex, time: number): Hex {
  return keccak256(encodeAbiParameters(FINALISED, [result, boardWord(board), words, time]))
}

export interface Failure {
  cycle: bigint
  updates: bigint
  sheets: Hex
  board: Board
  words: Hex // `votesHash` where the committee agreed that nothing could be aggregated, 0 where `failRound` ended it
  reached: PhaseName
  burn: bigint // that it took from the escrow
  time: number
}

/** A failed cycle, with its accumulators. */
export function failed({ cycle, updates, sheets, board, words, reached, burn, time }: Failure): Hex {
  const phase = PHASE_NAMES.indexOf(reached)
  return keccak256(encodeAbiParameters(FAILED, [cycle, updates, sheets, boardWord(board), words, phase, burn, time]))
}

/** An OPEN that nobody used. */
export const lapsed = (time: number): Hex => keccak256(encodeAbiParameters(LAPSED, [PHASE_NAMES.indexOf('OPEN'), time]))

/** A seat's vote as the contract keeps it: 192 sealed bits, above them the metric in two's complement. */
export const voteWord = (sealed: bigint, metric: bigint): bigint => (BigInt.asUintN(64, metric) << METRIC_AT) | sealed

/** Hash of a cycle's votes. votes: `voteWord` of each seat that voted; all others count as 0. */
export function votesHash(votes: ReadonlyMap<number, bigint>, seats: number): Hex {
  return keccak256(concat(Array.from({ length: seats }, (_, seat) => numberToHex(votes.get(seat) ?? 0n, { size: 32 }))))
}

/** What phases and verdicts are called on the page. */
import type { MovementKind } from '../view/account'
import type { PhaseName, Verdict } from '../view/model'

export const PHASES: Record<PhaseName, { title: string; says: string }> = {
  NONE: { title: 'none', says: 'There is no such job.' },
  ENROL: { title: 'Enrolment', says: 'Trainers join with a bond.' },
  OPEN: { title: 'Open', says: 'Anybody may start the next cycle; it draws the committee.' },
  SUBMIT: { title: 'Submit', says: 'Trainers train and register their sealed updates.' },
  ATTEST: { title: 'Attest', says: 'Members say which updates they have.' },
  RELEASE: { title: 'Release', says: 'Members release their shares.' },
  SCORE: { title: 'Score', says: 'Members screen and score the updates and commit to their sheets.' },
  REVEAL: { title: 'Reveal', says: 'Members publish their sheets.' },
  VOTE: { title: 'Vote', says: 'Members work out the next model and vote its hash.' },
  FINALIZE: { title: 'Finalize', says: 'Anybody may open the result and book the rewards.' },
  LAPSED: { title: 'Lapsed', says: 'A minimum was missed; anybody may end this attempt.' },
  COMPLETED: { title: 'Completed', says: 'The job is over.' },
  ABORTED: { title: 'Aborted', says: 'The job ended without its goal; the rest went back to the sponsor.' },
  CANCELLED: { title: 'Cancelled', says: 'The job ended before it began; everything can be taken back.' },
}

export const isOver = (phase: PhaseName) => phase === 'COMPLETED' || phase === 'ABORTED' || phase === 'CANCELLED'

/** As hansa/cli/wallet/history.py says it; {round} is the round's number. */
export const MOVEMENTS: Record<MovementKind, string> = {
  Deposited: 'escrow paid in',
  Bonded: 'bond paid in',
  RewardClaimed: 'pay of round {round}',
  Struck: 'penalty for round {round}, off the bond',
  FeesClaimed: 'fees',
  BondReturned: 'bond back',
  RestReturned: 'rest of the escrow back',
  Burnt: 'burnt',
}

export const VERDICTS: Record<Verdict, string> = {
  ok: 'The update was opened and measured.',
  unreachable: 'The file could not be had.',
  malformed: 'The file is not an update of this cycle.',
  zero: 'The update changes nothing.',
  duplicate: 'Another update of the round holds the same numbers.',
}

"""Why a contract refused, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hansa.protocol.tables import LIMITS
from hansa.protocol.types import Phase
from hansa.runtime.calendar import local
from hansa.runtime.chain.abi import ContractError

LONGEST_PHASE = LIMITS.seconds_of_a_phase // 86_400  # days

WORDS: Mapping[str, str] = {
    "Federation_WrongPhase": "job {jobId} is in phase {actual}, this needs {expected}",
    "Federation_WrongTerms": "job {jobId} has other terms than those agreed to",
    "Federation_BondTooSmall": "the bond is below the {minBond} units that job {jobId} asks for",
    "Federation_AlreadyEnrolled": "{trainer} is enrolled already",
    "Federation_NotEnrolled": "{trainer} is not enrolled in job {jobId}",
    "Federation_NotAdmitted": "the job's admission contract does not admit {trainer}",
    "Federation_NotSponsor": "{account} is not the sponsor of job {jobId}",
    "Federation_TooEarly": "job {jobId} can open its next cycle from {from}",
    "Federation_WrongSignature": "what was sent for {account} is not what it signed",
    "Federation_SignatureExpired": "what was signed for job {jobId} is too late",
    "Federation_WrongSeed": "that update is sealed for another cycle of job {jobId} than the one that is open",
    "Federation_BadResult": "a result without a model can't pay",
    "Federation_JobRunning": "job {jobId} is still running",
    "Federation_NotSeated": "{account} does not hold seat {seat} of job {jobId}",
    "Vault_JobRunning": "job {jobId} is still running",
    "Vault_TooEarly": "job {jobId} allows it from {from}",
    "Vault_TooLate": "job {jobId} allowed it until {until}",
    "Vault_InvalidProof": "round {round} of job {jobId} pays {trainer} something else",
    "Vault_TokenTakesFees": "token {token} took fees ({received} of {expected} units arrived); such a token is no use",
    "Terms_EscrowTooSmall": "the escrow of {escrow} units does not pay one full round of {fullRound}",
    "Terms_NotAContract": "{account} is not a contract",
    "Terms_SeatsOutOfBounds": f"{{seats}} seats; 1 to {LIMITS.seats} are possible",
    "Terms_QuorumOutOfBounds": "a quorum of {quorum} of {seats} seats; more than half are needed",
    "Terms_PhaseOutOfBounds": f"{{phase}} would take {{time}} s; 1 s (OPEN: 2 s) to {LONGEST_PHASE} days are possible",
    "Terms_SlashTimeOutOfBounds": "a slash time of {slashTime} s; 30 days, and {claimTime} s to claim, are the limits",
    "Terms_TooLong": "the job could take {time} s; three years are possible",
    "Committee_WrongMembers": f"a committee needs 1 to {LIMITS.seats} different members",
    "Committee_NotServed": "the pool does not serve job {jobId}: its sponsor, spec or terms are others",
    "Committee_PoolTooSmall": "fewer accounts than the {seats} seats of job {jobId} are there to be drawn",
    "Committee_PoolFull": "the pool is full",
    "Committee_LeafTaken": "{account} has taken that place in the pool, or left it a short while ago",
    "Committee_NoKey": "{account} has announced no encryption key",
    "Committee_StakeTooSmall": "a stake of {staked} units; {minimum} are the least, or none",
    "Committee_NotStaked": "{account} has {staked} units at stake, not {amount}",
    "Committee_TooEarly": "what {account} takes out is free from {from}",
    "Committee_WrongHistory": "job {jobId} has gone on since, or its links are others",
    "Committee_NotAtFault": "seat {seat} of job {jobId} was not at fault",
    "Committee_AlreadyReported": "seat {seat} of job {jobId} was reported already",
    "Did_NotOwner": "{identity} does not belong to {account}",
    "Credentials_NotIssuer": "{account} has not issued that credential",
    "Credentials_AlreadyRevoked": "that credential is revoked already",
    "Admission_WrongNumber": "{number} issuers or jobs; 1 to 16 are possible",
    "ERC20InsufficientBalance": "{sender} has {balance} token units and needs {needed}",
    "ERC20InsufficientAllowance": "{spender} may take {allowance} token units and needs {needed}",
}
OWN_WORDS = {"NoCoin": "{account} has no coin, and no relay sends that"}
"""Of what is refused before a contract is asked."""
TIMES = frozenset({"from", "until"})
PHASES = {"Federation_WrongPhase": ("expected", "actual"), "Terms_PhaseOutOfBounds": ("phase",)}


def explain(error: ContractError) -> str:
    """The refusal as a clause; one that has no words here keeps its own name and values."""
    if error.name == "Error":
        return str(error.arguments.get("reason", "no reason given"))
    words = WORDS.get(error.name) or OWN_WORDS.get(error.name)
    if words is None:
        return str(error)
    phases = PHASES.get(error.name, ())
    try:
        return words.format(**{name: _shown(name, value, name in phases) for name, value in error.arguments.items()})
    except (KeyError, ValueError):  # of the same name with other arguments or values, from somebody else's contract
        return str(error)


def _shown(name: str, value: Any, is_phase: bool) -> str:
    if name in TIMES:
        return local(int(value))
    if is_phase:
        return Phase(int(value)).name
    return str(value)

"""Whether a job is what the state under one block's hash says: the contracts' code, and every word of theirs."""

from __future__ import annotations

from eth_utils.crypto import keccak

from hansa.audit.facts import Facts
from hansa.audit.proof.state import NO_CODE, State
from hansa.audit.replay import EventReplay
from hansa.audit.report import Finding, Report, Wrong, require_equal
from hansa.audit.signatures import Signatures
from hansa.audit.storage import expected_storage
from hansa.protocol.text import counted
from hansa.protocol.types import Address
from hansa.runtime.chain.bytecode import runtime_code
from hansa.runtime.chain.layout import storage_layout

UNBOUND = "nothing here is bound to a block: whoever wrote it could have invented it whole"


def check_bound(facts: Facts, replay: EventReplay, signatures: Signatures, report: Report) -> None:
    """Raises Wrong where the state is another one than the events lead to, or what should prove it does not."""
    if facts.proof is None:
        report.gap("that the chain holds any of it", f"no proof of its state is here; {UNBOUND}")
        _tell_unsigned(signatures, None, report)
        return
    try:
        state = State.of(facts.proof)
        require_equal("the block that the state is of", facts.at, state.block)
        _check_code(facts, state, report)
        _check_words(facts, replay, state, report)
        for name in ("token", "committee", "admission"):
            account: Address = getattr(replay.rules.terms, name)
            report.noted[f"code of the {name} {account}"] = f"0x{state.code_hash(account).hex()}"
        _tell_unsigned(signatures, state, report)
        state.check_used()
    except ValueError as error:
        raise Wrong(
            Finding("the proof of the contracts' state", "one of all that the events lead to", str(error))
        ) from error


def _check_code(facts: Facts, state: State, report: Report) -> None:
    federation, vault, library = (bytes.fromhex(a[2:]) for a in (facts.federation, facts.vault, facts.library))
    codes = {
        facts.federation: ("Federation", {"vault": vault, "Terms": library}),
        facts.vault: ("Vault", {"_federation": federation}),
        facts.library: ("Terms", {"library_deploy_address": library}),
    }
    for account, (name, inside) in codes.items():
        require_equal(f"the hash of {name}'s code", keccak(runtime_code(name, inside)), state.code_hash(account))
        report.ok("contracts' code")


def _check_words(facts: Facts, replay: EventReplay, state: State, report: Report) -> None:
    addresses = {"Federation": facts.federation, "Vault": facts.vault}
    if replay.since is None:
        layout = storage_layout("Federation")
        slot = layout.slot("_jobs", facts.job, "since")
        replay.since = layout.unpack({slot: state.word(facts.federation, slot)}, "_jobs", facts.job, "since")
    for contract, path, value in expected_storage(replay, replay.since):
        words = state.require(addresses[contract], storage_layout(contract), value, *path)
        report.ok("words of the contracts' storage", words)


def _tell_unsigned(signatures: Signatures, state: State | None, report: Report) -> None:
    """What is told of each account whose acts no signature shows."""
    report.ok("signed acts", signatures.signed)
    for account, times in signatures.unsigned.items():
        has_code = state is not None and state.code_hash(account) != NO_CODE
        why = "it is a contract, and signs nothing" if has_code else "its transactions are not here, or can't be read"
        report.gap(f"that {account} did {_acts(times)}, by its signature", why, expected=has_code)
    for account, times in signatures.odd.items():
        why = "that stands in transactions that are not in the ABI's only encoding, which nobody can read for sure"
        report.gap(f"that {account} did {_acts(times)}, by its signature", why, expected=True)


def _acts(times: int) -> str:
    return f"what {counted(times, 'event tells', 'events tell')}"

"""From empty folders to a posted job, in the order of docs/operate.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hosts import Lan
from organisations import API, SPONSOR, TRAINER, VALIDATOR, Organisation, genesis, until

from hansa.runtime.chain.structs import JobState
from hansa.runtime.snapshot import FullSnapshot, read_job

JOB = 1
BOND = 200 * 10**18
STEPS = 10


def found(lan: Lan, *, sealing: int, rounds: int, times: Mapping[str, str]) -> list[Organisation]:
    """Everybody's keys, a chain sealed by the first so many, a Kubo node each, contracts, a job, deployment.json.

    The first is the sponsor. Nobody's daemons run yet.
    """
    parties = [Organisation(host) for host in lan.hosts.values()]
    first = parties[0]
    _found_chain(parties, sealing)
    peers = [party.prepare_kubo() for party in parties]
    for party in parties:
        party.start_kubo()
    endpoints = [party.endpoint for party in parties if party.sealer]
    named = [word for at in endpoints for word in ("--rpc", at)] + [word for at in peers for word in ("--peer", at)]
    first.hansa("deploy", *named, "--account", SPONSOR, "--store", API, "--confirmations", "2")
    first.send_tokens([party.address(TRAINER) for party in parties], BOND)
    members = ",".join(party.address(VALIDATOR) for party in parties)
    lengths = [word for name, length in times.items() for word in ("--time", f"{name}={length}")]
    words = ["--task", "heart", "--account", SPONSOR, "--trainers", str(len(parties)), "--validators", members]
    first.hansa("job", "post", *words, "--rounds", str(rounds), "--steps", str(STEPS), *lengths)
    for party in parties:
        others = [at for at in endpoints if at != party.endpoint]
        own = [party.endpoint] if party.sealer else []
        party.take(first.workspace.deployment_file, [*own, *others])
    return parties


def _found_chain(parties: Sequence[Organisation], sealing: int) -> None:
    accounts = [party.new_key(name) for party in parties for name in (TRAINER, VALIDATOR)]
    accounts.append(parties[0].new_key(SPONSOR))
    sealers = parties[:sealing]
    block = genesis([party.prepare_sealer() for party in sealers], accounts)
    for party in sealers:
        party.start_sealer(block)
    for party in sealers:
        party.meet_sealers(sealers)
    until(lambda: min(party.height() for party in sealers) > 0, "block on every sealer")


def start_daemons(parties: Sequence[Organisation]) -> None:
    """The validators', then, when all their keys are announced, the trainers'."""
    for party in parties:
        words = ("aggregator", "run", "--job", str(JOB), "--account", VALIDATOR)
        party.start(VALIDATOR, *words, "--metrics", "127.0.0.1:9101")
    members = tuple(party.address(VALIDATOR) for party in parties)
    read = parties[0].look
    until(
        lambda: all(read(lambda session: session.federation.announced_keys(members))), "key of every validator", 300.0
    )
    for number, party in enumerate(parties):
        words = ("trainer", "run", "--job", str(JOB), "--account", TRAINER, "--source", str(number))
        party.start(TRAINER, *words, "--metrics", "127.0.0.1:9102")


def state(party: Organisation) -> JobState:
    """Of the job, as this host's endpoints have it."""
    found: JobState = party.look(lambda session: session.federation.state(JOB, session.chain.head()))
    return found


def snapshot(party: Organisation) -> FullSnapshot:
    found: FullSnapshot = party.look(lambda session: read_job(session.federation, session.store, JOB))
    return found


def all_ended(parties: Sequence[Organisation]) -> bool:
    """Whether every daemon has ended; none of them with an error."""
    processes = [(party, name, party.host.processes[name]) for party in parties for name in (VALIDATOR, TRAINER)]
    for party, name, process in processes:
        assert process.poll() in (None, 0), f"{name} of {party.name}: {party.host.log(name).read_text()[-2000:]}"
    return all(process.poll() == 0 for _, _, process in processes)

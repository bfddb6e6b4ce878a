"""Organisations on hosts of their own, with real links between them: founded as docs/operate.md says, and broken."""

from __future__ import annotations

import pytest
from founding import JOB, all_ended, found, snapshot, start_daemons, state
from hosts import Lan
from organisations import API, TRAINER, VALIDATOR, Organisation, until

from hansa.protocol.cid import digest_of
from hansa.protocol.errors import HansaError, NotFound
from hansa.protocol.types import Code, Phase
from hansa.runtime.snapshot import FullSnapshot
from hansa.runtime.store.kubo import KuboStore

ROUNDS = 2
LONG = dict.fromkeys(("submit", "score", "reveal", "vote", "finalize"), "300s") | {"slash": "20s"}
"""Where all are there, phases end when all have acted, however busy the machine is that the hosts share."""
ABSENT = dict.fromkeys(("submit", "score", "reveal", "vote", "finalize"), "60s") | {"slash": "20s"}
END_SECONDS = 1800.0


def test_two_hosts__find_each_others_files_by_deployments_peers__again_after_a_cut() -> None:
    with Lan("north", "east") as lan:
        north, east = (Organisation(host) for host in lan.hosts.values())
        peers = [north.prepare_kubo(), east.prepare_kubo()]
        for party in (north, east):
            party.start_kubo()
        store = KuboStore(API, peers=peers)

        def fetched(data: bytes, seconds: float = 5.0) -> bool:
            try:
                return north.host.inside(lambda: store.get(digest_of(data), limit=len(data), timeout=seconds) == data)
            except HansaError:
                return False

        east.host.inside(lambda: KuboStore(API).put(b"before the cut"))
        until(lambda: fetched(b"before the cut"), "file of the other host")
        if east.host.slow("400kbit"):
            east.host.inside(lambda: KuboStore(API).put(bytes(20_000)))
            until(lambda: fetched(bytes(20_000)), "file by a slow link")
            east.host.full_speed()
        east.host.cut()
        east.host.inside(lambda: KuboStore(API).put(b"after the cut"))
        with pytest.raises(NotFound):
            north.host.inside(lambda: store.get(digest_of(b"after the cut"), limit=20, timeout=2.0))
        east.host.heal()
        until(lambda: fetched(b"after the cut"), "file by the healed link")


@pytest.mark.slow
@pytest.mark.usefixtures("needs_geth")
def test_three_organisations__from_empty_folders_by_the_page__a_job_is_done_and_its_audit_holds() -> None:
    with Lan("north", "east", "west") as lan:
        parties = found(lan, sealing=3, rounds=ROUNDS, times=LONG)
        for party in parties:
            party.hansa("doctor", "--job", str(JOB))
        start_daemons(parties)
        until(lambda: all_ended(parties), "end of every daemon", END_SECONDS)
        view = snapshot(parties[1])
        assert view.state.phase == Phase.COMPLETED and len(view.finalised) == ROUNDS
        for party in parties:
            assert verdicts(view, party) == [Code.OK] * ROUNDS, party.name
            told = party.told("audit", str(JOB), "--account", VALIDATOR)
            assert (told["verdict"], told["wrong"]) == ("holds", []), party.name


@pytest.mark.slow
@pytest.mark.usefixtures("needs_geth")
def test_four_organisations__a_sealer_and_a_kubo_node_die__a_host_is_cut_off__the_job_completes() -> None:
    """South has no sealer: two of three are enough for a chain, with a third one dead and a host cut off for a round.
    The dead one comes back with nothing but its key."""
    with Lan("north", "east", "west", "south") as lan:
        parties = found(lan, sealing=3, rounds=7, times=ABSENT)
        north, east, west, south = parties
        start_daemons(parties)
        until(lambda: at_least(north, 2, Phase.SCORE), "SCORE of round 2", END_SECONDS)
        east.host.kill("sealer")
        east.host.kill("kubo")
        until(lambda: at_least(north, 2, Phase.VOTE), "VOTE of round 2", END_SECONDS)
        east.start_kubo()
        until(lambda: at_least(north, 3, Phase.OPEN), "round 3: without east, round 2 needs south", END_SECONDS)
        south.host.cut()
        missed = state(north).round + 1
        until(lambda: at_least(north, missed + 1, Phase.OPEN), "the round after", END_SECONDS)
        south.host.heal()
        east.refill_sealer([north, west])
        until(lambda: east.height() >= north.height() - 1 > 0, "chain of east's sealer, empty when it came back")
        until(lambda: all_ended(parties), "end of every daemon", END_SECONDS)
        view = snapshot(north)
        assert view.state.phase == Phase.COMPLETED and len(view.finalised) > missed
        assert verdicts(view, south)[missed - 1] is None, "it was cut off"
        assert pay(view, south)[missed - 1] == 0
        assert Code.OK in verdicts(view, south)[missed:], "it came back"
        assert [view.strikes(party.address(TRAINER)) for party in parties] == [0] * 4
        told = north.told("audit", str(JOB), "--account", VALIDATOR)
        assert (told["verdict"], told["wrong"]) == ("holds", []), told
        said = south.hansa("wallet", "why", TRAINER, "--job", str(JOB), "--round", str(missed))
        assert "no update came" in said, said


def at_least(party: Organisation, round_: int, phase: Phase) -> bool:
    """Whether the job has come so far; it has not ended before."""
    now = state(party)
    assert not now.phase.is_over or now.round >= round_, now
    return now.phase.is_over or now.round > round_ or (now.round == round_ and now.phase >= phase)


def verdicts(view: FullSnapshot, party: Organisation) -> list[Code | None]:
    """What the committee said of its trainer's update in each finalised round; None where it had none."""
    me = party.address(TRAINER)
    found: list[Code | None] = []
    for (cycle, _), round_ in zip(view.finalised, view.rounds, strict=True):
        places = [place for place, update in enumerate(cycle.updates) if update.trainer == me]
        found.append(round_.judgements[places[0]].code if places else None)
    return found


def pay(view: FullSnapshot, party: Organisation) -> list[int]:
    return [leaf.pay for _, leaf in view.leaves(party.address(TRAINER))]

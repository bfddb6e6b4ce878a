"""A job whose updates it takes a quorum of members to open: it comes to the same models, whoever dies."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account
from federations import (
    SHORT,
    TRAINERS,
    VALIDATORS,
    Observed,
    Undisturbed,
    attendance,
    check_logs,
    check_once,
    events,
    federation,
    finish,
    models,
    pay,
    play_to_the_end,
    verdicts,
)
from hostile import cast

from hansa.audit.archive import write_archive
from hansa.audit.collect import collect
from hansa.audit.openers import Openers
from hansa.audit.report import Report
from hansa.audit.run import audit, audit_archive, files_with_limits
from hansa.devnet.anvil import published_key
from hansa.protocol import envelope, shared_envelope
from hansa.protocol.errors import FatalError, Malformed
from hansa.protocol.types import Code, Phase, Seat
from hansa.runtime.history.records import Failed
from hansa.runtime.journal import Journal
from hansa.runtime.key_ring import KeyRing
from hansa.runtime.keystore import encryption_secret
from hansa.runtime.snapshot import FullSnapshot

MADE = "models made again, bit for bit"


def secret_of(lab: Observed, name: str) -> bytes:
    return encryption_secret(Account.from_key(published_key(lab.names.index(name))))


def audited(lab: Observed, *names: str) -> Report:
    """With the secrets of these members."""
    facts = collect(lab.session.federation, lab.posted.job)
    secrets = {lab.address(name): secret_of(lab, name) for name in names}
    return audit(facts, lab.session.store, Openers(secrets))


def check_audit(lab: Observed, rounds: int, path: Path) -> None:
    """One member's secret opens every update, in the archive too; without one none is opened."""
    assert audited(lab).checked[MADE] == 0
    report = audited(lab, "validator-1")
    assert (report.exit_code, report.wrong, report.checked[MADE]) == (0, [], rounds)
    facts, store = collect(lab.session.federation, lab.posted.job), lab.session.store
    assert write_archive(path, facts, files_with_limits(facts, store), store) == []
    from_file, _ = audit_archive(path, Openers({lab.address("validator-2"): secret_of(lab, "validator-2")}))
    assert (from_file.exit_code, from_file.checked[MADE]) == (0, rounds)


def test_job__comes_to_the_models_and_pay_of_the_plain_mode_and_its_audit_holds(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    with federation(tmp_path, rounds=2, privacy="threshold", publish_keys=True) as lab:
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert models(view) == undisturbed.models[:2]
        assert {name: pay(lab, view, name) for name in TRAINERS} == {n: undisturbed.pay[n][:2] for n in TRAINERS}
        assert all(len(cycle.releases) == 3 for cycle in view.history.cycles)
        report = audited(lab)
        assert (report.exit_code, report.checked[MADE]) == (0, 2), "with the content keys that trainers published"


def test_killed_before_and_after_each_step__release_too__nothing_is_lost_or_said_twice(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    (deaths := tmp_path / "deaths").mkdir()
    with federation(tmp_path / "lab", rounds=2, privacy="threshold") as lab:
        cast(lab, "validator-1", "UnluckyValidator", deaths=deaths)
        play_to_the_end(lab, ["validator-1"])
        view = finish(lab)
        check_once(lab)
        assert models(view) == undisturbed.models[:2]
        assert attendance(lab, view, "validator-1") == (2, 0, 0)
        check_audit(lab, 2, tmp_path / "job.hansa")
    died = {place.name for place in deaths.iterdir()}
    assert died >= {"release journalled", "release sent", "publish before", "publish after"}


@pytest.mark.slow
def test_a_member_dead__the_others_open_without_it(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with federation(tmp_path, rounds=3, quorum=2, times={**SHORT, "release": 8}, privacy="threshold") as lab:
        cast(lab, "validator-3", "DyingValidator")
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        assert len(view.finalised) == 3
        assert [len(cycle.releases) for cycle in view.history.cycles] == [3, 2, 2]
        assert {name: verdicts(lab, view, name) for name in TRAINERS} == dict.fromkeys(TRAINERS, [Code.OK] * 3)
        assert models(view) == undisturbed.models[:3]
        assert attendance(lab, view, "validator-3") == (1, 0, 2)
        check_audit(lab, 3, tmp_path / "job.hansa")


@pytest.mark.slow
def test_too_few_release__the_cycle_burns_and_its_updates_stay_shut_for_ever(tmp_path: Path) -> None:
    times = {**SHORT, "release": 8}
    with federation(tmp_path, rounds=3, quorum=2, failures=1, times=times, privacy="threshold") as lab:
        for name in ("validator-2", "validator-3"):
            cast(lab, name, "DyingValidator")
        lab.start_all()
        view = finish(lab)
        [_, lapsed] = view.history.cycles
        assert isinstance(lapsed.outcome, Failed) and lapsed.outcome.phase == Phase.RELEASE
        assert lapsed.outcome.burnt > 0 and len(lapsed.releases) == 1
        assert not any(lab.session.store.has(digest) for digest in lapsed.releases.values()), "never given away"
        check_shut(lab, view)


def check_shut(lab: Observed, view: FullSnapshot) -> None:
    """With all that one member ever had: its secret, its journal, and the sealed updates of the lapsed cycle."""
    lapsed, spec = view.history.cycles[-1], view.context.spec
    seat = Seat(lapsed.committee.index(lab.address("validator-1")))
    secret, base = secret_of(lab, "validator-1"), view.finalised[0][1].model
    with Journal(lab.workspace.dir / "journals" / "validator-1.sqlite") as journal:
        kept = [path.read_bytes() for path in journal._blobs.glob("Qm*")]
    assert kept, "its release is still in its journal"
    for update in lapsed.updates:
        data = lab.session.store.get(update.digest, limit=spec.update_bytes, timeout=5)
        place = lab.session.federation.place(view.job, lapsed.cycle)
        ctx = envelope.context(place, update.trainer, base)
        share = shared_envelope.open_box(data, ctx, seat, secret, lapsed.keys, spec.shares)
        for guess in (share, secret, *(blob[:32] for blob in kept)):
            with pytest.raises(Malformed):
                shared_envelope.open_with_key(data, ctx, guess, lapsed.keys, spec.shares)


@pytest.mark.slow
def test_keys_that_rotate__open_their_own_cycle_and_are_gone_afterwards(
    tmp_path: Path, undisturbed: Undisturbed
) -> None:
    with federation(tmp_path, rounds=3, privacy="threshold") as lab:
        for name in VALIDATORS:
            role = lab.workers[name].arguments[0]
            role.fields["rotate_keys"] = True
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert models(view) == undisturbed.models[:3]
        used = {key for cycle in view.history.cycles for key in cycle.keys}
        assert len(used) == 9, "each seat has another in each cycle"
        for name in VALIDATORS:
            me, secret = lab.address(name), secret_of(lab, name)
            ring = KeyRing(lab.workspace.dir / "journals" / f"{me}.keys.sqlite", secret)
            assert not used & set(ring.made()), "the last one, which was never used, is left at most"
            ring.close()
        with pytest.raises(FatalError, match="was in force in no cycle"):
            audited(lab, "validator-1")


@pytest.mark.slow
def test_false_shares_and_false_hashes__change_nothing_for_the_others(tmp_path: Path) -> None:
    """A member makes its shares up. Two trainers' files name another share's hash than their keys give: that of the
    liar's seat, which the honest two find out as they open it; and that of an honest seat's, so that the other honest
    one is left alone with its share: as two of three don't say so, nobody knows whose fault it is."""
    with federation(tmp_path, rounds=2, quorum=2, times={"slash": 10}, privacy="threshold") as lab:
        order = sorted(lab.validators, key=str.lower)
        liar = order.index(lab.address("validator-3"))
        cast(lab, "validator-3", "FalseReleaser")
        cast(lab, "trainer-4", "BoxSpoiler", seat=liar)
        cast(lab, "trainer-3", "BoxSpoiler", seat=(liar + 1) % 3)
        lab.start_all()
        view = finish(lab)
        assert len(view.finalised) == 2
        assert {name: verdicts(lab, view, name) for name in TRAINERS} == {
            **dict.fromkeys(TRAINERS[:2], [Code.OK] * 2),
            "trainer-3": [Code.UNREACHABLE] * 2,
            "trainer-4": [Code.MALFORMED] * 2,
        }
        assert {name: attendance(lab, view, name) for name in VALIDATORS} == dict.fromkeys(VALIDATORS, (2, 0, 0))
        assert audited(lab, "validator-1").exit_code == 0


@pytest.mark.slow
def test_a_trainer__may_go_once_its_update_is_registered(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with federation(tmp_path, rounds=1, privacy="threshold") as lab:
        lab.start_all()
        lab.wait_until(lambda: lab.state().enrolled == len(TRAINERS), 60.0, "four trainers", every=0.02)
        lab.kill("trainer-1")  # SUBMIT waits for it
        lab.wait_until(lambda: "trainer-4" in published(lab), 60.0, "trainer-4's update")
        assert lab.state().phase == Phase.SUBMIT
        lab.kill("trainer-4")
        lab.start("trainer-1")
        lab.wait_for_end(120.0)
        lab.start("trainer-4")
        view = finish(lab)
        assert verdicts(lab, view, "trainer-4") == [Code.OK]
        assert models(view) == undisturbed.models[:1]


@pytest.mark.slow
def test_two_blocks_deep__it_comes_to_the_same(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with federation(tmp_path, rounds=1, privacy="threshold") as lab:
        for worker in lab.workers.values():
            fields = worker.arguments[0].fields
            fields["deployment"] = fields["deployment"].updated(confirmations=2)
        lab.start_all()
        view = finish(lab)
        check_once(lab)
        check_logs(lab)
        assert models(view) == undisturbed.models[:1]
        assert all(len(cycle.releases) == 3 for cycle in view.history.cycles)
        assert audited(lab, "validator-1").checked[MADE] == 1


def published(lab: Observed) -> list[str]:
    return [name for name in TRAINERS if any(event["event"] == "published" for event in events(lab, name))]

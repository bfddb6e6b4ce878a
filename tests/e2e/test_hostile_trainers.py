"""Hostile trainers beside four honest ones: they earn nothing and cost nobody anything."""

from __future__ import annotations

from pathlib import Path

from federations import (
    TRAINERS,
    VALIDATORS,
    Undisturbed,
    attendance,
    check_logs,
    check_once,
    federation,
    finish,
    models,
    pay,
    verdicts,
)
from hostile import cast

from hansa.protocol.sheet import decode_sheet
from hansa.protocol.types import Code

ROUNDS = 2
CAST = {
    "trainer-5": ("Copycat", {"victim": "trainer-1"}, [Code.MALFORMED, Code.MALFORMED]),
    "trainer-6": ("BoxSpoiler", {"seat": 1}, [Code.MALFORMED, Code.MALFORMED]),
    "trainer-7": ("Replayer", {"victim": "trainer-1"}, [Code.ZERO, Code.MALFORMED]),
    "trainer-8": ("Idler", {}, [Code.ZERO, Code.ZERO]),
    "trainer-9": ("Bloater", {}, [Code.UNREACHABLE, Code.UNREACHABLE]),
    "trainer-10": ("Withholder", {}, [Code.UNREACHABLE, Code.UNREACHABLE]),
    "trainer-11": ("Twin", {"victim": "trainer-1"}, [Code.DUPLICATE, Code.DUPLICATE]),
}


def test_all_of_them_at_once(tmp_path: Path, undisturbed: Undisturbed) -> None:
    with federation(
        tmp_path, trainers=11, rounds=ROUNDS, times={"score": 16, "enrol": 300, "slash": 10}, settings={"parties": 4}
    ) as lab:
        for name, (character, traits, _) in CAST.items():
            lab.workers[name].arguments[0].fields["source"] = "0"
            cast(lab, name, character, **{k: lab.address(v) if k == "victim" else v for k, v in traits.items()})
        lab.start_all()
        view = finish(lab, 200.0)
        check_once(lab)
        check_logs(lab)
        assert {name: verdicts(lab, view, name) for name in CAST} == {
            name: codes for name, (_, _, codes) in CAST.items()
        }
        for name, (_, _, codes) in CAST.items():
            assert pay(lab, view, name) == [0] * ROUNDS, name
            assert view.strikes(lab.address(name)) == codes.count(Code.MALFORMED), name
        for name in TRAINERS:
            assert verdicts(lab, view, name) == [Code.OK] * ROUNDS, name
            assert view.strikes(lab.address(name)) == 0
            assert pay(lab, view, name) == undisturbed.pay[name][:ROUNDS]
        assert models(view) == undisturbed.models[:ROUNDS]
        assert {name: attendance(lab, view, name) for name in VALIDATORS} == dict.fromkeys(VALIDATORS, (ROUNDS, 0, 0))
        books = lab.session.federation.books(lab.posted.job)
        assert books.forfeited == 5 * view.context.terms.strike_penalty
        for cycle, _ in view.finalised:  # nobody can be told apart by a box: every sheet says the same
            codes_by_sheet = {
                tuple(entry.code for entry in decode_sheet(revealed.sheet, len(cycle.updates)))
                for revealed in cycle.sheets
            }
            assert len(cycle.sheets) == 3 and len(codes_by_sheet) == 1

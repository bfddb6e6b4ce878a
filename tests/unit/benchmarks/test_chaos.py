"""The parts of `python -m benchmarks chaos` that need no chain: schedules, shrinker, nodes, checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos import _sections
from benchmarks.chaos.campaign import Played, summary
from benchmarks.chaos.checks import DOUBLED, LOST, STUCK, Act, Ending, RoundResult, problems
from benchmarks.chaos.lies import EDITS, LAGS, LOSES, STALE, told
from benchmarks.chaos.plan import DEAD, KINDS, NODES, REORGANISATION, Fault, Plan, draw, load, pairs, save, targets
from benchmarks.chaos.shrink import shrink
from hansa.protocol.errors import FatalError

# --- schedules


def test_pairs__are_all_but_those_that_are_refused() -> None:
    assert len(pairs()) == 9
    assert [kind for privacy, kind in pairs() if privacy == "masked"] == ["appointed"]


def test_draw__is_the_seeds__and_has_everything() -> None:
    plans = [draw(1, number) for number in range(90)]
    assert plans == [draw(1, number) for number in range(90)]
    assert plans != [draw(2, number) for number in range(90)]
    assert {(plan.privacy, plan.consensus) for plan in plans[:9]} == set(pairs())
    assert {fault.kind for plan in plans for fault in plan.faults} == set(KINDS)
    assert len(NODES) >= 12


def test_draw__spares_what_a_job_can_not_outlive() -> None:
    for plan in (draw(3, number) for number in range(200)):
        assert sum(fault.kind == DEAD for fault in plan.faults) <= 1
        assert all(fault.target in ("", *targets(plan)) for fault in plan.faults)
        assert [fault.at for fault in plan.faults] == sorted(fault.at for fault in plan.faults)
        depths = [int(fault.detail) for fault in plan.faults if fault.kind == REORGANISATION]
        assert all(1 <= depth <= plan.confirmations for depth in depths)


def test_schedule__written_and_read__is_the_same(tmp_path: Path) -> None:
    plan = draw(4, 4)
    save(plan, tmp_path / "schedule.json")
    assert load(tmp_path / "schedule.json") == plan


@pytest.mark.parametrize("text", ["", "[]", '{"faults": 1}', '{"faults": [{"kind": "flood", "at": 1}]}'])
def test_schedule__that_is_none__is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "schedule.json").write_text(text)
    with pytest.raises(FatalError):
        load(tmp_path / "schedule.json")


# --- the shrinker


@pytest.mark.parametrize("needed", [{0}, {3, 11}, {1, 2, 18}, set(range(5))])
def test_shrink__leaves_what_is_needed(needed: set[int]) -> None:
    assert shrink(range(20), lambda part: needed <= set(part), most=300) == sorted(needed)


def test_shrink__of_what_fails_by_itself__is_nothing() -> None:
    assert shrink(range(20), lambda part: True) == []


def test_shrink__keeps_to_its_tries__and_to_what_fails() -> None:
    tried: list[Sequence[int]] = []

    def fails(part: Sequence[int]) -> bool:
        tried.append(part)
        return {2, 9, 15} <= set(part)

    left = shrink(range(20), fails, most=6)
    assert len(tried) == 6 and {2, 9, 15} <= set(left)


# --- nodes


def node(request: dict[str, Any]) -> dict[str, Any]:
    results: dict[str, Any] = {
        "eth_getLogs": [{"data": "0x01"}, {"data": "0x02"}],
        "eth_getTransactionReceipt": {"status": "0x1", "logs": [1]},
        "eth_getBlockByNumber": {"number": request["params"][0] if request.get("params") else None},
        "eth_sendRawTransaction": "0xsent",
    }
    return {"jsonrpc": "2.0", "id": request["id"], "result": results.get(request["method"], "0x5")}


def ask(lie: str, method: str, *params: Any) -> Any:
    return told(lie, 7, {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}, node)


METHODS = (
    "eth_getLogs", "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_gasPrice", "eth_call",
    "eth_estimateGas", "eth_chainId", "eth_blockNumber",
)  # fmt: skip


@pytest.mark.parametrize("lie", EDITS)
def test_lie__changes_something__and_only_what_it_is_about(lie: str) -> None:
    changed = [method for method in METHODS if ask(lie, method) != node({"id": 1, "method": method})]
    assert changed and (len(changed) < 3 or lie in ("answers null", "answers another"))


def test_lagging_node__knows_no_newer_block() -> None:
    assert ask(LAGS, "eth_blockNumber")["result"] == "0x7"
    assert ask(LAGS, "eth_getBlockByNumber", "latest", False)["result"]["number"] == "0x7"
    assert ask(STALE, "eth_getBlockByNumber", "latest", False)["result"]["number"] == "0x7"
    assert ask(STALE, "eth_blockNumber")["result"] == "0x5"


def test_losing_node__tells_the_hash_and_sends_nothing() -> None:
    assert ask(LOSES, "eth_sendRawTransaction", "0x01")["result"] == (
        "0x5fe7f977e71dba2ea1a68e21057beebb9be2ac30c6410aa38d4f3fbe41dcffd2"
    )


# --- checks


def act(by: str, call: str, cycle: int = 1, arguments: str = "", worked: bool = True) -> Act:
    return Act(by, call, cycle, arguments, 1, worked)


TRAINERS, MEMBERS = frozenset({"t1", "t2"}), ("v1", "v2")
JUDGED = {"t1": "OK", "t2": "OK"}
ROUND = RoundResult("Qm1", TRAINERS, frozenset(MEMBERS), MEMBERS, {"t1": 60, "t2": 40}, JUDGED, TRAINERS)
ACTS = (act("t1", "enrol", 0, "a"), act("t2", "enrol", 0, "a"), act("v1", "open", 0, "j"),
        act("t1", "submit"), act("t2", "submit"), act("v1", "vote"), act("v2", "vote"),
        act("v1", "finalize"), act("v2", "finalize", worked=False), act("t1", "claim", 0, "b"))  # fmt: skip
BOOKS = {"escrowed": 300, "left": 0, "booked": 100, "paid": 110, "burnt": 60, "burn_sent": 60, "refunded": 150}
BOOKS |= {"bonded": 0, "forfeited": 10}
PAY, STAKED = {"t1": 60, "t2": 40}, {"v1": 100, "v2": 110}
GOOD = Ending("COMPLETED", (ROUND,), ACTS, BOOKS, 0, PAY, PAY, {"t1": 0}, wanted=1, trainers=TRAINERS, at_last=PAY,
              refund=150, refunded=150, burn_address=60, opened=1,
              staked=STAKED, stakes=STAKED, pooled=210)  # fmt: skip


def test_checks__of_a_job_that_went_well__find_nothing() -> None:
    assert problems(GOOD, GOOD) == []
    assert GOOD.reverted == 1


def test_step__that_two_relays_sent__or_of_a_cycle_that_is_gone__is_not_doubled() -> None:
    relayed = replace(act("t1", "submit", worked=False), relayed=True)
    gone = act("t1", "submit", arguments="0" * 127 + "1", worked=False)  # of a cycle that a reorganisation took
    assert problems(doctored(acts=(act("v1", "vote", worked=False), *ACTS, relayed, gone))) == []


def doctored(**changes: Any) -> Ending:
    return replace(GOOD, **changes)


def another(**changes: Any) -> tuple[RoundResult, ...]:
    return (replace(ROUND, **changes),)


def alone(**changes: Any) -> RoundResult:
    """A round without t2."""
    own = frozenset({"t1"})
    return replace(ROUND, trainers=own, verdicts={"t1": "OK"}, included=own, **changes)


DRAWN = replace(ROUND, drawn=("v1", "v3"), sheets=frozenset({"v1", "v3"}), pay={"t1": 1, "t2": 99})


@pytest.mark.parametrize(
    "way, said, ending",
    [
        (STUCK, "ended SCORE", doctored(phase="SCORE")),
        (STUCK, "ended ABORTED", doctored(phase="ABORTED")),
        (STUCK, "0 of 1 rounds", doctored(rounds=())),
        (STUCK, "v1 did not end", doctored(alive=("v1",))),
        (DOUBLED, "t1 did submit of cycle 1 2 times", doctored(acts=(*ACTS, act("t1", "submit", 1, "other")))),
        (DOUBLED, "all together did finalize of cycle 1 2", doctored(acts=(*ACTS, act("v2", "finalize")))),
        (DOUBLED, "t1 sent submit of cycle 1 again", doctored(acts=(*ACTS, act("t1", "submit", worked=False)))),
        (DOUBLED, "t1 did claim of b 2 times", doctored(acts=(*ACTS, act("t1", "claim", 0, "b")))),
        (DOUBLED, "open 2 times, for 1 cycles", doctored(acts=(*ACTS, act("v2", "open", 0, "j")))),
        (DOUBLED, "v1 has 200 in the pool, and staked 100", doctored(stakes={**STAKED, "v1": 200}, pooled=310)),
        (LOST, "t2 has 39 of 40", doctored(got={"t1": 60, "t2": 39})),
        (LOST, "t1 has 61 of 60", doctored(got={"t1": 61, "t2": 40})),
        (LOST, "t1 has 61 of 60 when all is settled", doctored(at_last={"t1": 61, "t2": 40})),
        (LOST, "the sponsor has 149 of 150", doctored(refunded=149)),
        (LOST, "150 were refunded, 149 are due", doctored(refund=149, refunded=149)),
        (LOST, "the vault still has 1", doctored(vault=1)),
        (LOST, "the burn address has 59 of 60", doctored(burn_address=59)),
        (LOST, "2 cycles were opened, by 1 calls", doctored(opened=2)),
        (LOST, "still keep 5 of t1", doctored(held={"t1": 5})),
        (LOST, "of 301 escrowed, 300", doctored(books={**BOOKS, "escrowed": 301})),
        (LOST, "109 were paid, 110 earned", doctored(books={**BOOKS, "paid": 109})),
        (LOST, "5 are left", doctored(books={**BOOKS, "left": 5, "escrowed": 305})),
        (LOST, "5 are bonded", doctored(books={**BOOKS, "bonded": 5})),
        (LOST, "of 60 burnt, 50 were sent", doctored(books={**BOOKS, "burn_sent": 50})),
        (LOST, "1 cycles failed", doctored(failed=1)),
        (LOST, "the audit: a root", doctored(wrong=("a root",))),
        (LOST, "t3 has no update in round 1", doctored(trainers=TRAINERS | {"t3"})),
        (LOST, "t2 in round 1 is UNREACHABLE", doctored(rounds=another(verdicts={**JUDGED, "t2": "UNREACHABLE"}))),
        (LOST, "t2 has a strike in round 1", doctored(rounds=another(struck=frozenset({"t2"})))),
        (LOST, "99 of the 100 that v1 staked", doctored(stakes={**STAKED, "v1": 99})),
        (LOST, "0 of the 110 that v2 staked", doctored(stakes={"v1": 100})),
        (LOST, "the pool has 209 of 210", doctored(pooled=209)),
        (LOST, "v2 has no sheet in round 1", doctored(rounds=another(sheets=frozenset({"v1"})))),
        (LOST, "round 1 came to Qm2, undisturbed to Qm1", doctored(rounds=another(model="Qm2"))),
        (LOST, "round 1 paid", doctored(rounds=another(pay={"t1": 50, "t2": 50}))),
    ],
)
def test_check__of_what_is_wrong__says_so(way: str, said: str, ending: Ending) -> None:
    found = problems(ending, GOOD)
    assert any(problem.way == way and said in problem.said for problem in found), found


def test_check__a_trainer_missing_in_a_round__unless_it_is_dead() -> None:
    rounds = (ROUND, alone())
    ending = doctored(rounds=rounds, wanted=2)
    assert [problem.said for problem in problems(ending)] == ["t2 has no update in round 2"]
    assert problems(replace(ending, dead=frozenset({"t2"}))) == []


def test_comparison__ends_where_others_took_part() -> None:
    rounds = (alone(model="Qm9", pay={"t1": 100}),)
    assert problems(doctored(rounds=rounds, dead=frozenset({"t2"})), GOOD) == []
    assert problems(doctored(rounds=(DRAWN,)), GOOD) == [], "another committee measures with other rows"


def test_comparison__of_models__goes_on_where_others_measured() -> None:
    both = doctored(rounds=(ROUND, ROUND), wanted=2)
    ending = doctored(rounds=(DRAWN, replace(ROUND, model="Qm2", pay={"t1": 2, "t2": 98})), wanted=2)
    assert [problem.said for problem in problems(ending, both)] == ["round 2 came to Qm2, undisturbed to Qm1"]
    dropped = replace(DRAWN, model="Qm2", included=frozenset({"t1"}))
    assert problems(replace(ending, rounds=(dropped, dropped)), both) == [], "another committee may drop an update"


def test_comparison__of_the_rounds_before_a_death__is_made() -> None:
    both = doctored(rounds=(ROUND, ROUND), wanted=2)
    ending = replace(both, rounds=(another(model="Qm2")[0], alone(model="Qm9")), dead=frozenset({"t2"}))
    assert [problem.said for problem in problems(ending, both)] == ["round 1 came to Qm2, undisturbed to Qm1"]


def test_comparison__of_what_the_same_members_counted() -> None:
    ending = doctored(rounds=another(included=frozenset({"t1"})))
    said = "round 1 is made of ['t1'], undisturbed of ['t1', 't2']"
    assert [problem.said for problem in problems(ending, GOOD)] == [said]
    assert problems(replace(ending, dead=frozenset({"t2"})), GOOD) == [], "an update of who is dead may be anything"


def test_check__of_who_is_dead__excuses_it_alone() -> None:
    judged = another(verdicts={**JUDGED, "t2": "UNREACHABLE"}, struck=frozenset({"t2"}))
    ending = doctored(rounds=judged, stakes={**STAKED, "v2": 109}, dead=frozenset({"t2", "v2"}))
    assert problems(ending) == []
    assert len(problems(replace(ending, dead=frozenset({"t2"})))) == 1
    assert len(problems(replace(ending, dead=frozenset({"v2"})))) == 2


def test_check__of_a_members_update__that_too_few_others_can_judge() -> None:
    members = ("t1", "t2", "v3")
    judged = another(drawn=members, sheets=frozenset({"t1", "v3"}), verdicts={**JUDGED, "t1": "UNREACHABLE"})
    ending = doctored(rounds=judged, dead=frozenset({"t2"}))
    assert problems(ending) == []
    found = problems(
        replace(ending, rounds=another(drawn=members, sheets=frozenset(members), verdicts=judged[0].verdicts))
    )
    assert [problem.said for problem in found] == ["the update of t1 in round 1 is UNREACHABLE"]


def test_check__of_a_claim_by_two__fails_where_it_paid_twice() -> None:
    twice = doctored(acts=(*ACTS, act("v1", "claim", 0, "b")))
    assert problems(twice) == [], "the second does nothing"
    paid = replace(twice, got={"t1": 120, "t2": 40}, at_last={"t1": 120, "t2": 40})
    assert [problem.said for problem in problems(paid)] == ["t1 has 120 of 60"]
    assert any("170 were paid" in problem.said for problem in problems(replace(twice, books={**BOOKS, "paid": 170})))


def test_check__of_opens__where_the_node_lost_blocks() -> None:
    assert problems(doctored(opened=2, unread=1)) == []


def test_report__says_how_many_ended_by_themselves() -> None:
    played = Played(Plan("committee", "appointed", 1), [], Counter(), [], ["t1: 1: no more", "t2: 1: no"], 0, 0, 0, 0.0)
    rows = _sections(summary([played]), None)[0].rows
    assert ["daemons that ended by themselves with an error", 2] in rows


def test_plan__without_faults__is_the_undisturbed_one() -> None:
    plan = Plan("committee", "appointed", 1, faults=(Fault("kill", 3, target="trainer-1"),))
    assert plan.but([]).faults == () and plan.but([]).name == plan.name

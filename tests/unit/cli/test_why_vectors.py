"""Why somebody earned what it did: the committed words are Python's, every kind of group occurs, sums lose nothing."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import view_vectors
import why_vectors
from vector_file import text_of

from hansa.cli.wallet.reasons import GROUPS, groups_of
from hansa.cli.wallet.trainer_receipt import trainer_receipt

JOBS = json.loads(why_vectors.PATH.read_text(encoding="utf-8"))
PAID = {job["what"]: job for job in json.loads(why_vectors.pay_vectors.PATH.read_text(encoding="utf-8"))}


def test_committed_file__is_what_the_script_writes() -> None:
    assert why_vectors.PATH.read_text(encoding="utf-8") == text_of(why_vectors.make())


def test_every_kind_of_group__occurs() -> None:
    found = {group["kind"] for job in JOBS for trainer in job["trainers"].values() for group in trainer["groups"]}
    assert found == set(GROUPS)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job["what"])
def test_groups__have_every_round_once_and_all_that_was_earned(job: dict[str, Any]) -> None:
    leaves = [leaf for round_ in PAID[job["what"]]["rounds"] for leaf in round_["leaves"]]
    earned = Counter[str]()
    for leaf in leaves:
        earned[leaf["trainer"]] += int(leaf["pay"])
    for address, trainer in job["trainers"].items():
        rounds = [number for group in trainer["groups"] for number in group["of"]]
        assert sorted(rounds) == list(range(1, len(PAID[job["what"]]["rounds"]) + 1))
        assert sum(int(group["units"]) for group in trainer["groups"]) == earned[address]
        assert not any("{" in text for group in trainer["groups"] for text in (group["reason"], group["title"]))


RECORDED = {
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8": 94593712173096965313,
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65": 63271859556811346204,
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906": 57208741023181292313,
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC": 84925687246910396165,
}
"""Of the recorded job, written down by hand: all four were used and paid in all three rounds."""


def test_recorded_job__is_what_was_written_down_by_hand() -> None:
    view = view_vectors.recorded_view()
    told_of = {}
    for item in view.history.enrolled:
        groups = groups_of(trainer_receipt(view.history, view.rounds, item.trainer, None).rounds)
        told_of[item.trainer] = [(group.kind, group.rounds, group.amount) for group in groups]
    assert told_of == {trainer: [("paid", [1, 2, 3], amount)] for trainer, amount in RECORDED.items()}

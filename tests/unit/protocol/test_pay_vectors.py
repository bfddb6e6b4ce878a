"""The committed jobs are what the ledger gives, and what the naively written formulas give."""

from __future__ import annotations

import json
from collections import Counter

import naive
import pay_vectors
import pytest
from vector_file import text_of

JOBS = json.loads(pay_vectors.PATH.read_text(encoding="utf-8"))


def test_committed_file__is_what_the_script_writes():
    assert pay_vectors.PATH.read_text(encoding="utf-8") == text_of(pay_vectors.make())


def test_committed_file__has_no_json_numbers():
    def refuse(text):
        raise AssertionError(f"{text} is a number, not a string")

    json.loads(pay_vectors.PATH.read_text(encoding="utf-8"), parse_int=refuse, parse_float=refuse)


def read(sheet):
    """(code, gain, news) of each update."""
    raw = bytes.fromhex(sheet[2:])
    parts = [raw[i : i + 13] for i in range(0, len(raw), 13)]
    return [
        (p[0], int.from_bytes(p[1:7], "big", signed=True), int.from_bytes(p[7:], "big", signed=True)) for p in parts
    ]


def judge(sheets, seats, i):
    code, votes = Counter(sheet[i][0] for sheet in sheets).most_common(1)[0]
    if 2 * votes <= seats:
        return 1, 0, 0
    if code:
        return code, 0, 0
    ok = [sheet[i] for sheet in sheets if sheet[i][0] == 0]
    return 0, naive.nearer_zero([x[1] for x in ok]), naive.nearer_zero([x[2] for x in ok])


def dropped(judgements, members, rule):
    ok = [i for i, j in enumerate(judgements) if j[0] == 0]
    if rule != "validated_mean" or len(ok) < 3:
        return []
    bad = sorted((judgements[i][1], i) for i in ok if judgements[i][1] < 0 and i not in members)
    return [i for _, i in bad][: max(1, 3 * len(ok) // 10)]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job["what"])
def test_job__of_the_vectors__is_the_naive_result(job):
    weights = {t["address"]: int(t["weight"]) for t in job["trainers"]}
    records, standing = {}, dict.fromkeys(weights, 0)
    for number, facts in enumerate(job["rounds"], 1):
        who = facts["submitted"]
        sheets = [read(sheet) for sheet in facts["sheets"]]
        judgements = [judge(sheets, int(job["seats"]), i) for i in range(len(who))]
        assert [[str(x) for x in j] for j in judgements] == [list(j.values()) for j in facts["judgements"]], number
        members = [i for i, t in enumerate(who) if t in facts["unpaid"]]
        out = dropped(judgements, members, job["rule"])
        included = [i for i, j in enumerate(judgements) if j[0] == 0 and i not in out]
        assert [str(i) for i in included] == facts["included"], number
        judged = {who[i]: j[1:] for i, j in enumerate(judgements) if j[0] == 0 and i not in members}
        before, records = records, naive.advance(records, judged, weights)
        assert {t: [str(x) for x in r] for t, r in records.items()} == {
            t: list(r.values()) for t, r in facts["records"].items()
        }, number
        payable = [who[i] for i in included if i not in members]
        paid = naive.payments(before, records, payable, int(job["reward_per_round"]))
        standing = {t: (7 * r + 10**6 * (paid.get(t, 0) > 0)) // 8 for t, r in standing.items()}
        struck = {t for t, j in zip(who, judgements, strict=True) if j[0] == 2}
        leaves = [[t, str(paid.get(t, 0)), str(int(t in struck)), str(standing[t])] for t in weights]
        assert sorted(leaves) == sorted(list(leaf.values()) for leaf in facts["leaves"]), number


def test_jobs__together__hold_the_cases_that_matter():
    rounds = [r for job in JOBS for r in job["rounds"]]
    assert {j["code"] for r in rounds for j in r["judgements"]} == set("01234")
    assert any(all(leaf["pay"] == "0" for leaf in r["leaves"]) for r in rounds), "a round that pays nobody"
    shares = [{name: int(x) for name, x in share.items()} for r in rounds for share in r["shares"].values()]
    assert any(0 < x["p"] < x["gain"] * x["all_news"] for x in shares), "too little news for full pay"
    assert any(x["p"] == 0 < x["gain"] for x in shares), "gain and no news"
    assert any(x["p"] > 0 == x["all_news"] for x in shares), "a first round"
    assert any(len(r["included"]) < [j["code"] for j in r["judgements"]].count("0") for r in rounds), "a drop"
    assert any(int(record["gain"]) == 0 for r in rounds for record in r["records"].values()), "all lost by harm"

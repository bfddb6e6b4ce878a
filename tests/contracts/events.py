"""A job's words, from its events alone: what an archive has."""

from __future__ import annotations

from typing import Any

from brownie import chain
from drive import Job
from eth_abi.abi import decode
from node import rpc

from hansa.protocol import hashes, links
from hansa.protocol.types import Phase, Place

BITMAPS = {
    "UpdatesAttested": "attested",
    "SharesReleased": "released",
    "ScoresCommitted": "committed",
    "ScoresRevealed": "revealed",
    "ResultVoted": "voted",
}
KINDS = {*BITMAPS, "CycleOpened", "UpdateSubmitted", "RoundFinalized", "CycleFailed"}


def events_of(job: Job) -> list[tuple[str, dict[str, Any]]]:
    """Name and values of each event of the job's cycles, in order."""
    known = {event["name"]: event["inputs"] for event in job.federation.abi if event["type"] == "event"}
    by_topic = {job.federation.topics[name]: name for name in known}
    asked = {"address": job.federation.address, "fromBlock": "0x0", "topics": [None, f"0x{job.id:064x}"]}
    found = []
    for log in rpc("eth_getLogs", asked):
        name = by_topic[log["topics"][0]]
        if name in KINDS:
            plain = [field for field in known[name] if not field["indexed"]]
            values = decode([field["type"] for field in plain], bytes.fromhex(log["data"][2:]))
            cycle = int(log["topics"][2], 16)
            found.append((name, {**dict(zip((field["name"] for field in plain), values, strict=True)), "cycle": cycle}))
    return found


class Fold:
    """`history`, accumulators and board of a job, event by event."""

    def __init__(self, job: Job) -> None:
        self.place = (chain.id, job.federation.address, job.id)
        self.seats, self.quorum = job.terms.seats, job.terms.quorum
        self.history, self.sheets, self.updates, self.cycle = job.terms_hash, bytes(32), 0, 0
        self.committee: list[str] = []
        self.acted = dict.fromkeys(("due", *BITMAPS.values()), 0)
        self.words: dict[int, int] = {}
        for name, event in events_of(job):
            self._read(name, event)

    def _read(self, name: str, event: dict[str, Any]) -> None:
        if name == "CycleOpened":
            self._open(event)
        elif name == "UpdateSubmitted":
            self.updates = hashes.updates_acc(self.updates, event["trainer"], event["digest"])
        elif name in BITMAPS:
            self.acted[BITMAPS[name]] |= 1 << event["seat"]
            self._show(name, event["seat"], event)
        elif name == "RoundFinalized":
            self._finalise(event)
        elif name == "CycleFailed":
            self._fail(event)

    def _link(self, payload: bytes) -> None:
        self.history = links.link(self.history, payload)

    def _open(self, event: dict[str, Any]) -> None:
        drawn = hashes.draw(*self.place, self.sheets, self.updates, event["randomness"])
        self._link(links.opened(drawn, event["committee"], event["keys"]))
        assert event["seed"] == self.history
        self.cycle = event["cycle"]
        former = self.committee or [""] * self.seats
        fresh = sum(1 << seat for seat in range(self.seats) if former[seat] != event["committee"][seat])
        due = 2**self.seats - 1 if hashes.everybody_due(self.cycle) else self.acted["voted"] | fresh
        self.acted = {**dict.fromkeys(self.acted, 0), "due": due}
        self.committee, self.words = event["committee"], {}
        self.sheets, self.updates = self.history, hashes.updates_start(self.history)

    def _show(self, name: str, seat: int, event: dict[str, Any]) -> None:
        if name == "UpdatesAttested":
            self.sheets = hashes.attests_acc(self.sheets, seat, event["bitmap"])
        elif name == "SharesReleased":
            self.sheets = hashes.releases_acc(self.sheets, seat, event["digest"])
        elif name == "ScoresRevealed":
            self.sheets = hashes.sheets_acc(self.sheets, seat, event["sheet"], event["salt"])
        elif name == "ResultVoted":
            self.words[seat] = links.vote_word(event["sealedVote"], event["metric"])

    @property
    def board(self) -> links.Board:
        return links.Board(**self.acted)

    def _finalise(self, event: dict[str, Any]) -> None:
        place = Place(*self.place, self.cycle)
        result = hashes.result_hash(place, self.updates, self.sheets, event["model"], event["rewards"])
        assert event["resultHash"] == result
        self._link(links.finalised(result, self.board, links.votes_hash(self.words, self.seats), event["time"]))

    def _fail(self, event: dict[str, Any]) -> None:
        reached, time = Phase(event["phase"]), event["time"]
        if reached == Phase.OPEN:
            self._link(links.lapsed(time))
            return
        agreed = reached == Phase.VOTE and self.acted["voted"].bit_count() >= self.quorum
        words = links.votes_hash(self.words, self.seats) if agreed else links.NO_WORDS
        ended = (self.cycle, self.updates, self.sheets, self.board, words)
        self._link(links.failed(*ended, reached, event["burnt"], time))

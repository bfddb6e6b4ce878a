"""Updates that it takes several members to open, read by one of them with what its committee released."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.audit.report import Finding, Report
from hansa.protocol import release
from hansa.protocol.cid import to_cid
from hansa.protocol.errors import HansaError, Malformed, NotFound, StoreUnavailable
from hansa.protocol.release import Entry, Releases
from hansa.protocol.shared_verdict import judge_shared
from hansa.protocol.types import Address, Seat
from hansa.protocol.verdict import CycleKeys, Judged
from hansa.runtime.history.records import CycleRecord
from hansa.runtime.store import Store

FETCH_SECONDS = 5.0


class Shut(Exception):
    """An update that nothing here opens."""


@dataclass(frozen=True)
class Shared:
    """One cycle, as one of its seats sees it."""

    keys: CycleKeys
    releases: Releases

    def judge(self, data: bytes, trainer: Address, place: int) -> Judged | None:
        """The verdict on an update; None while there are too few shares."""
        return judge_shared(data, trainer, place, self.releases, self.keys)


def read_releases(cycle: CycleRecord, keys: CycleKeys, files: Store, report: Report) -> Releases:
    """What the cycle's seats released. One whose file is lost, or none, counts as not released: whoever says so later
    can't know whether it was there in time."""
    found: dict[Seat, tuple[Entry, ...]] = {}
    limit = release.file_limit(len(cycle.updates), len(cycle.committee))
    for seat, digest in cycle.releases.items():
        name = f"what {cycle.committee[seat]} released in round {cycle.round}, {to_cid(digest)}"
        ctx = release.context(keys.place, cycle.committee[seat], cycle.updates_acc)
        try:
            data = files.get(digest, limit=limit, timeout=FETCH_SECONDS)
            found[seat] = release.read(data, ctx, keys.seat, keys.secret, keys.keys, len(cycle.updates))
        except (NotFound, StoreUnavailable, Malformed) as error:
            report.gap(name, str(error), expected=True)
        except HansaError as error:
            report.fail(Finding(name, "the bytes that its CID names", str(error), round=cycle.round))
        else:
            report.ok("release files")
    return Releases(found, True)

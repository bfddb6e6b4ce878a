"""What a committee says of each update: the revealed sheets of a cycle, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hansa.protocol.exact import measurement_median
from hansa.protocol.geometry import Likeness
from hansa.protocol.sheet import Entry
from hansa.protocol.types import Code


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a committee says of one update: a verdict, and where it is ok the median gain and news, in units of
    1e-9."""

    code: Code
    gain: int = 0
    news: int = 0


def tally(sheets: Sequence[Sequence[Entry | None]], seats: int, n: int) -> list[Judgement]:
    """The committee's judgement of each of a cycle's n updates, in on-chain order.

    A verdict is what more than half of the seats, not of the sheets, say; else unreachable. Gain and news are
    medians over the sheets that say ok; 0 where the verdict is not ok. Who is a member and submits has no say on its
    own update: None stands there, and the others must be more than half of all seats.
    """
    return [_judge([entry for sheet in sheets if (entry := sheet[i]) is not None], seats) for i in range(n)]


def _judge(entries: Sequence[Entry], seats: int) -> Judgement:
    for code in Code:
        agreeing = [entry for entry in entries if entry.code == code]
        if 2 * len(agreeing) > seats:
            break
    else:
        return Judgement(Code.UNREACHABLE)
    if code != Code.OK:
        return Judgement(code)
    gain = measurement_median([entry.gain for entry in agreeing])
    return Judgement(code, gain, measurement_median([entry.news for entry in agreeing]))


def likeness(entries: Iterable[Entry | None]) -> Likeness | None:
    """Of which update, and how alike, as more than half of those sheets have it that call one a duplicate; else None.

    It explains a verdict, and enters nothing that pays."""
    said = Counter(Likeness(entry.gain, entry.news) for entry in entries if entry and entry.code == Code.DUPLICATE)
    most, times = max(said.items(), key=lambda item: item[1], default=(None, 0))
    return most if 2 * times > said.total() else None

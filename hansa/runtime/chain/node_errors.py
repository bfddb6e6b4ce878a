"""What goes wrong between us and a node, told apart by what helps: waiting, asking for less, or another node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hansa.protocol.errors import ChainUnavailable

RATE_CODES = frozenset({429, -32005, -32029, -32090, -32097})
RATE = re.compile(
    r"\brate\b|too many requests|requests? (?:limit|count|quota)|(?:requests?|calls?|units?) per|limit exceeded"
    r"|throughput|compute units|quota|capacity|throttl|slow down|back ?off",
    re.IGNORECASE,
)
RANGE = re.compile(
    r"\brange\b|\bblocks\b|returned more|response size|too many (?:results|logs|events)|more than \S+ (?:results|logs)"
    r"|results? (?:set )?(?:is )?(?:too large|limit|exceed)|query time",
    re.IGNORECASE,
)
BLOCKS = re.compile(
    r"(?:limited to|up to|max\w*|exceed\w*|within|than)\D{0,40}?(\d[\d,_]*)\s*(k)?\W{0,2}(?:blocks?\b|range\b)"
    r"|(?:block range|blocks?)\b[^\d\[]{0,40}(?:max\w*|limit\w*|exceed\w*|range:)\D{0,20}?(\d[\d,_]*)\s*(k)?"
    r"|max\w*\D{0,20}\brange\D{0,12}?(\d[\d,_]*)\s*(k)?",
    re.IGNORECASE,
)
BATCHED = re.compile(
    r"batch\D{0,60}?(\d[\d,_]*)\s*(k)?|(\d[\d,_]*)\s*(k)?\s*(?:requests|calls)\D{0,20}batch", re.IGNORECASE
)
NO_BATCH_CODES = frozenset({-32600, -32700})  # an invalid request, a parse error: said of a list by who takes none
LARGE = re.compile(r"too (?:big|large|long)|\bsize\b|\barray\b|\bsequence\b", re.IGNORECASE)
BEHIND = re.compile(
    r"header not found|header for|unknown (?:block|header)|block (?:is )?(?:not found|unknown)|no such block"
    r"|could not find (?:block|header)|out ?of ?range|height is|not (?:yet )?available|after last|future block",
    re.IGNORECASE,
)
STATUS = {
    401: "it asks for credentials, or doesn't take those in the address",
    403: "it refuses the credentials in the address, or this machine",
    404: "nothing answers at the path of the address",
    405: "what answers there takes no JSON-RPC",
    413: "the request was too large for it",
    429: "it limits the rate of requests",
}


class NodeError(ChainUnavailable):
    """A node's own error answer, other than a contract that reverted. `status`: HTTP's; retry_after: seconds."""

    def __init__(
        self, method: str, code: int, message: str, *, status: int = 200, retry_after: float | None = None
    ) -> None:
        self.method, self.code, self.reason = method, code, message
        self.status, self.retry_after = status, retry_after
        text = f"{message} ({code})" if status < 400 else f"{message} ({code}), HTTP {status}: {explained(status)}"
        super().__init__(f"{method} was refused by the node", cause=text)

    @property
    def asks_too_much(self) -> bool:
        """Whether it names what was asked for, and not how often."""
        return self.method == "eth_getLogs" and RANGE.search(self.reason) is not None

    @property
    def rate_limited(self) -> bool:
        """Whether waiting is all that it asks for."""
        limited = self.status == 429 or self.code in RATE_CODES or RATE.search(self.reason) is not None
        return limited and not self.asks_too_much and not self.too_many_at_once

    @property
    def too_many_at_once(self) -> bool:
        """Whether a batch was too long for it."""
        return self.status == 413 or "batch" in self.reason.lower()

    @property
    def refuses_batch(self) -> bool:
        """Of the one error that answered a batch: whether it is about its being one, its length or its size."""
        return self.too_many_at_once or self.code in NO_BATCH_CODES or LARGE.search(self.reason) is not None

    @property
    def blocks(self) -> int | None:
        """How many blocks at once it says that it allows."""
        return _stated(BLOCKS, self.reason)

    @property
    def requests(self) -> int | None:
        """How many requests in a batch it says that it allows."""
        return _stated(BATCHED, self.reason)

    @property
    def is_behind(self) -> bool:
        """Whether it doesn't know the block that it was asked about."""
        return self.code == -32001 or (self.method != "eth_getLogs" and BEHIND.search(self.reason) is not None)


class BadStatus(ChainUnavailable):
    """An HTTP status, and no JSON-RPC with it."""

    def __init__(self, shown: str, status: int, *, retry_after: float | None = None, elsewhere: str = "") -> None:
        self.status, self.retry_after = status, retry_after
        cause = f"HTTP {status}: " + (f"it redirects to {elsewhere}" if elsewhere else explained(status))
        super().__init__(f"{shown} gives no answer", cause=cause)

    @property
    def rate_limited(self) -> bool:
        return self.status == 429


class Nonsense(ChainUnavailable):
    """An answer that is not what the method returns."""

    def __init__(self, what: str, got: object) -> None:
        super().__init__(f"the node's answer for {what} makes no sense", cause=f"got {str(got)[:80]!r}")


class TooSlow(ChainUnavailable):
    """A node took the request and gave no whole answer in time."""


class TooLong(ChainUnavailable):
    """A node's answer was larger than is read."""


class Behind(ChainUnavailable):
    """A node does not have a block that is known to be there: it lags, or is one of a pool that does."""


class AllFailed(ChainUnavailable):
    """Every endpoint failed; `failures` in the order in which they were asked."""

    def __init__(self, shown: list[str], failures: list[ChainUnavailable]) -> None:
        self.failures = failures
        causes = "; ".join(f"{name}: {error}" for name, error in zip(shown, failures, strict=True))
        super().__init__("no RPC endpoint gave an answer", cause=causes)


def each(error: ChainUnavailable) -> list[ChainUnavailable]:
    """What every endpoint that was asked failed with."""
    return error.failures if isinstance(error, AllFailed) else [error]


def is_rate_limited(error: object) -> bool:
    return isinstance(error, NodeError | BadStatus) and error.rate_limited


def is_behind(error: ChainUnavailable) -> bool:
    """Whether waiting for a node to catch up may help."""
    return any(isinstance(one, Behind) or (isinstance(one, NodeError) and one.is_behind) for one in each(error))


def explained(status: int) -> str:
    """An HTTP status in words."""
    if status >= 500:
        return "the node, or the gateway before it, is out of order"
    return STATUS.get(status, "it takes no such request")


def _stated(pattern: re.Pattern[str], reason: str) -> int | None:
    found = next(_numbers(pattern, reason), None)
    return found if found else None


def _numbers(pattern: re.Pattern[str], reason: str) -> Iterator[int]:
    for match in pattern.finditer(reason):
        digits, thousands = next((match[i], match[i + 1]) for i in range(1, pattern.groups, 2) if match[i])
        yield int(re.sub(r"[,_]", "", digits)) * (1000 if thousands else 1)

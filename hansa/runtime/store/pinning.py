"""A remote pinning service, by the IPFS Pinning Service API: somebody else keeps a file too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from hansa.protocol.cid import to_cid
from hansa.protocol.errors import FatalError, StoreUnavailable
from hansa.protocol.text import redact
from hansa.protocol.types import Digest
from hansa.runtime.http import Cap, checked_url, retry_after
from hansa.runtime.store.bounded import bound

SECONDS = 10.0  # for an answer
BYTES = 2**20  # of an answer
ORIGINS = 20  # addresses that a request may name
QUEUED, PINNING, PINNED, FAILED = STATUSES = ("queued", "pinning", "pinned", "failed")
USUAL_REST, LONGEST_REST = 60.0, 600.0  # seconds that it is left alone after too many requests
OURS = "hansa"  # what the service's lists call our files
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class PinningRefused(FatalError):
    """The service takes no request like this: no funds, no such page, a file that it may not have."""


class TokenRefused(PinningRefused):
    """It takes none at all from who has this token."""


class PinGone(PinningRefused):
    """There is no such request any more: another has deleted it."""


class PinningNonsense(StoreUnavailable):
    """An answer that is none of this API; others of the same service may be."""


class PinningLimited(StoreUnavailable):
    """Too many requests. after: seconds that it wants to be left alone."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message, cause="too many requests", next_step=f"it is asked again in {after:.0f} s")
        self.after = after


@dataclass(frozen=True)
class Pin:
    """What the service says of one request. delegates: multiaddresses of its nodes, which fetch the file."""

    request: str
    status: str
    delegates: tuple[str, ...]
    details: str

    @property
    def is_under_way(self) -> bool:
        return self.status in (QUEUED, PINNING)


class PinningService:
    """The service at `url`. Raises PinningRefused (TokenRefused and PinGone are such), PinningLimited, or
    StoreUnavailable where trying again can help.

    The token goes there alone, over https (or to this machine), to no other address that the service names, and is in
    no message.
    """

    def __init__(self, url: str, token: str) -> None:
        place = checked_url(url, ("https", "http"), "a pinning service's address")
        if place.scheme != "https" and place.hostname not in LOOPBACK:
            raise FatalError(f"{redact(url)} is no pinning service", next_step="name its API's address, https://…")
        self.shown = redact(url)
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        bound(self._session, Cap(BYTES))

    def pin(self, digest: Digest, origins: Sequence[str] = ()) -> Pin:
        """Asks it to keep a file. origins: where it may fetch it."""
        asked = {"cid": to_cid(digest), "name": OURS, "origins": list(origins[:ORIGINS])}
        return self._pin(self._ask("POST", "/pins", body=asked))

    def look(self, pin: Pin) -> Pin:
        """The same request now. PinGone where there is none any more."""
        return self._pin(self._ask("GET", f"/pins/{pin.request}"))

    def find(self, digest: Digest) -> list[Pin]:
        """Requests for a file that have not failed."""
        asked = {"cid": to_cid(digest), "status": f"{QUEUED},{PINNING},{PINNED}"}
        answer = self._ask("GET", "/pins", asked)
        try:
            return [self._pin(each) for each in answer["results"]]
        except (KeyError, TypeError) as error:
            raise self._nonsense() from error

    def unpin(self, pin: Pin) -> None:
        """It need not keep it any more."""
        self._ask("DELETE", f"/pins/{pin.request}")

    def counts(self) -> dict[str, int]:
        """Requests by status."""
        try:
            return {
                status: int(self._ask("GET", "/pins", {"status": status, "limit": "1"})["count"]) for status in STATUSES
            }
        except (KeyError, TypeError, ValueError) as error:
            raise self._nonsense() from error

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            answer = self._session.request(
                method, self._url + path, params=query, json=body, timeout=SECONDS, allow_redirects=False
            )
            if answer.status_code in (404, 410) and method == "DELETE":
                return None
            if 200 <= answer.status_code < 300:
                return answer.json() if method != "DELETE" else None
        except ValueError as error:  # requests' error of JSON is one
            raise self._nonsense() from error
        except (requests.RequestException, OSError) as error:
            raise StoreUnavailable(
                f"the pinning service at {self.shown} does not answer", cause=type(error).__name__
            ) from error
        if answer.status_code in (404, 410) and path != "/pins":
            raise PinGone(f"the pinning service at {self.shown} has no such request any more")
        raise self._refusal(answer)

    def _refusal(self, answer: requests.Response) -> PinningRefused | StoreUnavailable:
        who, code = f"the pinning service at {self.shown}", answer.status_code
        if code in (401, 403):
            return TokenRefused(
                f"{who} refuses this token", cause=f"status {code}", next_step="put a valid one into secrets.env"
            )
        if code == 429:
            asked = retry_after(answer.headers)
            return PinningLimited(f"{who} takes no more now", USUAL_REST if asked is None else min(LONGEST_REST, asked))
        if code == 408 or code >= 500:
            return StoreUnavailable(f"{who} is out of order", cause=f"status {code}")
        return PinningRefused(
            f"{who} refuses a request", cause=f"status {code} {_reason(answer)}".rstrip(), next_step="ask who runs it"
        )

    def _pin(self, answer: Any) -> Pin:
        try:
            request, status = str(answer["requestid"]), str(answer["status"])
            delegates = tuple(str(each) for each in answer.get("delegates") or ())
            details = str((answer.get("info") or {}).get("status_details", ""))
        except (KeyError, TypeError, AttributeError) as error:
            raise self._nonsense() from error
        if status not in STATUSES or not request.replace("-", "").replace("_", "").isalnum():
            raise self._nonsense()
        return Pin(request, status, delegates, details)

    def _nonsense(self) -> PinningNonsense:
        return PinningNonsense(
            f"the pinning service at {self.shown} answered nonsense",
            next_step="name the address of its Pinning Service API",
        )


def _reason(answer: requests.Response) -> str:
    """What the API's error says, or nothing."""
    try:
        return str(answer.json()["error"]["reason"])
    except (ValueError, KeyError, TypeError):
        return ""

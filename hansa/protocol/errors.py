"""The errors of Hansa: one root, split by what the caller should do."""

from __future__ import annotations

from hansa.protocol.text import escape_untrusted, redact


class HansaError(Exception):
    """Anything that Hansa reports. `str()` is one sentence: the object, the cause, the next step. Whatever strangers
    wrote into it, and whatever a URL in it carries, it can be printed: see `escape_untrusted` and `redact`.

    `message` names the object and what is wrong with it, `cause` says why (often a foreign exception), `next_step`
    what the reader can do. `exit_code` is what the command line ends with.
    """

    def __init__(
        self,
        message: str,
        *,
        cause: str | BaseException | None = None,
        next_step: str | None = None,
        exit_code: int = 1,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.next_step = next_step
        self.exit_code = exit_code

    def __str__(self) -> str:
        text = _one_line(self.message)
        if self.cause is not None:
            text += f": {_one_line(self.cause)}"
        if self.next_step is not None:
            text += f"; {_one_line(self.next_step)}"
        return text


class TransientError(HansaError):
    """Trying again, later or elsewhere, can help."""


class FatalError(HansaError):
    """Trying again cannot help; somebody must change something."""


class Malformed(FatalError):
    """Bytes from somebody else that are not what they must be."""


class TooLarge(Malformed):
    """An object over the size that its job allows."""


class SpoiltModel(Malformed):
    """A model that a committee voted and nobody can use: the job can't go on, but everybody can leave."""


class NotAllowed(FatalError):
    """A token, contract or task that the user's allow-list does not name, or a key that may not do this."""


class BadKey(FatalError):
    """A key file that can't be read, opened or trusted."""


class WrongPassword(BadKey):
    """A key file that another password opens."""


class Locked(FatalError):
    """A journal that another daemon holds: one key, one daemon."""


class JournalCorrupt(FatalError):
    """A journal that can't be read."""


class WrongChain(FatalError):
    """A node of another chain than the deployment's, or without its contracts."""


class StoreUnavailable(TransientError):
    """The content store does not answer."""


class NotFound(TransientError):
    """Nobody has these bytes, or not yet."""


class WrongBytes(TransientError):
    """A store gave other bytes than the CID names."""


class ChainUnavailable(TransientError):
    """No RPC node answers usefully."""


class HistoryMismatch(TransientError):
    """An RPC node omitted or invented events."""


def described(error: BaseException) -> str:
    """A foreign exception as a cause: its kind, and what it says if it says anything."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def check_range(name: str, value: int, low: int, high: int) -> int:
    """`value`, or one sentence that says what it may be."""
    if not low <= value <= high:
        raise FatalError(f"{name} {value} is out of range", cause=f"it may be {low} to {high}")
    return value


def _one_line(cause: str | BaseException) -> str:
    text = str(cause) or type(cause).__name__
    return escape_untrusted(redact(" ".join(text.split()).rstrip(".")))

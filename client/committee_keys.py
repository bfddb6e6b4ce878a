"""Whom an update may be sealed to: the keys that the cycle's own event fixed, and none but the pinned ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from eth_utils.address import is_address, to_checksum_address

from hansa.protocol import envelope
from hansa.protocol.errors import FatalError
from hansa.protocol.hashes import cycle_counter
from hansa.protocol.privacy import MASKED
from hansa.protocol.types import Address, CycleId
from hansa.runtime.desk import Desk
from hansa.runtime.history.records import CycleRecord

PinnedKeys = Mapping[Address, bytes]


class CommitteeKeys:
    """Looks at the keys of a cycle's committee before anything is sealed to them; says once a cycle what is wrong.

    pinned: X25519 keys by account, as the sponsor gave them out of band; None takes what the chain shows.
    """

    def __init__(self, desk: Desk, pinned: PinnedKeys | None = None) -> None:
        self._desk = desk
        self._pinned = pinned
        self._told: CycleId | None = None

    def accept(self, cycle: CycleRecord) -> bool:
        """Whether enough of the seats can open what is sealed to them, and every key is the pinned one."""
        strangers = [] if self._pinned is None else _strangers(cycle, self._pinned)
        usable = sum(key is not None and envelope.is_usable(key) for key in cycle.keys)
        least = self._least()
        if not strangers and usable >= least:
            return True
        if self._told != cycle.cycle:
            self._told = cycle.cycle
            log = self._desk.log.bind(cycle=cycle_counter(cycle.cycle))
            if strangers:
                log.warning("not submitting: keys of the committee are not the pinned ones", members=strangers)
            else:
                log.warning("not submitting: too few members have a key", usable=usable, least=least)
        return False

    def _least(self) -> int:
        """Members who can open together: a quorum, or of masked updates as many as it takes to open the sum."""
        context = self._desk.follower.context
        return context.spec.shares if context.spec.privacy == MASKED else context.terms.quorum


def _strangers(cycle: CycleRecord, pinned: PinnedKeys) -> list[Address]:
    """Members with a key that isn't theirs by the file; who has none can't read anything."""
    return [
        member
        for member, key in zip(cycle.committee, cycle.keys, strict=True)
        if key is not None and pinned.get(member) != key
    ]


def read_pinned_keys(path: Path) -> PinnedKeys:
    """A JSON object, account → X25519 key (0x and 64 hexadecimal digits). FatalError that names the line at fault."""
    wrong = "--pin-keys {}: {}"
    next_step = 'write {"0x<account>": "0x<key>", …}; `hansa aggregator status` shows a member\'s key'
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise FatalError(wrong.format(path, error.strerror), next_step="name the file that the sponsor gave") from error
    except (ValueError, RecursionError) as error:
        raise FatalError(wrong.format(path, "it is not JSON"), cause=error, next_step=next_step) from error
    if not isinstance(found, dict) or not found:
        raise FatalError(wrong.format(path, "it has no keys by account"), next_step=next_step)
    return {_account(path, name): _key(path, name, key) for name, key in found.items()}


def _account(path: Path, name: str) -> Address:
    if not is_address(name):
        raise FatalError(f"--pin-keys {path}: {name!r} is no account's address", next_step="correct it in the file")
    return Address(to_checksum_address(name))


def _key(path: Path, name: str, key: object) -> bytes:
    try:
        value = bytes.fromhex(str(key).removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != 32 or not envelope.is_usable(value):
        raise FatalError(f"--pin-keys {path}: {name} has no X25519 key there", next_step="correct it in the file")
    return value

"""Secrets that are made one after another, and deleted for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansa.protocol import envelope
from hansa.protocol.errors import FatalError, JournalCorrupt
from hansa.runtime.key_ring import KeyRing

OWN = b"\x05" * 32


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))


def test_made__are_there_after_a_restart_in_their_order(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys.sqlite", OWN)
    made = [ring.make() for _ in range(3)]
    secrets = [ring.secret_of(public) for public in made]
    assert [envelope.public_key(secret or b"") for secret in secrets] == made
    ring.close()
    again = KeyRing(tmp_path / "keys.sqlite", OWN)
    assert again.made() == made
    assert [again.secret_of(public) for public in made] == secrets


def test_secret__of_the_accounts_own_key_and_of_others(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys.sqlite", OWN)
    assert ring.secret_of(envelope.public_key(OWN)) == OWN
    assert ring.secret_of(None) is None
    assert ring.secret_of(bytes(32)) is None


def test_deleted__is_in_no_file_any_more(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    ring = KeyRing(path, OWN)
    gone, kept = ring.make(), ring.make()
    lost, left = ring.secret_of(gone), ring.secret_of(kept)
    assert lost is not None and left is not None
    assert lost in bytes_on_disk(path)
    ring.delete(gone)
    assert lost not in bytes_on_disk(path) and left in bytes_on_disk(path)
    assert ring.secret_of(gone) is None and ring.made() == [kept]


def test_ring__is_shared_by_the_daemons_of_an_account(tmp_path: Path) -> None:
    one, other = (KeyRing(tmp_path / "keys.sqlite", OWN) for _ in range(2))
    made = [one.make(), other.make()]
    assert one.made() == other.made() == made
    one.delete(made[0])
    assert other.made() == made[1:]


def test_file__is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "journals" / "keys.sqlite"
    ring = KeyRing(path, OWN)
    ring.make()
    assert {part.stat().st_mode & 0o077 for part in path.parent.iterdir()} == {0}
    assert path.parent.stat().st_mode & 0o077 == 0


def test_file__that_is_none__is_said(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    path.write_bytes(b"no keys" * 1000)
    with pytest.raises(JournalCorrupt, match=r"keys\.sqlite is no file of keys"):
        KeyRing(path, OWN)
    with pytest.raises(FatalError, match="can't be written"):
        KeyRing(tmp_path / "keys.sqlite" / "below", OWN)

"""The committed vectors are what the code gives."""

from __future__ import annotations

import protocol_vectors
import pytest
from facts import VECTORS, unhex
from vector_file import text_of

from hansa.protocol.cid import digest_of, from_cid, to_cid
from hansa.protocol.envelope import open_envelope, open_with_key, seal
from hansa.protocol.model import Model, Update
from hansa.protocol.spec import JobSpec


def test_committed_file__is_what_the_script_writes() -> None:
    assert protocol_vectors.PATH.read_text(encoding="utf-8") == text_of(protocol_vectors.make())


@pytest.mark.parametrize("fact", VECTORS["cids"], ids=lambda fact: str(fact["length"]))
def test_cid__of_the_vectors__is_the_datas(fact: dict) -> None:
    data = protocol_vectors.repeated(fact["text"], fact["length"])
    assert to_cid(digest_of(data)) == fact["cid"]
    assert from_cid(fact["cid"]) == unhex(fact["digest"])


def test_spec__of_the_vectors__is_read() -> None:
    text = VECTORS["spec"]["text"].encode()
    assert JobSpec.decode(text).encode() == text
    assert to_cid(digest_of(text)) == VECTORS["spec"]["cid"]
    first = VECTORS["spec"]["version_1"].encode()
    assert JobSpec.decode(first).encode() == first


def test_files__of_the_vectors__are_read_and_sealed_again() -> None:
    facts = VECTORS["files"]
    model = Model.decode(unhex(facts["model"]))
    members = [unhex(member) if member else None for member in facts["members"]]
    ctx, sealed = unhex(facts["context"]), unhex(facts["envelope"])
    for seat in (0, 2):
        opened = open_envelope(sealed, ctx, seat, unhex(facts["secrets"][seat]), members)
        assert opened == (unhex(facts["update"]), unhex(facts["key"]))
    assert open_with_key(sealed, ctx, unhex(facts["key"]), members) == opened
    assert seal(opened.update, opened.key, ctx, members) == sealed
    place = {"job": int(facts["job"]), "cycle": int(facts["cycle"]), "trainer": facts["trainer"]}
    update = Update.decode(opened.update, model=model, **place)
    assert {name: array.tolist() for name, array in update.tensors.items()} == {
        "b": [127],
        "w": [[-127, -127, -64], [0, 64, 127]],
    }

"""The committed vectors are what the code gives, and add up."""

from __future__ import annotations

import json

import masked_vectors
import numpy as np
from vector_file import text_of


def facts():
    return json.loads(masked_vectors.PATH.read_text(encoding="utf-8"))


def signed(text):
    return np.frombuffer(bytes.fromhex(text[2:]), "<i2").astype(np.int64)


def test_vectors__are_up_to_date():
    assert masked_vectors.PATH.read_text(encoding="utf-8") == text_of(masked_vectors.make())


def test_sum__is_that_of_the_words_of_the_updates_that_are_in():
    known = facts()
    assert known["sum"] == sum(signed(known["words"][place]) for place in known["group"]["in"]).tolist()


def test_masked_words__less_the_vectors_are_the_sum():
    known = facts()
    size = 2 * len(known["sum"])
    masked = sum(signed("0x" + known["envelopes"][place][-2 * size :]) for place in known["group"]["in"])
    rest = masked - sum(map(signed, known["vectors"]))
    assert rest.astype(np.uint16).view(np.int16).tolist() == known["sum"]

"""What an identity's changes come to: the committed file is what Python makes of them."""

from __future__ import annotations

import did_vectors
from vector_file import text_of


def test_committed_file__is_what_the_script_writes() -> None:
    assert did_vectors.PATH.read_text(encoding="utf-8") == text_of(did_vectors.make())

"""What the web page is tested with is what Python says of the recorded job."""

from __future__ import annotations

import view_vectors
from vector_file import text_of


def test_committed_file__is_what_the_script_writes():
    assert view_vectors.PATH.read_text(encoding="utf-8") == text_of(view_vectors.make())


def test_recorded_job__paid_and_was_paid_out():
    facts = view_vectors.make()
    assert facts["phase"] == "COMPLETED" and len(facts["rounds"]) == 3
    assert all(int(trainer["earned"]) > 0 for trainer in facts["trainers"])

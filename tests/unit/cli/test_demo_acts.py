"""The acts by which the page's tests play the recorded job are those of the recorded job."""

from __future__ import annotations

import demo_acts


def test_acts__are_up_to_date() -> None:
    assert demo_acts.PATH.read_text(encoding="utf-8") == demo_acts.text_of(demo_acts.make())

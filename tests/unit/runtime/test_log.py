"""One JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hansa.runtime.log import open_log


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_log__carries_what_is_bound(tmp_path: Path) -> None:
    log = open_log(tmp_path / "d" / "log", daemon="trainer", job=3)
    log.bind(round=2).info("sent", digest=b"\x01\x02", path=Path("x"))
    log.debug("hidden")
    [line] = lines(tmp_path / "d" / "log")
    assert {key: line[key] for key in ("event", "daemon", "job", "round", "digest", "level", "path")} == {
        "event": "sent",
        "daemon": "trainer",
        "job": 3,
        "round": 2,
        "digest": "0x0102",
        "level": "info",
        "path": "x",
    }


def test_log__level_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSA_LOG", "debug")
    open_log(tmp_path / "log").debug("seen")
    assert lines(tmp_path / "log")[0]["event"] == "seen"


def test_two_logs__do_not_mix(tmp_path: Path) -> None:
    one, two = open_log(tmp_path / "1", who=1), open_log(tmp_path / "2", who=2)
    one.info("x")
    two.info("y")
    assert (lines(tmp_path / "1")[0]["who"], lines(tmp_path / "2")[0]["who"]) == (1, 2)


def test_no_file__is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    open_log().info("here")
    assert json.loads(capsys.readouterr().err)["event"] == "here"


def test_log__is_its_owners_alone__and_tells_no_secret_of_a_url(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log", node="http://ann:PW@main.example/KEY")
    log.info("failed", error=ValueError("no answer of http://ann:PW@main.example/KEY"), tried=["http://ann:PW@x/KEY"])
    text = (tmp_path / "log").read_text()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    assert "PW" not in text and "KEY" not in text
    assert json.loads(text)["tried"] == ["http://x/…"] and json.loads(text)["node"] == "http://main.example/…"

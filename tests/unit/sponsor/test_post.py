"""A job's files: how a task is named, what its settings are, what the spec says of sizes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hansa.protocol.errors import FatalError
from hansa.protocol.model import Model
from hansa.protocol.spec import JobSpec
from hansa.sponsor.post import prepare
from hansa.tasks.loading import name_task
from hansa.tasks.settings import parse_settings

FILE = """
class Helper:
    pass

class Mine:
    def train(self): ...
"""


def test_prepare__spec_and_model_can_be_read_back() -> None:
    made = prepare("heart", seed=3)
    assert JobSpec.decode(made.spec.encode()) == made.spec
    data = made.model.encode()
    assert Model.decode(data).round == 0
    assert made.spec.model_bytes == len(data) + 4096
    parameters = made.model.size
    assert made.spec.update_bytes == len(data) - 4 * parameters + parameters + 4096 + 24 * 48, "8 bits, 24 boxes"
    assert (made.spec.seed, made.spec.steps, made.rounds) == (3, 100, 15)


def test_prepare__refuses_a_setting_that_the_task_has_not() -> None:
    with pytest.raises(FatalError, match="no setting speed"):
        prepare("heart", seed=0, settings={"speed": 1})


def test_prepare__refuses_a_rule_that_nobody_knows() -> None:
    with pytest.raises(FatalError, match="rule 'best'"):
        prepare("heart", seed=0, rule="best")


def test_task_file__is_named_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    name, digest, file = name_task(str(path))
    assert (name, file) == ("mine.py:Mine", path)
    assert digest == hashlib.sha256(FILE.encode()).hexdigest()
    assert name_task(f"{path}:Helper")[0] == "mine.py:Helper"


@pytest.mark.parametrize(("text", "said"), [("def f(: pass", "not Python"), ("x = 1", "no classes")])
def test_task_file__without_a_task(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(FatalError, match=said):
        name_task(str(path))


def test_task_file__that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="can't be read"):
        name_task(str(tmp_path / "no.py"))


def test_settings__are_json_or_text_and_never_floats() -> None:
    given = ["batch=8", "learning_rate=0.01", "metric=likelihood", "flags=[1,2]", "on=true"]
    assert parse_settings(given) == {
        "batch": 8,
        "learning_rate": "0.01",
        "metric": "likelihood",
        "flags": [1, 2],
        "on": True,
    }
    with pytest.raises(FatalError, match="--set"):
        parse_settings(["batch"])

"""Finding a job's task, and refusing what the user has not allowed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hansa.protocol.errors import FatalError, NotAllowed
from hansa.tasks import Task, defaults, load_task, task_digest

MEAN = '''
import numpy as np

class Mean:
    """The model is the mean of the rows."""
    name = "mean"
    def __init__(self, settings, seed): self.target = settings.get("target", 1); self.seed = seed
    def model(self): return {"mean": np.zeros(1, np.float32)}
    def load(self, source): return [float(source)]
    def validation(self, seat, seats): return [float(self.target)]
    def train(self, params, data, *, steps, loss_threshold, seed): raise NotImplementedError
    def gradient(self, params, data): return 0.0, {"mean": np.zeros(1)}
    def metric(self, params, data): return 0.0

class Half:
    name = "half"
    def __init__(self, settings, seed): pass
    def model(self): return {}

class Picky(Mean):
    def __init__(self, settings, seed): raise KeyError("depth")
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "mean.py"
    path.write_text(MEAN)
    return path


def test_load_task__built_in__needs_no_permission() -> None:
    assert isinstance(load_task("heart", {}, 1), Task)


def test_load_task__unknown_name__lists_what_there_is() -> None:
    with pytest.raises(FatalError, match="no task 'hart'; name fashion, heart"):
        load_task("hart", {}, 1)


def test_load_task__file_allowed_by_path__runs(copy: Path) -> None:
    task = load_task("mean.py:Mean", {"target": 3}, 1, task_digest=task_digest(copy), allowed=[str(copy)])
    assert task.name == "mean"
    assert list(task.validation(0, 1)) == [3.0]  # type: ignore[call-overload]


def test_load_task__file_allowed_by_digest__runs(copy: Path) -> None:
    digest = task_digest(copy)
    task = load_task("mean.py:Mean", {}, 1, task_digest="0x" + digest.upper(), task_file=copy, allowed=[digest])
    assert task.name == "mean"


def test_load_task__same_file_twice__same_class(copy: Path) -> None:
    first, second = (
        load_task("mean.py:Mean", {}, seed, task_digest=task_digest(copy), allowed=[str(copy)]) for seed in (1, 2)
    )
    assert type(first) is type(second)


@pytest.mark.parametrize("given", [True, False])
def test_load_task__file_not_allowed__is_not_run(copy: Path, tmp_path: Path, given: bool) -> None:
    copy.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(NotAllowed, match=r"mean.py.* is not on your allow-list; .*--allow"):
        load_task("mean.py:Mean", {}, 1, task_digest=task_digest(copy), task_file=copy if given else None)
    assert not (tmp_path / "ran").exists()


def test_load_task__other_bytes__says_both_digests_and_does_not_run(copy: Path, tmp_path: Path) -> None:
    job = task_digest(copy)
    copy.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(FatalError, match=f"differs from the job's, {job}: .* has SHA-256 {task_digest(copy)}"):
        load_task("mean.py:Mean", {}, 1, task_digest=job, allowed=[str(copy)])
    assert not (tmp_path / "ran").exists()


def test_load_task__one_copy_gone__takes_the_other(copy: Path, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.py")
    assert load_task("mean.py:Mean", {}, 1, task_digest=task_digest(copy), allowed=[gone, str(copy)]).name == "mean"
    with pytest.raises(FatalError, match="gone.py can't be read: No such file"):
        load_task("mean.py:Mean", {}, 1, task_digest=task_digest(copy), allowed=[gone])


def test_load_task__file_without_digest__is_refused(copy: Path) -> None:
    with pytest.raises(FatalError, match="without its SHA-256"):
        load_task("mean.py:Mean", {}, 1, allowed=[str(copy)])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mean.py:Gone", "has no class Gone"),
        ("mean.py:Half", "it has no load, validation, train, metric"),
        ("mean.py:Picky", "refused its settings"),
    ],
)
def test_load_task__unusable_class__says_why(copy: Path, name: str, reason: str) -> None:
    with pytest.raises(FatalError, match=reason):
        load_task(name, {}, 1, task_digest=task_digest(copy), allowed=[str(copy)])


@pytest.mark.parametrize("code", ["import nothing_like_it", "class :", "1 / 0", "import sys; sys.exit(0)"])
def test_load_task__file_that_fails__is_one_clear_error(copy: Path, code: str) -> None:
    copy.write_text(code)
    with pytest.raises(FatalError, match="does not run: "):
        load_task("mean.py:Mean", {}, 1, task_digest=task_digest(copy), allowed=[str(copy)])


def test_load_task__installed_module__only_when_allowed(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(copy.parent))
    with pytest.raises(NotAllowed, match="mean:Mean is not on your allow-list"):
        load_task("mean:Mean", {}, 1)
    assert load_task("mean:Mean", {}, 1, allowed=["mean"]).name == "mean"
    with pytest.raises(FatalError, match="differs from the job's"):
        load_task("mean:Mean", {}, 1, allowed=["mean"], task_digest="00" * 32)
    with pytest.raises(FatalError, match="other.place:Mean is not installed"):
        load_task("other.place:Mean", {}, 1, allowed=["other.place"])


def test_defaults__own_task__gets_the_common_ones(copy: Path) -> None:
    found = defaults("mean.py:Mean", task_digest=task_digest(copy), allowed=[str(copy)])
    assert (found["rounds"], found["steps"], found["bits"]) == (10, 100, 8)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("None", "failed while asking for its defaults(): TypeError"),
        ("{'rounds': 0}", "defaults(): setting rounds is 0; it must be an integer from 1 to"),
        ("{'steps': '9'}", "defaults(): setting steps is '9'"),
        ("{'settings': None}", "defaults(): setting settings is None; it must be a dict of values by name"),
        ("{'round': 4}", "Picky, defaults() has no setting round; it has settings, rounds, steps, bits, parties"),
        ("1 / 0", "failed while asking for its defaults(): ZeroDivisionError: division by zero"),
    ],
)
def test_defaults__that_no_job_can_have__are_one_clear_error(copy: Path, given: str, said: str) -> None:
    copy.write_text(f"{MEAN}\n    @staticmethod\n    def defaults(): return {given}\n")
    with pytest.raises(FatalError) as refused:
        defaults("mean.py:Picky", task_digest=task_digest(copy), allowed=[str(copy)])
    assert said in str(refused.value)


def test_import__tasks_and_heart__without_torch() -> None:
    code = (
        "import sys, hansa.tasks as t; t.load_task('heart', {}, 1).validation(0, 3); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Benchmarks run, small; what they measure is never asserted, what the simulator must keep to is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from hansa.devnet.processes import Worker, warm_up

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 600.0
INSTALL = "pip install --target build/bench scikit-learn"
SIMULATED = """
from benchmarks import payrules, riders, worlds
from benchmarks.simulate import Job, Player, play
from hansa.protocol.types import Code

world = worlds.heart(1)
honest = [Player(f"trainer {i}", rows) for i, rows in enumerate(world.rows)]
last = [Player("zero", None, riders.zero), Player("copier", None, riders.copier)]
job = Job(world, (*honest, *last), rounds=3, steps=50, seed=1)
first, again = play(job), play(job)
assert first.models[-1].encode() == again.models[-1].encode(), "same job, same model"
assert first.totals() == payrules.totals(first, "shipped"), "the shipped rule is the ledger's"
def verdicts(name):
    return {played.ledger.judgements[played.submitted.index(name)].code for played in first.rounds}
assert verdicts("zero") == {Code.ZERO} and verdicts("copier") == {Code.DUPLICATE}
assert first.totals()["zero"] == first.totals()["copier"] == 0
assert sum(first.totals().values()) <= len(first.rounds) * 10**18
"""

REMEMBERED = """
import numpy as np
from benchmarks import flowered, poison, worlds
from benchmarks.simulate import Job, play

world = worlds.heart(1)
plain, kept = (Job(w, poison.players(w, 1, "mimic"), 2, 5, 1) for w in (world, worlds.remembering(world)))
first = play(plain).models[-1].encode()
assert [play(kept).models[-1].encode() for _ in range(2)] == [first, first], "remembered training is the same"

class Flower:
    @staticmethod
    def aggregate(results):
        return [np.mean(layers, axis=0) for layers in zip(*(tensors for tensors, _ in results))]

flowered.offered = lambda module: Flower
mean = flowered.play(Job(world, poison.players(world, 0, None), 1, 5, 1), "Flower FedAvg", 0)
trained = [world.task.train(world.task.model(), rows, steps=5, loss_threshold=None, seed=1001000 + i).params
           for i, rows in enumerate(world.rows)]
for name, value in mean.items():
    assert np.allclose(value, np.mean([params[name] for params in trained], axis=0), atol=1e-6), name
"""


@dataclass(frozen=True)
class Done:
    """A script that has run; what it printed."""

    returncode: int | None
    printed: str


def run(script: str, *words: str) -> Done:
    """Runs a script in a process of its own, whose parent has imported torch."""
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        worker = Worker("script", play_script, (script, words), log)
        worker.start()
        assert worker.join(SECONDS)
        return Done(worker.exit_code, log.read_text())


def play_script(script: str, words: tuple[str, ...]) -> None:
    """From the root of the project: another package of this name may be installed."""
    os.chdir(ROOT)
    sys.argv = ["-c", *words]
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})


def test_simulator__same_job_same_model_and_the_ledgers_pay() -> None:
    done = run(SIMULATED)
    assert done.returncode == 0, done.printed


def test_attacks__remembered_training_and_the_peer__are_what_training_gives() -> None:
    done = run(REMEMBERED)
    assert done.returncode == 0, done.printed


SECAGG = """
from benchmarks import secagg
secagg.SMALL[:] = [(3, 1000)]
report = secagg.run(quick=True)
trainer, *steps, member, fetched = report.sections[0].rows
assert trainer[0] == "trainer" and member[0] == "member" and len(steps) == len(secagg.STEPS)
"""


def test_secagg__small__opens_exactly() -> None:
    done = run(SECAGG)
    assert done.returncode == 0, done.printed


CELLS = """
import sys
from pathlib import Path
from benchmarks.cells import Cells

file, asked = Path(sys.argv[1]), []
def work(name):
    return name, lambda: asked.append(name) or [len(asked)]
Cells(file).fill([work("a"), work("b")])
again = Cells(file)
again.fill([work("a"), work("b"), work("c")])
assert asked == ["a", "b", "c"] and again.found == {"a": [1.0], "b": [2.0], "c": [3.0]}
again.fill([work("d")], seconds=-1)
assert "d" not in again.found
with file.open("a") as out:
    out.write('["e", [1')
Cells(file)
"""


def test_cells__a_second_run__goes_on_and_a_torn_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cells"
    done = run(CELLS, str(file))
    assert f"line 4 of {file} is no result of a benchmark" in done.printed
    assert len(file.read_text().splitlines()) == 4


SMALL = """
import sys
from benchmarks import attacks, pay, quantisation
from benchmarks.__main__ import main

attacks.ROUNDS_STEPS["heart"] = 2, 5
pay.ROUNDS["heart"], pay.STEPS["heart"] = 2, 2
quantisation.ROUNDS["heart"], quantisation.STEPS["heart"] = 3, 5
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("name", ["quantisation", "attacks", "pay"])
def test_benchmark__quick_on_heart__shows_and_writes(name: str, tmp_path: Path) -> None:
    """The command as it is, over jobs of two rounds or three."""
    file = tmp_path / "report.json"
    small = ["--quick", "--tasks", "heart", "--seeds", "1", "--no-plot"]
    small += ["--rules", "validated_mean"] if name == "attacks" else []
    done = run(SMALL, name, *small, "--json", str(file))
    assert done.returncode == 0, done.printed
    report = json.loads(file.read_text())
    assert (report["benchmark"], report["quick"]) == (name, True)
    assert all(len(row) == len(section["columns"]) for section in report["sections"] for row in section["rows"])
    assert report["sections"][0]["title"][:20] in done.printed


def test_measure__a_small_model__shows_and_writes(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    size = ["--trainers", "2", "--parameters", "1000"]
    done = run(SMALL, "measure", "--quick", "--no-plot", *size, "--json", str(file))
    assert done.returncode == 0, done.printed
    section = json.loads(file.read_text())["sections"][0]
    assert "2 × 1,000 int8" in section["title"] and all(len(row) == 3 for row in section["rows"])


CLOCK = """
import time
from benchmarks.clocked import Clock

class Party:
    def outer(self):
        time.sleep(0.02)
        return self.inner()
    @classmethod
    def of(cls):
        return cls()
    def inner(self):
        time.sleep(0.05)
        return "done"

clock = Clock()
for step in ("outer", "inner", "of"):
    clock.watch(step, Party, step)
assert Party.of().outer() == "done"
took = {call.step: call.wall for call in clock.done}
assert list(took) == ["of", "inner", "outer"]
assert took["inner"] >= 0.05 and 0.02 <= took["outer"] and took["outer"] + took["inner"] >= 0.07
assert sum(took.values()) < 2, "the outer one's seconds are without the inner one's"
"""


def test_clock__a_step_within_another__is_counted_once() -> None:
    done = run(CLOCK)
    assert done.returncode == 0, done.printed


DIGITS = """
import numpy as np
from benchmarks import worlds
from benchmarks.simulate import Job, Player, play

world = worlds.digits(1, 6)
task = world.task
assert len(world.rows) == 6 and sum(map(len, world.rows)) + len(world.held) + len(world.test) == 1797
assert all(np.array_equal(a.inputs, b.inputs) for a, b in zip(world.rows, worlds.digits(1, 6).rows, strict=True))
for rows in (*world.rows, world.held, world.test):
    assert rows.inputs.shape[1:] == (64,) and rows.inputs.dtype == np.float32
    assert 0 <= rows.inputs.min() and rows.inputs.max() <= 1 and set(rows.labels) <= set(range(10))
counts = np.array([np.bincount(rows.labels, minlength=10) for rows in world.rows])
assert counts.max() > 3 * counts.mean(), "the parties see the digits in unequal parts"
job = Job(world, tuple(Player(f"trainer {i}", rows) for i, rows in enumerate(world.rows)), 3, 20, 1)
models = [model.tensors for model in play(job).models]
assert world.likelihood(models[-1]) > world.likelihood(models[0]) and world.metric(models[-1]) > 0.3
"""

NO_DIGITS = """
from benchmarks import digits, worlds
digits.offered = lambda module: None
worlds.digits(1, 6)
"""


def test_digits__a_world_of_the_benchmarks__is_dealt_out_and_learnt() -> None:
    if run("import sys\nfrom benchmarks.peers import offered\nsys.exit(not offered('sklearn'))").returncode:
        pytest.skip(f"the small digits come with scikit-learn, which is not installed: {INSTALL}")
    done = run(DIGITS)
    assert done.returncode == 0, done.printed


def test_digits__without_scikit_learn__say_what_to_install() -> None:
    done = run(NO_DIGITS)
    assert "which is not installed" in done.printed and "scikit-learn==" in done.printed


PAY_CELLS = """
import sys
from pathlib import Path
from benchmarks import pay

file = Path(sys.argv[1])
pay.ROUNDS["heart"], pay.STEPS["heart"] = 2, 2
def measured(seeds, cells):
    return pay.run(True, ["heart"], seeds, [3], cells).sections
fresh = measured(2, None)
measured(1, file)
first = file.read_text()
assert measured(2, file) == fresh, "a run that went on gives what one without a stop gives"
kept = file.read_text()
assert kept.startswith(first) and len(kept) > len(first)
def played_again(*_):
    raise AssertionError("measured twice")
pay.play = played_again
assert measured(2, file) == fresh and file.read_text() == kept
"""


def test_pay__a_second_run__goes_on_after_the_seeds_it_has(tmp_path: Path) -> None:
    done = run(PAY_CELLS, str(tmp_path / "cells"))
    assert done.returncode == 0, done.printed


def test_benchmark__unknown_name__is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks", "everything"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "everything" in done.stderr

"""Models of the recorded job, out of its archive."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import safetensors.numpy
from strangers_rows import STRANGERS
from typer.testing import CliRunner

from hansa.cli.main import app
from hansa.cli.model.predict import as_csv, predicted
from hansa.protocol.cid import digest_of, to_cid
from hansa.protocol.errors import FatalError, Malformed, NotFound, WrongBytes
from hansa.protocol.model import Model
from hansa.results.modules import load_model, task_of
from hansa.results.source import open_job
from hansa.runtime.workspace import Workspace
from hansa.sponsor.post import prepare

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = ROOT / "tests" / "vectors" / "job-1.hansa"
VIEW = json.loads((ROOT / "tests" / "vectors" / "view.json").read_text())
HEART = ROOT / "hansa" / "tasks" / "heart" / "heart.csv"
ROUNDS = 3


def run(words: str, directory: Path) -> Any:
    return CliRunner().invoke(app, ["model", *words.split(), "--dir", str(directory)])


def answer(words: str, directory: Path) -> Any:
    done = run(f"{words} --archive {ARCHIVE} --json", directory)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_list__has_every_model_of_the_job(tmp_path: Path) -> None:
    found = answer("list", tmp_path)
    assert [row["round"] for row in found["models"]] == list(range(ROUNDS + 1))
    metrics = [row["metric"] for row in found["models"]]
    assert metrics[0] is None and found["best"] == metrics.index(max(metrics[1:]))
    assert all(row["here"] for row in found["models"]) and found["task"] == "heart"


def test_get__writes_the_bytes_that_the_cid_names(tmp_path: Path) -> None:
    listed = answer("list", tmp_path)["models"]
    for round_ in range(ROUNDS + 1):
        out = tmp_path / f"model-{round_}"
        told = answer(f"get --round {round_} --out {out}", tmp_path)
        data = out.read_bytes()
        assert told["cid"] == listed[round_]["cid"] == to_cid(digest_of(data))
        assert Model.decode(data).round == told["round"] == round_ and told["bytes"] == len(data)


def test_round__is_the_last_or_the_best_or_a_number(tmp_path: Path) -> None:
    with open_job(Workspace(tmp_path), None, ARCHIVE) as job:
        metrics = [outcome.metric for outcome in job.rounds]
        assert (job.pick(None), job.pick("0"), job.pick("2")) == (ROUNDS, 0, 2)
        assert job.pick("best") == metrics.index(max(metrics)) + 1
        for wanted in ("4", "-1", "٣", "latest", "", "1e3", "9" * 5000):
            with pytest.raises(FatalError, match="round"):
                job.pick(wanted)


def test_safetensors__is_read_by_the_reference_reader(tmp_path: Path) -> None:
    out = tmp_path / "heart.safetensors"
    told = answer(f"export --out {out}", tmp_path)
    with open_job(Workspace(tmp_path), 1, ARCHIVE) as job:
        model = job.model(job.pick(None))
    found = safetensors.numpy.load_file(out)
    assert found.keys() == model.tensors.keys()
    assert all((found[name] == tensor).all() for name, tensor in model.tensors.items())
    with safetensors.safe_open(out, "np") as file:
        labels = file.metadata()
    assert labels["cid"] == told["cid"] and float(labels["metric"]) == told["metric"]
    assert (labels["job"], labels["round"], labels["task"], labels["format"]) == ("1", str(ROUNDS), "heart", "pt")


def test_predict__says_what_the_model_thinks_of_each_patient(tmp_path: Path) -> None:
    lines = list(csv.reader(HEART.read_text().splitlines()))
    disease = lines[0].index("disease")
    new = tmp_path / "new.csv"
    with new.open("w", newline="") as file:
        csv.writer(file).writerows([[cell for at, cell in enumerate(line) if at != disease] for line in lines[:101]])
    rows = list(csv.DictReader(run(f"predict --input {new} --archive {ARCHIVE}", tmp_path).stdout.splitlines()))
    truth = [line[disease] == "1" for line in lines[1:101]]
    right = [(float(row["disease"]) > 0.5) == ill for row, ill in zip(rows, truth, strict=True)]
    assert sum(right) > 65, "of a hundred"
    assert answer(f"predict --input {new}", tmp_path)["rows"] == [{"disease": float(row["disease"])} for row in rows]
    out = tmp_path / "said.csv"
    assert run(f"predict --input {new} --archive {ARCHIVE} --out {out}", tmp_path).exit_code == 0
    assert list(csv.DictReader(out.open())) == rows


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("get --round 4", "job 1 has no finalised round 4: 3 are; name 0 to 3, or best"),
        ("get --round first", "'first' is no round"),
        ("get 2", "is of job 1, not of job 2"),
        ("export --format pt", "job 1 can't give a file of pt: its task heart is no ModuleTask"),
        ("export --format onnx", "job 1 can't give a file of onnx: its task heart is no ModuleTask"),
        ("export --out model.h5", "model.h5 ends with .h5, which is none of .safetensors, .pt, .onnx"),
        ("export --out nowhere/model.pt", "nowhere/model.pt can't be written: there is no folder nowhere"),
        ("get --out .", "it is no plain file"),
        ("get --out taken", "taken is there already"),
        (f"get --out {'x' * 300}", "x can't be written: File name too long"),
        ("predict", "no input is named"),
        ("predict --input gone.csv", "gone.csv can't be read"),
        ("predict --input taken", "taken, line 1: no column age"),
        ("predict --input {header}", "header.csv has no rows; name a file that has at least one"),
    ],
)
def test_what_can_not_be__is_one_sentence(
    words: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("mine\n")
    header = tmp_path.with_name(f"{tmp_path.name}-header.csv")
    header.write_text(HEART.read_text().splitlines()[0] + "\n")
    done = run(f"{words.format(header=header)} --archive {ARCHIVE}", tmp_path)
    assert (done.exit_code, done.stdout) == (1, "") and said in done.stderr and done.stderr.count("\n") == 1
    assert (tmp_path / "taken").read_text() == "mine\n" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("words", ["get --out {read}", "export --out {read}", "predict --input {rows} --out {rows}"])
def test_force__never_writes_over_what_the_command_reads(words: str, tmp_path: Path) -> None:
    read, rows = tmp_path / "job.safetensors", tmp_path / "rows.csv"
    shutil.copy(ARCHIVE, read)
    shutil.copy(HEART, rows)
    done = run(f"{words.format(read=read, rows=rows)} --force --archive {read}", tmp_path)
    assert done.exit_code == 1 and "is named twice; name another file" in done.stderr
    assert read.read_bytes() == ARCHIVE.read_bytes() and rows.read_bytes() == HEART.read_bytes()


def test_link_that_leads_nowhere__is_there_already(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone" / "model")
    done = run(f"get --out {link} --archive {ARCHIVE}", tmp_path)
    assert "link is there already" in done.stderr and link.is_symlink()


def test_force__overwrites(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("old")
    assert answer(f"get --force --out {taken}", tmp_path)["bytes"] == len(taken.read_bytes()) > 3


@pytest.mark.parametrize(
    ("raised", "cause"),
    [(NotFound("Qm… is nowhere"), "Qm… is nowhere"), (WrongBytes("other bytes"), "other bytes"), (Malformed("x"), "x")],
)
def test_model__that_the_store_has_not_got__says_which_and_where_to_look(
    raised: Exception, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> bytes:
        raise raised

    with open_job(Workspace(tmp_path), 1, ARCHIVE) as job:
        monkeypatch.setattr(job.store, "get", fail)
        with pytest.raises(FatalError, match=f"^model 2 of job 1 can't be read: .*{cause}; .* with --archive$") as said:
            job.model(job.pick("2"))
    assert said.value.exit_code == 1


def test_list__a_best_model_that_is_not_here__is_told_and_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.audit.archive.Archive.has", lambda *_: False)
    done = run(f"list --archive {ARCHIVE}", tmp_path).stdout
    assert "best, not here" in done and "hansa model get" not in done


def test_predictions__of_any_form__are_cells_that_no_spreadsheet_runs() -> None:
    rows = predicted("made", [{"name": "=1+1", "value": -0.5}, {"name": "-", "value": 2}])
    assert as_csv(rows) == "name,value\n\\u{3d}1+1,-0.5\n\\u{2d},2\n"
    assert as_csv(predicted("made", np.array([[1.0, 2.0]]))) == "prediction 1,prediction 2\n1.0,2.0\n"
    assert as_csv(predicted("made", ["a", None])) == 'prediction\na\n""\n'
    for said in ("text", {"a": 1}, 3):
        with pytest.raises(FatalError, match="return a list"):
            predicted("made", said)


def test_spoilt_archive__gives_no_model(tmp_path: Path) -> None:
    data = bytearray(ARCHIVE.read_bytes())
    with open_job(Workspace(tmp_path), 1, ARCHIVE) as job:
        at = data.index(job.model(job.pick("2")).encode()[-40:])
    data[at] ^= 1
    spoilt = tmp_path / "spoilt.hansa"
    spoilt.write_bytes(data)
    done = run(f"get --archive {spoilt} --out {tmp_path / 'model'}", tmp_path)
    assert done.exit_code == 1 and "is not as it must be, so no model is taken from it" in done.stderr
    assert not (tmp_path / "model").exists()


def test_without_a_chain__the_archive_that_a_demo_left_is_found(tmp_path: Path) -> None:
    assert "no deployment.json" in run("list 1", tmp_path).stderr
    assert "no job is named" in run("list", tmp_path).stderr
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "job-1.hansa").write_bytes(ARCHIVE.read_bytes())
    done = run("list 1", tmp_path)
    assert done.exit_code == 0 and "job-1.hansa, since no chain answers" in done.stdout
    assert "no deployment.json" in run("list 2", tmp_path).stderr


def test_load_model__of_a_task_without_a_module__is_refused(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="is no ModuleTask"):
        load_model(1, dir=tmp_path, archive=ARCHIVE)


def test_list__tells_what_the_page_tells(tmp_path: Path) -> None:
    found = answer("list", tmp_path)["models"]
    assert found[-1]["cid"] in json.dumps(VIEW)


def test_own_copy__of_several_classes__is_asked_for_the_jobs(tmp_path: Path) -> None:
    file = tmp_path / "two.py"
    other = "\n\nclass Other(ModuleTask):\n    def module(self): ...\n"
    file.write_text((STRANGERS / "quarters.py").read_text() + other)
    job = cast("Any", SimpleNamespace(spec=prepare(f"{file}:Quarters", seed=0).spec, allowed_tasks=()))
    assert task_of(job, file).name == task_of(job, f"{file}:Quarters").name == "quarters"

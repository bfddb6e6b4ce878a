"""Errors: one root, one sentence."""

from __future__ import annotations

import inspect

import pytest

from hansa.protocol import errors
from hansa.protocol.errors import FatalError, HansaError, Malformed, NotFound, TooLarge, TransientError

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error__is_hansas_and_either_transient_or_fatal(kind: type[HansaError]) -> None:
    assert issubclass(kind, HansaError)
    if kind is not HansaError:
        assert issubclass(kind, TransientError) != issubclass(kind, FatalError)


def test_str__all_parts__is_one_sentence() -> None:
    error = NotFound("model Qm1", cause=OSError("no\nroute "), next_step="start the store.")
    assert str(error) == "model Qm1: no route; start the store"


def test_str__silent_cause__names_its_type() -> None:
    assert str(Malformed("spec", cause=RecursionError())) == "spec: RecursionError"


def test_too_large__is_malformed_and_keeps_its_data() -> None:
    error = TooLarge("update", cause="9 bytes", exit_code=3)
    assert isinstance(error, Malformed)
    assert (error.message, error.cause, error.next_step, error.exit_code) == ("update", "9 bytes", None, 3)

"""Headers and receipts of strangers: only what Ethereum would write is read, and in time that grows with its length."""

from __future__ import annotations

import time

import pytest
import rlp

from hansa.audit.ethereum import read_header, read_logs

LOG = [b"\x11" * 20, [b"\x22" * 32, b"\x33" * 32], b"data"]


def receipt(logs: list[object]) -> bytes:
    return rlp.encode([b"\x01", b"\x52\x08", bytes(256), logs], infer_serializer=False)


def test_logs__of_plain_and_typed_receipts__are_numbered_through_the_block() -> None:
    found = read_logs(7, [receipt([LOG]), b"\x02" + receipt([LOG, LOG])])
    assert [(log.block, log.index, log.address) for log in found] == [(7, i, "0x" + "11" * 20) for i in range(3)]
    assert found[0].topics == (b"\x22" * 32, b"\x33" * 32) and found[0].data == b"data"


LONG_FORM = rlp.encode([b"\x01", b"\x52\x08", bytes(256), []], infer_serializer=False)
WRONG = {
    "nothing": b"",
    "no list": rlp.encode(b"text"),
    "cut short": receipt([LOG])[:-1],
    "longer": receipt([LOG]) + b"\0",
    "a byte as a string": LONG_FORM.replace(b"\x01\x82\x52\x08", b"\x81\x01\x82\x52\x08"),
    "a length with zeros": b"\xfa\x00" + LONG_FORM[1:],
    "an inner list past the outer's end": LONG_FORM[:-1] + b"\xc1",
    "lists within lists": b"\xc1" * 40 + b"\xc0",
    "lists within lists, thousands": rlp.encode([b"", b"", b"", []]) + b"\xf9\xff\xff" * 20_000,
    "a short address": receipt([[b"\x11" * 19, [], b""]]),
    "a short topic": receipt([[b"\x11" * 20, [b"\x22"], b""]]),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_receipt__that_nobody_would_write__is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_logs(1, [data])
    with pytest.raises(ValueError):
        read_header(data)


def test_receipt__of_many_events__takes_time_in_proportion() -> None:
    few, many = receipt([LOG] * 1000), receipt([LOG] * 20_000)
    spent = []
    for data in (few, many):
        start = time.process_time()
        read_logs(1, [data])
        spent.append(time.process_time() - start)
    assert spent[1] < 80 * spent[0] + 0.5, "twenty times as many take about twenty times as long"

"""Faults that fuzzing found, one test each: memory that an input of some size takes, or leaves taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hansa.protocol.errors import FatalError
from hansa.runtime.chain import words
from hansa.runtime.chain.abi import encode
from hansa.runtime.chain.words import Unusual, decode_words
from hansa.tasks.loading import name_task
from hansa.tasks.naming import MOST_SEARCHED

MOST = 64 * 1024  # KiB

MEASURED = """
import resource
from pathlib import Path
from hansa.protocol.errors import FatalError
from hansa.runtime.chain.node_errors import Nonsense
from hansa.runtime.chain.rpc import octets
from hansa.tasks.loading import name_task
{before}
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    {act}
except (FatalError, Nonsense):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)
"""


def grown(before: str, act: str) -> int:
    """KiB by which a process of its own grows, at the most, while it does something."""
    command = [sys.executable, "-c", MEASURED.format(before=before, act=act)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("end", ["", "0", "x"])
def test_bytes_of_a_node__take_a_few_times_their_size(end: str) -> None:
    assert grown(f"text = '0x' + '7b' * 2**20 + '{end}'", "octets(text, 'stateAt')") < 16 * 1024


def test_arrays_of_different_lengths__leave_nothing_behind() -> None:
    kept = [value for value in vars(words).values() if hasattr(value, "cache_info")]
    decode_words(["uint256[]"], encode(["uint256[]"], [[1]]))
    before = [each.cache_info().currsize for each in kept]
    for count in range(40):
        values = list(range(count))
        assert decode_words(["uint256[]"], encode(["uint256[]"], [values])) == (tuple(values),)
    with pytest.raises(Unusual):
        decode_words(["uint256[]", "string"], b"")
    assert sum(each.cache_info().currsize for each in kept) <= sum(before) + 5  # a type, and the types in it


@pytest.mark.parametrize("text, end", [("a,", ""), ("a,", "?"), ("a,\n", "?"), ("a;", "?"), ("a\n", "?")])
def test_task_file__of_many_small_parts__takes_no_more_than_any(tmp_path: Path, text: str, end: str) -> None:
    path = tmp_path / "task.py"
    for size in (MOST_SEARCHED, 200_000):
        path.write_text((text * size)[: size - len(end)] + end)
        assert grown("import ast", f"name_task({str(path)!r})") < MOST


def test_task_file__that_is_large__is_asked_for_its_class(tmp_path: Path) -> None:
    path = tmp_path / "task.py"
    path.write_text("class A:\n    def train(self): ...\n".ljust(MOST_SEARCHED, "#"))
    assert name_task(str(path))[0] == "task.py:A"
    path.write_text(path.read_text() + "#")
    with pytest.raises(FatalError, match=r"task\.py .*name its class: --task .*task\.py:Class"):
        name_task(str(path))
    assert name_task(f"{path}:A")[0] == "task.py:A"

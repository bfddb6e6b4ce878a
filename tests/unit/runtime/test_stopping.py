"""What ends a process that is told to end, whatever it does just then. Each case is a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.runtime import stopping

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 10.0  # for what takes less than two
BEGIN = "from hansa.runtime import stopping\nstopping.listen()\nimport time, threading\n"
READY = "print('ready', flush=True)\n"
SLEEPS = READY + "time.sleep(600)\n"
COMPUTES_IN_C = """
import hashlib
try:
    print('ready', flush=True)
    hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)
except stopping.Stopped as stopped:  # it came before the computing began
    stopping.leave(stopping.say(stopped))
"""
SWALLOWS = """
class Swallows:
    def __del__(self):
        print('ready', flush=True)
        time.sleep(600)
Swallows()
try:
    stopping.check()
    print('sent', flush=True)
except stopping.Stopped as stopped:
    stopping.leave(stopping.say(stopped))
"""
CLEANS_UP = "try:\n    print('ready', flush=True)\n    time.sleep(600)\nfinally:\n    time.sleep(600)\n"
HAS_A_THREAD = """
threading.Thread(target=time.sleep, args=[600]).start()
try:
    print('ready', flush=True)
    time.sleep(600)
except stopping.Stopped as stopped:
    stopping.leave(stopping.say(stopped))
"""


def ended(script: str, number: signal.Signals, times: int = 1) -> tuple[int, str, str]:
    """Exit status, and what it printed after it was ready, of a script that is sent a signal then."""
    command = [sys.executable, "-c", BEGIN + script]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            for _ in range(times):
                process.send_signal(number)
            output, errors = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    return process.returncode, output, errors


@pytest.mark.parametrize("script", [COMPUTES_IN_C, CLEANS_UP, HAS_A_THREAD, SWALLOWS])
def test_signal__ends_a_process__wherever_it_is(script: str) -> None:
    status, output, errors = ended(script, signal.SIGTERM)
    assert (status, output) == (143, ""), errors
    assert "hansa: stopped by SIGTERM\n" in errors


@pytest.mark.parametrize("times", [1, 2, 5])
def test_signal__that_comes_again__ends_it_too(times: int) -> None:
    status, _, errors = ended(CLEANS_UP, signal.SIGINT, times)
    assert (status, errors) == (130, "hansa: stopped by SIGINT\n")


def test_signal__that_is_the_usual_end__is_no_failure() -> None:
    assert ended("stopping.ends_well()\n" + CLEANS_UP, signal.SIGTERM)[0] == 0


def test_signal__during_a_sleep__raises_there() -> None:
    status, _, errors = ended(SLEEPS, signal.SIGTERM)
    assert status == 1 and errors.endswith("hansa.runtime.stopping.Stopped: stopped by SIGTERM\n")


def test_last_words__that_nobody_reads__hold_nothing_up() -> None:
    stuck = "stopping._ending.tell = lambda said: time.sleep(600)\n"
    assert ended(stuck + CLEANS_UP, signal.SIGTERM)[0] == 143


def test_listening__gives_the_signals_back() -> None:
    before = [signal.getsignal(number) for number in stopping.SIGNALS]
    with pytest.raises(stopping.Stopped) as stopped, stopping.listening():
        signal.raise_signal(signal.SIGTERM)
    assert stopped.value.status == 143
    assert [signal.getsignal(number) for number in stopping.SIGNALS] == before
    stopping.check()

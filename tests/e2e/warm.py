"""`hansa` commands for tests that start many: forked from a process that has imported torch and every command, where
`python -m hansa.cli.main` would spend most of its time on imports.

    python -S -E warm.py SOCKET WORD…

is run instead of it. It stands for the command: the same folder, environment, streams and exit code; SIGTERM and SIGINT
are passed on, and the command is killed when it is.
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading

SIZE = 8  # bytes of a number on the line


def ask(address: str, words: list[str]) -> int:
    """Has a command run; its exit code, negative for a signal."""
    passed_on = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        asked = json.dumps({"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
        socket.send_fds(line, [_bytes(len(asked))], [0, 1, 2])
        line.sendall(asked)
        pid = _number(line)
        for number in passed_on:
            signal.signal(number, lambda number, _: os.kill(pid, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
        return _number(line)


def end(code: int) -> None:
    """Ends this process as the command ended."""
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def serve(door: socket.socket) -> list[str]:
    """Returns in the process of each command, with its words; ends when standard input does."""
    children = 0
    while True:
        while children and os.waitpid(-1, os.WNOHANG)[0]:
            children -= 1
        ready, _, _ = select.select([door, 0], [], [])
        if 0 in ready:
            os._exit(0)
        line, _ = door.accept()
        if os.fork() == 0:
            door.close()
            return _begin(line)
        line.close()
        children += 1


def _begin(line: socket.socket) -> list[str]:
    """Forks once more: the child returns, as the command, the parent tells the other side of it."""
    size, streams, _, _ = socket.recv_fds(line, SIZE, 3)
    asked = json.loads(_read(line, int.from_bytes(size, "big", signed=True)))
    pid = os.fork()
    if pid == 0:
        line.close()
        for place, stream in enumerate(streams):
            os.dup2(stream, place)
            os.close(stream)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.path.insert(0, asked["folder"])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        words: list[str] = asked["words"]
        return words
    for stream in (0, 1, 2, *streams):
        os.close(stream)
    line.sendall(_bytes(pid))
    ended = os.pidfd_open(pid)
    ready, _, _ = select.select([ended, line], [], [])
    if ended not in ready:  # the other side is gone
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    try:
        line.sendall(_bytes(os.waitstatus_to_exitcode(status)))
    finally:
        os._exit(0)


def _bytes(number: int) -> bytes:
    return number.to_bytes(SIZE, "big", signed=True)


def _number(line: socket.socket) -> int:
    return int.from_bytes(_read(line, SIZE), "big", signed=True)


def _read(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            raise EOFError("the warm process is gone")
        data += part
    return data


def main() -> None:
    """In the warm process: imports, then serves; returns never but as a command that has run."""
    from hansa.cli.main import COMMANDS, module_of
    from hansa.cli.main import main as run
    from hansa.devnet.processes import PRELOAD

    for name in (*PRELOAD, *(module_of(words.split()) for words in COMMANDS)):
        importlib.import_module(name)
    gc.freeze()  # or each command's first collection would copy all of it
    sys.argv = ["hansa", *serve(socket.socket(fileno=int(sys.argv[2])))]
    code: object = 0
    try:
        run()
    except SystemExit as ended:
        code = ended.code
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))  # taking all modules down would take as long


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        main()
    else:
        end(ask(sys.argv[1], sys.argv[2:]))

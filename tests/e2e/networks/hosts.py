"""Hosts: Linux network namespaces, an address each, joined by a bridge whose links can be cut, slowed and healed."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

CLONE_NEWNET = 0x40000000
NET = "10.99.0"

T = TypeVar("T")


def refused() -> str | None:
    """Why no namespace can be made here; None where one can."""
    if shutil.which("ip") is None:
        return "ip (iproute2) is not installed"
    name = f"hansa-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return None


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Host:
    """One machine: a namespace, a folder, processes, a link to the bridge."""

    def __init__(self, lan: Lan, name: str, number: int) -> None:
        self.name, self.address = name, f"{NET}.{number}"
        self.folder = lan.folder / name
        self.folder.mkdir()
        self._space, self._switch, self._port = f"{lan.prefix}-{name}", lan.switch, f"p{number}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        lan.spaces.append(self._space)
        ip("netns", "add", self._space)
        end = ("type", "veth", "peer", "name", "eth0", "netns", self._space)
        ip("-n", self._switch, "link", "add", self._port, *end)
        ip("-n", self._switch, "link", "set", self._port, "master", "bridge", "up")
        ip("-n", self._space, "address", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", self._space, "link", "set", device, "up")

    # --- its link

    def cut(self) -> None:
        ip("-n", self._switch, "link", "set", self._port, "down")

    def heal(self) -> None:
        ip("-n", self._switch, "link", "set", self._port, "up")

    def slow(self, rate: str) -> bool:
        """Lets it receive no more than, say, 400kbit a second; False where the kernel has no such queue."""
        words = ["tc", "qdisc", "replace", "dev", self._port, "root", "tbf", "rate", rate, "burst", "16kb"]
        command = ["ip", "netns", "exec", self._switch, *words, "latency", "1s"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def full_speed(self) -> None:
        command = ["ip", "netns", "exec", self._switch, "tc", "qdisc", "del", "dev", self._port, "root"]
        subprocess.run(command, capture_output=True, check=False)

    # --- its processes

    def run(self, words: Sequence[str], *, env: Mapping[str, str] | None = None, given: str | None = None) -> str:
        """What a command prints that must end well."""
        done = subprocess.run(
            self._inside(words),
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            input=given,
            check=False,
        )
        assert done.returncode == 0, f"{self.name}: {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str, words: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """A process that goes on; what it says is in NAME.log."""
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._inside(words),
                cwd=self.folder,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self.processes[name].kill()
        self.processes[name].wait()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def inside(self, action: Callable[[], T]) -> T:
        """Does it in a thread whose sockets, and those of threads it starts, are this host's."""
        found: list[T] = []
        failed: list[BaseException] = []

        def enter_and_do() -> None:
            try:
                with open(f"/run/netns/{self._space}") as space:
                    if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                found.append(action())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=enter_and_do)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return found[0]

    def _inside(self, words: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self._space, *words]


class Lan:
    """The bridge, in a namespace of its own, and the hosts on it; nothing of them is in the machine's own network.

    The folder has a short name: a socket's path has a hundred letters.
    """

    def __init__(self, *names: str) -> None:
        self.prefix = f"hansa-{os.getpid()}"
        self.switch = f"{self.prefix}-switch"
        self.folder = Path(tempfile.mkdtemp(prefix="hansa-lan-"))
        self.spaces = [self.switch]
        self._names = names
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> Lan:
        try:
            ip("netns", "add", self.switch)
            ip("-n", self.switch, "link", "add", "bridge", "type", "bridge")
            ip("-n", self.switch, "link", "set", "bridge", "up")
            for number, name in enumerate(self._names, 1):
                self.hosts[name] = Host(self, name, number)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in self.hosts.values():
            host.stop()
        for space in self.spaces:
            subprocess.run(["ip", "netns", "delete", space], capture_output=True, check=False)
        if kind is None:
            shutil.rmtree(self.folder)
        else:
            print(f"what the hosts said is kept in {self.folder}")

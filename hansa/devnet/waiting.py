"""Waiting for a federation to get somewhere, with a limit, and with an eye on its daemons."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from hansa.devnet.anvil import Anvil
from hansa.devnet.processes import Worker
from hansa.protocol.errors import FatalError, TransientError
from hansa.runtime.chain.structs import JobState
from hansa.runtime.workspace import Workspace

LOOK = 0.05  # seconds between two looks at the chain


class Waiting:
    """The half of a `LocalFederation` that looks on."""

    anvil: Anvil
    workspace: Workspace
    workers: dict[str, Worker]

    def state(self) -> JobState:
        """The job at the newest block."""
        raise NotImplementedError

    def wait_until(
        self,
        condition: Callable[[], bool],
        timeout: float,
        what: str,
        *,
        watch: list[str] | None = None,
        every: float = LOOK,
    ) -> None:
        """Returns when `condition` holds. FatalError after `timeout`, or when the chain or one of `watch` ended."""
        deadline = time.monotonic() + timeout
        while True:
            with contextlib.suppress(TransientError):
                if condition():
                    return
            self.check_chain()
            for name in watch or []:
                self._check_alive(name)
            if time.monotonic() > deadline:
                raise FatalError(
                    f"waited {timeout:.0f} s for {what} in vain", next_step=f"look into {self.workspace.dir / 'logs'}"
                )
            time.sleep(every)

    def check_chain(self) -> None:
        """FatalError when the chain has ended: nothing will happen any more."""
        if hasattr(self, "anvil") and (code := self.anvil.process.poll()) is not None:
            raise FatalError(
                f"the chain ended with code {code}",
                cause="somebody stopped anvil, or it failed",
                next_step=f"look into {self.workspace.dir / 'anvil.log'}, and start again",
            )

    def have_ended(self, kind: str) -> bool:
        """Whether every daemon of a kind was started and has ended."""
        its = [worker for name, worker in self.workers.items() if name.startswith(kind)]
        return all(worker.starts and not worker.alive for worker in its)

    def _check_alive(self, name: str) -> None:
        worker = self.workers[name]
        if worker.starts and not worker.alive and worker.exit_code not in (0, -9, -15):
            raise FatalError(f"{name} ended with code {worker.exit_code}", cause=worker.last_words())

    def wait_for_end(self, timeout: float = 600.0) -> JobState:
        """The job's last state."""
        self.wait_until(lambda: self.state().phase.is_over, timeout, "the job's end")
        return self.state()

    def wait_for_exit(self, timeout: float = 60.0) -> list[str]:
        """Waits until the daemons have claimed and ended; the names of those that have not."""
        deadline = time.monotonic() + timeout
        while (
            alive := [name for name, worker in self.workers.items() if worker.alive]
        ) and time.monotonic() < deadline:
            self.check_chain()
            time.sleep(LOOK)
        return alive

"""How each kind of fault begins and ends."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Final

from benchmarks.chaos.daemon import set_clock
from benchmarks.chaos.lab import ChaosFederation
from benchmarks.chaos.plan import (
    CLOCK,
    DEAD,
    DISK,
    FEES,
    KILL,
    KILL_AT,
    NODES,
    POWER,
    REORGANISATION,
    STORE_CORRUPTS,
    STORE_DELAYS,
    STORE_KILLED,
    STORE_LOSES,
    Fault,
)
from hansa.devnet.anvil import rpc

SPIKE: Final = 500 * 10**9  # wei a unit of gas
USUAL: Final = 10**9
POOL_SECONDS: Final = 1.0  # that a transaction may wait in anvil's pool, which mines each at once
LOOK: Final = 0.005  # seconds between two looks at it
UNLIMITED: Final = resource.RLIM_INFINITY

Step = Callable[[ChaosFederation, Fault], bool]
"""Begins or ends a fault; whether it did anything."""


def begin(lab: ChaosFederation, fault: Fault) -> bool:
    """False where it has nothing to happen to: a daemon that has ended, a chain that is shorter."""
    return BEGIN["node" if fault.kind in NODES else fault.kind](lab, fault)


def end(lab: ChaosFederation, fault: Fault) -> bool:
    """Whether it did anything, as far as that can be told: a node that was asked nothing told no lie."""
    step = END.get("node" if fault.kind in NODES else fault.kind)
    return step is None or step(lab, fault)


def _kill(lab: ChaosFederation, fault: Fault) -> bool:
    is_there = lab.workers[fault.target].alive
    lab.kill(fault.target)
    return is_there


def _cut_power(lab: ChaosFederation, fault: Fault) -> bool:
    """Everybody dies at once."""
    living = [worker for worker in lab.workers.values() if worker.alive]
    for worker in living:
        worker.kill()
    return bool(living)


def _sentence(lab: ChaosFederation, fault: Fault) -> bool:
    """It is for itself to find the place; one that has ended would find it when it is started again, unseen."""
    is_there = lab.workers[fault.target].alive
    if is_there:
        lab.control(fault.target).with_suffix(".die").write_text(fault.detail)
    return is_there


def _reprieve(lab: ChaosFederation, fault: Fault) -> bool:
    """Whether it has died there."""
    file = lab.control(fault.target).with_suffix(".die")
    met = not file.exists()
    file.unlink(missing_ok=True)
    return met


def _reorganise(lab: ChaosFederation, fault: Fault) -> bool:
    with lab.ground.nodes.still():
        _wait_for_pool(lab.anvil.url)
        depth = min(int(fault.detail), lab.session.chain.latest().number - lab.first - 1)
        if depth < 1:
            return False
        rpc(lab.anvil.url, "anvil_reorg", depth, [])
    return True


def _wait_for_pool(url: str) -> None:
    """Until all that was sent is in a block, but for what the present fees keep out."""
    end = time.monotonic() + POOL_SECONDS
    while int(rpc(url, "txpool_status")["pending"], 16) and time.monotonic() < end:
        time.sleep(LOOK)


def _raise_fees(lab: ChaosFederation, fault: Fault) -> bool:
    rpc(lab.anvil.url, "anvil_setNextBlockBaseFeePerGas", hex(SPIKE))
    return True


def _lower_fees(lab: ChaosFederation, fault: Fault) -> bool:
    rpc(lab.anvil.url, "anvil_setNextBlockBaseFeePerGas", hex(USUAL))
    return True


def _wrong_clock(lab: ChaosFederation, fault: Fault) -> bool:
    set_clock(lab.control(fault.target).with_suffix(".clock"), float(fault.detail))
    return lab.workers[fault.target].alive


def _right_clock(lab: ChaosFederation, fault: Fault) -> bool:
    set_clock(lab.control(fault.target).with_suffix(".clock"), 0.0)
    return True


def _limit(size: int) -> Step:
    def set_limit(lab: ChaosFederation, fault: Fault) -> bool:
        """Of any file of a daemon's process."""
        worker = lab.workers[fault.target]
        try:
            resource.prlimit(worker.pid or -1, resource.RLIMIT_FSIZE, (size, UNLIMITED))
        except OSError:  # it has ended
            return False
        return worker.alive

    return set_limit


def _lie(lab: ChaosFederation, fault: Fault) -> bool:
    lab.ground.nodes.lie(fault.target, fault.kind.partition(" ")[2], lab.session.chain.latest().number)
    return True


def _be_honest(lab: ChaosFederation, fault: Fault) -> bool:
    return lab.ground.nodes.be_honest(fault.target) > 0


def _kill_store(lab: ChaosFederation, fault: Fault) -> bool:
    lab.ground.store.kill()
    return True


def _start_store(lab: ChaosFederation, fault: Fault) -> bool:
    lab.ground.store.start()
    return True


def _spoil_store(what: str) -> Step:
    def spoil(lab: ChaosFederation, fault: Fault) -> bool:
        stores = lab.ground.stores
        stores.fault, stores.met = what, 0
        return True

    return spoil


def _mend_store(lab: ChaosFederation, fault: Fault) -> bool:
    lab.ground.stores.fault = ""
    return lab.ground.stores.met > 0


BEGIN: Final[dict[str, Step]] = {
    KILL: _kill,
    DEAD: _kill,
    POWER: _cut_power,
    KILL_AT: _sentence,
    REORGANISATION: _reorganise,
    FEES: _raise_fees,
    CLOCK: _wrong_clock,
    DISK: _limit(0),
    "node": _lie,
    STORE_KILLED: _kill_store,
    STORE_LOSES: _spoil_store("loses"),
    STORE_CORRUPTS: _spoil_store("corrupts"),
    STORE_DELAYS: _spoil_store("delays"),
}
END: Final[dict[str, Step]] = {
    KILL_AT: _reprieve,
    FEES: _lower_fees,
    CLOCK: _right_clock,
    DISK: _limit(UNLIMITED),
    "node": _be_honest,
    STORE_KILLED: _start_store,
    STORE_LOSES: _mend_store,
    STORE_CORRUPTS: _mend_store,
    STORE_DELAYS: _mend_store,
}

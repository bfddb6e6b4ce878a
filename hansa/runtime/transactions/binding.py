"""A journal belongs to one chain and account: nothing signed for another is ever broadcast."""

from __future__ import annotations

from hansa.protocol.errors import WrongChain
from hansa.protocol.types import Address
from hansa.runtime.chain.client import Chain
from hansa.runtime.journal import Journal

GENESIS_LOOKS, GENESIS_PAUSE = 3, 0.5  # before a chain counts as another one; seconds


def bind(journal: Journal, chain: Chain, account: Address) -> None:
    """Notes whose journal it is, at first; WrongChain where it is of another chain or account."""
    here = {"chain": chain.chain_id, "genesis": chain.genesis(), "account": account}
    known = journal.remember(("bound to",), lambda: here)
    for _ in range(GENESIS_LOOKS * len(chain.rpc.endpoints) - 1):
        if known["genesis"] == here["genesis"]:
            break
        chain.distrust()
        chain.rpc.pause(GENESIS_PAUSE)
        here["genesis"] = chain.genesis()
    if known != here:
        other = "account" if known["account"] != here["account"] else "chain"
        raise WrongChain(
            f"journal {journal.path} belongs to another {other}",
            cause="the chain was reset" if other == "chain" else f"it is that of {known['account']}",
            next_step=f"move {journal.path}* away, or name another directory",
        )

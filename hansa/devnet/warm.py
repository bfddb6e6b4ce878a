"""Imported last by the warm process: what each daemon would otherwise do once more, and a heap that all of them share.

Nothing that is here by now is anybody's garbage: a collection in a forked daemon passes it over, so its pages stay
shared.
"""

from __future__ import annotations

import gc
import importlib

from eth_account import Account

from hansa.protocol import envelope
from hansa.runtime.chain.abi import artifact

for name in ("numpy.random", "numpy.ma", "encodings.idna", "websockets.sync.client"):
    importlib.import_module(name)
for name in ("Federation", "Vault", "RewardToken", "ICommittee"):
    artifact(name)
Account.from_key(b"\1" * 32).sign_transaction({"nonce": 0, "gas": 21_000, "gasPrice": 0, "value": 0, "chainId": 1})
envelope.public_key(b"\1" * 32)
gc.collect()
gc.freeze()

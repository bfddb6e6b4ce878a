"""Where chains differ: what a committee is drawn with, which block is settled, what a transaction cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from nodes import block, block_of, chain_of

from hansa.protocol.errors import FatalError
from hansa.runtime.chain.deployment import Confirmations
from hansa.runtime.chain.dialects import (
    COUPLED,
    HYBRID,
    L1_ORACLES,
    STAKED,
    Randomness,
    check_confirmations,
    committee_problem,
    fee_paid,
    has_foreign_numbers,
    l1_fees,
    l1_oracle,
    parse_confirmations,
    randomness_of,
    seen_by_contracts,
)
from hansa.runtime.chain.rpc import NodeError

BIG = 2**255


def word(number: int) -> str:
    return number.to_bytes(32, "big").hex()


def node(sees: Any, *, first: int = 0, latest: int = 9, tags: dict[str, int] | None = None) -> Any:
    """sees: (block.number, prevrandao, parent hash) of a block, or what the node answers to a look."""

    def answer(method: str, params: Sequence[Any]) -> Any:
        if method == "eth_chainId":
            return "0x1"
        if method == "eth_getBlockByNumber":
            if params[0] in ("safe", "finalized"):
                return block((tags or {})[params[0]]) if params[0] in (tags or {}) else None
            return block(first) if params[0] == "earliest" else block_of(params[0], latest)
        if method == "eth_call":
            return "0x" + "".join(map(word, sees(int(params[1], 16)))) if callable(sees) else sees
        raise AssertionError(method)

    return answer


CHAINS: dict[str, tuple[Any, Randomness]] = {
    "Ethereum": (lambda n: (n, BIG + n, BIG - n), Randomness.RANDAO),
    "clique": (lambda n: (n, 2, BIG - n), Randomness.PARENT_HASH),
    "proof of work": (lambda n: (n, 131_072 + n, BIG - n), Randomness.PARENT_HASH),
    "Arbitrum": (lambda n: (5_000_000, 1, BIG - n), Randomness.PARENT_HASH),
    "Cosmos": (lambda n: (n, 0, 0), Randomness.CONSTANT),
    "a constant hash": (lambda n: (n, 0, 7), Randomness.CONSTANT),
    "OP stack": (lambda n: (n, BIG + n // 6, BIG - n), Randomness.CONSTANT),
    "a node that runs no probe": (NodeError("eth_call", -32000, "no"), Randomness.CONSTANT),
}


@pytest.mark.parametrize("name", CHAINS)
def test_randomness__is_what_a_contract_sees(name: str) -> None:
    sees, expected = CHAINS[name]
    assert randomness_of(chain_of(node(sees))) == expected


def test_look__leaves_out_what_has_no_parent() -> None:
    blocks = seen_by_contracts(chain_of(node(lambda n: (n, 0, 0), first=1, latest=3)))
    assert [seen.block for seen in blocks] == [2, 3] and not has_foreign_numbers(blocks)
    assert has_foreign_numbers(seen_by_contracts(chain_of(node(CHAINS["Arbitrum"][0]))))


def test_committee__that_a_chain_cannot_carry__is_refused_in_a_sentence() -> None:
    assert [committee_problem(STAKED, kind) is None for kind in Randomness] == [True, False, False]
    assert [committee_problem(HYBRID, kind) is None for kind in Randomness] == [True, True, False]
    assert all(committee_problem(COUPLED, kind) is None for kind in Randomness)
    told = committee_problem(HYBRID, Randomness.CONSTANT)
    assert told is not None and told.startswith("this chain can't carry a hybrid committee: ")
    assert told.endswith("post with appointed or coupled members")


@pytest.mark.parametrize(
    ("depth", "expected"), [(0, 9), (2, 7), (100, 1), ("safe", 5), ("finalized", 9)], ids=["0", "2", "100", "s", "f"]
)
def test_below__counts_or_asks_for_a_tag__never_above_the_head(depth: Confirmations, expected: int) -> None:
    chain = chain_of(node(None, first=1, tags={"safe": 5, "finalized": 12}))
    assert chain.below(chain.head(), depth).number == expected


def test_confirmations__a_tag_that_no_node_knows__is_refused() -> None:
    assert [parse_confirmations(text) for text in ("12", "safe", "finalized")] == [12, "safe", "finalized"]
    for text in ("soon", "-1", "10001"):
        with pytest.raises(FatalError, match=f"--confirmations '?{text}"):
            parse_confirmations(text)
    chain = chain_of(node(None, tags={"safe": 3}))
    check_confirmations(chain, "safe")
    with pytest.raises(FatalError, match="names no finalized block: .*; give --confirmations a number of blocks"):
        check_confirmations(chain, "finalized")


def test_fee__is_gas_at_its_price_and_what_a_rollup_adds() -> None:
    whole = {"gasUsed": hex(100), "effectiveGasPrice": hex(7), "l1Fee": hex(50)}
    assert fee_paid(whole) == 750
    assert fee_paid({"gasUsed": hex(100)}, hex(5)) == 500, "a receipt without fields"
    assert fee_paid({"gasUsed": hex(100), "l1Fee": None, "effectiveGasPrice": None}) == 0


def test_l1_fees__are_asked_of_the_rollups_own_contract() -> None:
    [optimism, scroll] = L1_ORACLES.values()
    asked: list[bytes] = []

    def answer(method: str, params: Sequence[Any]) -> Any:
        if method == "eth_getCode":
            return "0x60" if params[0] == scroll else "0x"
        if method == "eth_call":
            asked.append(bytes.fromhex(params[0]["data"][2:]))
            return "0x" + word(int.from_bytes(asked[-1][36:68], "big"))
        return node(None)(method, params)

    chain = chain_of(answer)
    assert l1_oracle(chain) == scroll
    assert l1_fees(chain, scroll, [100, 333]) == [100, 333]
    assert all((len(data) - 4) % 32 == 0 and 0 not in data[68 : 68 + 100] for data in asked)
    assert l1_oracle(chain_of(lambda m, p: "0x" if m == "eth_getCode" else node(None)(m, p))) is None

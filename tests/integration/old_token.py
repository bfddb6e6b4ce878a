"""A token like the first ones: it says its symbol in 32 bytes, and changes no approval that is not zero."""

from __future__ import annotations

from hansa.devnet.anvil import rpc
from hansa.protocol.types import Address
from hansa.runtime.chain.abi import artifact

SYMBOL = "MKR"
BEHIND = Address("0x" + "0b" * 20)  # where the code goes that does the rest
OPCODES = {
    "EQ": "14", "ISZERO": "15", "AND": "16", "SHR": "1c", "KECCAK": "20", "CALLER": "33", "CALLDATALOAD": "35",
    "CALLDATASIZE": "36", "CALLDATACOPY": "37", "RETURNDATASIZE": "3d", "RETURNDATACOPY": "3e", "MSTORE": "52",
    "SLOAD": "54", "JUMPI": "57", "GAS": "5a", "JUMPDEST": "5b", "DUP1": "80", "RETURN": "f3", "DELEGATECALL": "f4",
    "REVERT": "fd",
}  # fmt: skip
PROGRAM = """
00 CALLDATALOAD e0 SHR DUP1 {symbol} EQ @short JUMPI
{approve} EQ 24 CALLDATALOAD ISZERO ISZERO AND
CALLER 00 MSTORE 01 20 MSTORE 40 00 KECCAK 20 MSTORE 04 CALLDATALOAD 00 MSTORE 40 00 KECCAK SLOAD
ISZERO ISZERO AND @refuse JUMPI
CALLDATASIZE 00 00 CALLDATACOPY 00 00 CALLDATASIZE 00 {behind} GAS DELEGATECALL
RETURNDATASIZE 00 00 RETURNDATACOPY @done JUMPI RETURNDATASIZE 00 REVERT
:done RETURNDATASIZE 00 RETURN
:refuse 00 00 REVERT
:short {word} 00 MSTORE 20 00 RETURN
"""
"""Numbers are pushed, `:x` is a place and `@x` pushes it; the second line of words is what OpenZeppelin's ERC-20 keeps
as the allowance of the caller for the first argument."""


def make_old(url: str, token: Address) -> None:
    """Turns the reward token at an address into such a one, balances and all."""
    rpc(url, "anvil_setCode", BEHIND, rpc(url, "eth_getCode", token, "latest"))
    rpc(url, "anvil_setCode", token, "0x" + _code())


def _code() -> str:
    symbol, approve = (artifact("RewardToken").functions[name].selector.hex() for name in ("symbol", "approve"))
    word = SYMBOL.encode().ljust(32, b"\0").hex()
    words = PROGRAM.format(symbol=symbol, approve=approve, behind=BEHIND[2:], word=word).split()
    places: dict[str, int] = {}
    for _ in range(2):  # the second time, every place is known
        code = ""
        for each in words:
            if each.startswith(":"):
                places[each[1:]] = len(code) // 2
                code += OPCODES["JUMPDEST"]
            elif each in OPCODES:
                code += OPCODES[each]
            else:
                number = f"{places.get(each[1:], 0):02x}" if each.startswith("@") else each
                code += f"{0x5F + len(number) // 2:02x}" + number
    return code

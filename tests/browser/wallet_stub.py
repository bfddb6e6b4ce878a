"""A wallet by EIP-6963 in the page, backed by the unlocked accounts of a development chain; it misbehaves when told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hansa.devnet.anvil import CHAIN_ID, rpc

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = """
(({ name, rdns, door }) => {
  const listeners = {}
  const emit = (event, value) => (listeners[event] ?? []).forEach((listener) => listener(value))
  const provider = {
    async request({ method, params }) {
      const { result, error } = JSON.parse(await window[door](method, JSON.stringify(params ?? [])))
      if (error) throw Object.assign(new Error(error.message), { code: error.code })
      if (method === 'wallet_switchEthereumChain') emit('chainChanged', params[0].chainId)
      return result
    },
    on: (event, listener) => void (listeners[event] ??= []).push(listener),
    removeListener: (event, gone) => void (listeners[event] = (listeners[event] ?? []).filter((l) => l !== gone)),
  }
  window.purses = { ...window.purses, [name]: { emit } }
  const icon = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><rect width='24' height='24'/></svg>"
  const detail = Object.freeze({ info: { uuid: crypto.randomUUID(), name, rdns, icon }, provider })
  const announce = () => dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  addEventListener('eip6963:requestProvider', announce)
  announce()
})
"""


class Declined(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Purse:
    """accounts: that it shows. declines: methods that its owner declines. known: chains that it can switch to."""

    url: str
    accounts: Sequence[str]
    name: str = "Test Wallet"
    chain: int = CHAIN_ID
    known: set[int] = field(default_factory=lambda: {1, CHAIN_ID})
    declines: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def give(self, page: Page) -> None:
        """Puts the wallet into the page before the page's own scripts run."""
        door = f"door{abs(hash(self.name))}"
        page.expose_function(door, self._answer)
        what = {"name": self.name, "rdns": f"test.{self.name.lower().replace(' ', '-')}", "door": door}
        page.add_init_script(f"{SCRIPT.strip()}({json.dumps(what)})")

    def _answer(self, method: str, parameters: str) -> str:
        self.asked.append(method)
        try:
            return json.dumps({"result": self._do(method, json.loads(parameters))})
        except Declined as error:
            return json.dumps({"error": {"code": error.code, "message": str(error)}})

    def _do(self, method: str, parameters: Any) -> Any:
        if method in self.declines:
            raise Declined(4001, "User rejected the request.")
        match method:
            case "eth_requestAccounts" | "eth_accounts":
                return list(self.accounts)
            case "eth_chainId":
                return hex(self.chain)
            case "wallet_switchEthereumChain":
                wanted = int(parameters[0]["chainId"], 16)
                if wanted not in self.known:
                    raise Declined(4902, "Unrecognized chain ID.")
                self.chain = wanted
                return None
            case "wallet_addEthereumChain":
                self.known.add(int(parameters[0]["chainId"], 16))
                return None
            case "wallet_watchAsset":
                return True
            case "eth_sendTransaction":
                return rpc(self.url, method, {**parameters[0], "gas": hex(1_000_000)})
        raise Declined(4200, f"{method} is not supported")

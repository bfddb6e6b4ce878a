"""Token amounts: integers inside, decimal tokens with their unit for people, integer strings in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, DecimalException, localcontext

from hansa.protocol.errors import FatalError
from hansa.protocol.types import Wei

LARGEST = 100  # a power of ten that no amount reaches
PLACES = 6  # shown to people; JSON has every digit


def fixed(units: int, decimals: int, places: int) -> str:
    """`units` of 10^-decimals with `places` decimals, half to even, as the page rounds: 4707500, 6, 3 → '4.708'."""
    step = 10 ** (decimals - places)
    kept, rest = divmod(abs(units), step)
    kept += 2 * rest > step or (2 * rest == step and kept % 2)
    whole, part = divmod(kept, 10**places)
    return f"{'-' if units < 0 and kept else ''}{whole}.{part:0{places}d}"


@dataclass(frozen=True)
class Token:
    """An ERC-20's name for its unit, and how many decimals it has."""

    address: str
    symbol: str = "HANSA"
    decimals: int = 18

    @classmethod
    def in_units(cls, address: str) -> Token:
        """A token of which the address alone is known: amounts are whole numbers of its smallest unit."""
        return cls(address, f"units of {address[:6]}…{address[-4:]}", 0)

    def units(self, text: str, what: str = "amount") -> Wei:
        """Decimal tokens to the smallest unit: '12.5' → 125 · 10¹⁷. FatalError unless exact and not negative."""
        whole = self.signed(text, what)
        if whole < 0 or whole >= 2**256:
            raise FatalError(f"{what} {text} is out of range", cause="it may not be negative or above 2^256 units")
        return Wei(whole)

    def signed(self, text: str, what: str) -> int:
        """As `units`, of any sign."""
        try:
            with localcontext() as context:
                context.prec = 120
                scaled = Decimal(text.strip().replace("_", "")).scaleb(self.decimals)
                if scaled.adjusted() > LARGEST:
                    raise OverflowError
                whole = int(scaled)
                exact = scaled == whole
        except (DecimalException, ValueError, OverflowError):
            raise FatalError(f"{what} {text!r} is not a number", next_step="write it like 12.5") from None
        if not exact:
            raise FatalError(f"{what} {text} has more than {self.decimals} decimals")
        return whole

    def exact(self, amount: int) -> str:
        """Every digit and no separator, for programs: 1500000 of 6 decimals → '1.5'."""
        whole, part = divmod(abs(amount), 10**self.decimals)
        digits = f"{part:0{self.decimals}d}".rstrip("0") if self.decimals else ""
        return f"{'-' if amount < 0 else ''}{whole}{'.' + digits if digits else ''}"

    def text(self, amount: int, places: int = PLACES, unit: bool = True) -> str:
        """What a person reads: rounded down to `places`, never 0 for something that isn't."""
        name = f" {self.symbol}" if unit else ""
        sign, amount = ("-" if amount < 0 else ""), abs(amount)
        whole, part = divmod(amount, 10**self.decimals)
        digits = f"{part:0{self.decimals}d}"[:places] if self.decimals else ""
        if amount and not whole and not digits.strip("0"):
            return f"{sign}<{'0.' + '0' * (places - 1) + '1'}{name}" if places else f"{sign}<1{name}"
        digits = digits.rstrip("0")
        return f"{sign}{whole:,}{'.' + digits if digits else ''}{name}"

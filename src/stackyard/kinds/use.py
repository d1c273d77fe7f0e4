"""What a service uses in a month, as its kind counts it: amounts in units that have a price. Knows no price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

HOURS = Decimal(730)
"""Of a month, as AWS's own calculator counts them."""


@dataclass(frozen=True, slots=True)
class Load:
    """One service, sized for one environment, and what comes to it in a month."""

    memory: int
    """MiB of one instance."""
    cpu: int
    """Of one instance; 1024 is one vCPU."""
    low: int
    """Instances at the least, which is how many are counted."""
    requests: int
    milliseconds: int
    """That one request takes."""

    @property
    def gigabytes(self) -> Decimal:
        """Memory of all instances, GiB."""
        return Decimal(self.memory * self.low) / 1024

    @property
    def processors(self) -> Decimal:
        """Of all instances, vCPU."""
        return Decimal(self.cpu * self.low) / 1024


@dataclass(frozen=True, slots=True)
class Use:
    """An amount of something that has a price."""

    price: str
    """Its name in `stackyard.prices`."""
    amount: Decimal
    """In that price's unit, a month."""
    how: str
    """How the amount came about, in figures."""


def plain(number: Decimal | int) -> str:
    """Write a number without zeros that say nothing: ``0.25``, ``333,333``."""
    return f"{Decimal(number).normalize():,f}"

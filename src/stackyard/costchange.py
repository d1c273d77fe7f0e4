"""How the cost of an environment changes: by service, with the reason in words.

Owns the comparison of two estimates (`costs`) and its wording. Knows neither files nor AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from stackyard.costs import SHARED, Estimate, Ground, Traffic, estimate, size_of
from stackyard.kinds.use import plain
from stackyard.manifest import Service
from stackyard.prices import Prices


@dataclass(frozen=True, slots=True)
class Part:
    """One service's share of a difference, or what is shared."""

    service: str
    usd: Decimal
    why: str

    def words(self) -> str:
        """Say it on one line."""
        return f"{self.service}: {signed(self.usd)}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True)
class CostChange:
    """What a deploy changes in a month's cost."""

    before: Decimal
    after: Decimal
    parts: tuple[Part, ...]
    requests: int
    """A month to each service, that it was reckoned with."""

    @property
    def usd(self) -> Decimal:
        """The difference, a month."""
        return self.after - self.before

    def words(self) -> str:
        """Say it on one line, as far as one goes."""
        whole = f"{signed(self.usd)} a month (${self.before:,.2f} → ${self.after:,.2f})"
        return f"{whole} at {plain(self.requests)} requests to each service" if self.requests else whole

    def lines(self) -> list[str]:
        """Say it whole: the sum first, then each service's part."""
        return [self.words(), *(part.words() for part in self.parts)]

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "usd_before": float(self.before),
            "usd_after": float(self.after),
            "usd_change": float(self.usd),
            "requests_per_month_each": self.requests,
            "parts": [{"name": part.service, "usd_change": float(part.usd), "why": part.why} for part in self.parts],
        }


def signed(usd: Decimal) -> str:
    """Write an amount that is added or taken away: ``+ $12.34``."""
    return f"{'-' if usd < 0 else '+'} ${abs(usd):,.2f}"


def compare_costs(
    old: Mapping[str, Service], new: Mapping[str, Service], then: Ground, now: Ground, prices: Prices
) -> CostChange:
    """Compare an environment's cost with other services or another ground, at the traffic of `Traffic` as it comes."""
    traffic = Traffic()
    before, after = (estimate(*each, traffic, prices) for each in ((old, then), (new, now)))
    sums = before.by_service(), after.by_service()
    parts: list[Part] = []
    for name in (*sorted((sums[0].keys() | sums[1].keys()) - {SHARED}), SHARED):
        usd = sums[1].get(name, Decimal(0)) - sums[0].get(name, Decimal(0))
        why = _tell_shared(before, after) if name == SHARED else _tell_service(old.get(name), new.get(name))
        if usd or (name != SHARED and (name in old) != (name in new)):
            parts.append(Part(name, usd, why))
    return CostChange(before.total(), after.total(), tuple(parts), traffic.requests)


def _tell_service(old: Service | None, new: Service | None) -> str:
    if old is None or new is None:
        return f"new, {new.kind}" if new is not None else "goes"
    sizes = {"kind": old.kind, **size_of(old)}, {"kind": new.kind, **size_of(new)}
    keys = [key for key in ("kind", "memory", "cpu", "scaling.min") if sizes[0].get(key) != sizes[1].get(key)]
    if "kind" in keys:
        return f"{old.kind} → {new.kind}"
    return ", ".join(f"{key} {sizes[0].get(key, 'none')} → {sizes[1].get(key, 'none')}" for key in keys)


def _tell_shared(before: Estimate, after: Estimate) -> str:
    """Say which shared things come, go, and cost something else; of the last, those of a dollar and more."""
    then, now = _shared(before), _shared(after)
    told = [f"{label} comes" for label in now if label not in then] + [
        f"{label} goes" for label in then if label not in now
    ]
    told += [label for label in now if label in then and abs(now[label] - then[label]) >= 1]
    return ", ".join(told)


def _shared(whole: Estimate) -> dict[str, Decimal]:
    """Return what is shared by its label, without what is there for each request or service anyway."""
    sums: dict[str, Decimal] = {}
    for line in whole.lines:
        if line.service == SHARED:
            sums[line.label] = sums.get(line.label, Decimal(0)) + line.usd
    return sums

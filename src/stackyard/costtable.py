"""Writes the README's table of costs: ``python -m stackyard.costtable [--check]``.

Owns which environments it shows and its words. A README without the two marks has no such table, and nobody minds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from stackyard.costs import Ground, Traffic, estimate
from stackyard.kinds import KINDS
from stackyard.manifest import Service
from stackyard.marked import place
from stackyard.prices import Prices, read_prices

FILE = "README.md"
BEGIN, END = "<!-- costs: made by `python -m stackyard.costtable` -->", "<!-- end of costs -->"
REGION = "eu-west-1"
REQUESTS = {"nobody calls": 0, "1 million requests each": 1_000_000, "10 million each": 10_000_000}
SAMPLE: Mapping[str, Service] = {
    "api": Service(kind="lambda"),
    "web": Service(kind="ecs", catalog=True),
    "worker": Service(kind="lambda"),
}
"""The services that the template comes with, as far as they are billed for."""


def render_table(prices: Prices) -> str:
    """Return the table. Raises MissingError where a price is not known."""
    shown = {"the template's three services: two `lambda`, one `ecs`": SAMPLE}
    shown |= {f"one service of kind `{kind}`": {"one": Service.model_validate({"kind": kind})} for kind in KINDS}
    lines = [f"| An environment in {REGION}, a month | {' | '.join(REQUESTS)} |", "|---|" + "---:|" * len(REQUESTS)]
    for title, services in shown.items():
        totals = [
            estimate(services, Ground(REGION, alarms=True), Traffic(requests), prices).total()
            for requests in REQUESTS.values()
        ]
        lines.append(f"| {title} | " + " | ".join(f"${usd:,.2f}" for usd in totals) + " |")
    return "\n".join(lines)


def place_table(text: str, table: str) -> str:
    """Put the table between its marks; a text without them stays as it is."""
    return place(text, BEGIN, END, table)


def write_table(root: Path, prices: Prices) -> bool:
    """Write the README again; say whether it was another."""
    path = root / FILE
    text = path.read_text(encoding="utf-8")
    placed = place_table(text, render_table(prices)) if BEGIN in text else text
    if placed != text:
        path.write_text(placed, encoding="utf-8")
    return placed != text


def main(arguments: list[str]) -> int:
    """Write the table, or with ``--check`` say that it is stale."""
    if "--check" not in arguments:
        write_table(Path(), read_prices())
        return 0
    text = Path(FILE).read_text(encoding="utf-8")
    if BEGIN not in text or place_table(text, render_table(read_prices())) == text:
        return 0
    sys.stderr.write(f"{FILE}: the table of costs is not what the prices say\n  run: python -m stackyard.costtable\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

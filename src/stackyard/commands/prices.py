"""``inv prices``: bring the file of prices to what AWS's own list says.

Read every service's list in each region, lay what was found over what is known, show what changed, write. A price that
the list does not have stays as it was and is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from httpx import Client

from stackyard.costtable import write_table
from stackyard.errors import ConfigError
from stackyard.prices import (
    ITEMS,
    SHOWN,
    Change,
    Price,
    collect_prices,
    read_prices,
    render_prices,
    update_prices,
)
from stackyard.project import REGION, Project
from stackyard.screen import Screen
from stackyard.tools.pricelist import open_client, open_listing


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What AWS's list says against what was known."""

    regions: tuple[str, ...]
    changes: tuple[Change, ...]
    kept: Mapping[str, Mapping[str, str]]
    """Prices that were not found, by region, and why; as they were."""
    written: bool

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "regions": list(self.regions),
            "changes": [asdict(each) for each in self.changes],
            "not_found": {region: dict(kept) for region, kept in self.kept.items()},
            "written": self.written,
        }


def find_regions(project: Project) -> tuple[str, ...]:
    """Return the regions of all environments."""
    places = [*project.environments.values(), *([project.previews] if project.previews else [])]
    return tuple(sorted({place.region or project.region for place in places}))


def refresh(root: Path, screen: Screen, regions: Sequence[str], *, check: bool = False) -> Refreshed:
    """Fetch prices of regions, write them and the README's table; ``check`` writes nothing. Raises StackyardError."""
    for region in regions:
        if not re.fullmatch(REGION, region):
            raise ConfigError(f"--region {region}", "that is no AWS region, such as eu-west-1", command="inv prices")
    path = root / SHOWN
    prices = read_prices(path)
    changes: list[Change] = []
    kept: dict[str, Mapping[str, str]] = {}
    for region in regions:
        with screen.stage(f"prices of {region}"), open_client() as client:
            found, missing = _fetch(screen, client, region)
            if not found:
                known = ", ".join(sorted(prices.regions))
                why = f"AWS has no price list for it; {SHOWN} has {known}"
                raise ConfigError(f"there is no region {region}", why, command="inv prices")
            prices, changed = update_prices(prices, region, found)
            changes += changed
            kept[region] = missing
            screen.note(f"{len(found)} of {len(ITEMS)} found, {len(changed)} changed")
    for change in changes:
        screen.say(change.words())
    for region, missing in kept.items():
        for name, why in missing.items():
            screen.warn(f"{region}: {ITEMS[name].label} ({name}) is not taken: {why}")
    if not check:
        path.write_text(render_prices(prices), encoding="utf-8")
        if write_table(root, prices):
            screen.note("the README's table is made again")
    elif changes:
        raise ConfigError(SHOWN, f"{len(changes)} prices are others by now", command="inv prices")
    return Refreshed(tuple(regions), tuple(changes), kept, written=not check)


def _fetch(screen: Screen, client: Client, region: str) -> tuple[dict[str, Price], dict[str, str]]:
    found: dict[str, Price] = {}
    missing: dict[str, str] = {}
    for service in sorted({item.service for item in ITEMS.values()}):
        wanted = {name: item.usage for name, item in ITEMS.items() if item.service == service}
        with open_listing(client, service, region, set(wanted.values()), screen.note) as listing:
            if listing is None:
                missing |= dict.fromkeys(wanted, "there is no list of its service")
                continue
            here = collect_prices(service, listing.rows, listing.on, listing.url)
        found |= here.prices
        missing |= here.unclear
    return found, missing

"""Services' settings as a release records them, and how two sets differ. They hold names of secrets, no values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from stackyard.services import Catalog

Settings = Mapping[str, Mapping[str, object]]
"""By service, then by key; what is at its default is left out."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that two sets do not share; None where a set does not have it."""

    service: str
    key: str
    """With dots: ``scaling.max``."""
    old: str | None
    new: str | None

    def words(self) -> str:
        """Say it on one line."""
        name = f"{self.service}.{self.key}"
        if self.old is None:
            return f"{name}: {self.new} (was not set)"
        return f"{name}: {self.old} → {self.new}" if self.new is not None else f"{name}: not set any more ({self.old})"


def record_settings(catalog: Catalog) -> dict[str, dict[str, object]]:
    """Return every service's settings as the catalog's environment has them."""
    return {
        entry.name: cast("dict[str, object]", entry.service.model_dump(mode="json", exclude_defaults=True))
        for entry in catalog.entries
    }


def compare_settings(old: Settings, new: Settings) -> list[Difference]:
    """Compare the settings of the services that both sets have, key by key; values as JSON."""
    found: list[Difference] = []
    for service in sorted(old.keys() & new.keys()):
        before, after = dict(_flat(old[service])), dict(_flat(new[service]))
        found += [
            Difference(service, key, before.get(key), after.get(key))
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        ]
    return found


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(cast("Mapping[str, object]", value), f"{prefix}{key}.")
        else:
            yield prefix + key, json.dumps(value)

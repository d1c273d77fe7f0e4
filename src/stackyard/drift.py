"""Decide what of a refreshed plan is drift: changed past Terraform, and not by what Terraform leaves to others.

Pure. Only names are kept, of resources and attributes: a value may be secret without Terraform knowing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

LEFT_TO_OTHERS = {
    # Auto scaling's (`ignore_changes` in infra/modules).
    ("aws_ecs_service", "desired_count"),
    ("aws_eks_node_group", "scaling_config.desired_size"),
}
"""Attributes, by resource type, that change while all is well."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One resource that is not as Terraform left it."""

    address: str
    gone: bool
    attributes: tuple[str, ...]
    """By their names within the resource; empty where it is gone."""

    def words(self, short: str) -> str:
        """Say it in a sentence, under a shorter address."""
        if self.gone:
            return f"{short} is gone"
        return f"{short}: {', '.join(self.attributes)} {'was' if len(self.attributes) == 1 else 'were'} changed"


def find_drift(plan: Mapping[str, Any]) -> list[Drift]:
    """Return what drifted, from a plan made with ``-refresh-only`` (Terraform: JSON Output Format, resource_drift)."""
    found: list[Drift] = []
    for item in cast("list[dict[str, Any]]", plan.get("resource_drift") or []):
        change = item["change"]
        if change["actions"] == ["delete"]:
            found.append(Drift(item["address"], gone=True, attributes=()))
            continue
        names = {
            name
            for name in _differences(change.get("before"), change.get("after"), "")
            if (item["type"], name) not in LEFT_TO_OTHERS
        }
        if names:
            found.append(Drift(item["address"], gone=False, attributes=tuple(sorted(names))))
    return found


def _differences(before: object, after: object, name: str) -> Iterable[str]:
    """Name the attributes that differ: a block of which there is one by what is in it, a list by itself."""
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("dict[str, object]", before), cast("dict[str, object]", after)
        for key in {*old, *new}:
            yield from _differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)
    elif _is_block(before) and _is_block(after):
        yield from _differences(cast("list[object]", before)[0], cast("list[object]", after)[0], name)
    elif before != after:
        yield name


def _is_block(value: object) -> bool:
    return isinstance(value, list) and len(cast("list[object]", value)) == 1 and isinstance(value[0], dict)

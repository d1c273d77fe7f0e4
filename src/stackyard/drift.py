"""Decide what of a refreshed plan is drift: changed past Terraform, and not by what Terraform leaves to others.

Pure. Only names are kept, of resources and attributes: a value may be secret without Terraform knowing it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

LEFT_TO_OTHERS = {
    # Auto scaling's (`ignore_changes` in infra/modules).
    ("aws_ecs_service", "desired_count"),
    ("aws_eks_node_group", "scaling_config.desired_size"),
    # A resource of its own gives it, and tells itself when it was changed (aws_sns_topic_policy).
    ("aws_sns_topic", "policy"),
    # AWS says who uses it: what was made after it.
    ("aws_apprunner_auto_scaling_configuration_version", "has_associated_service"),
    ("aws_lb_target_group", "load_balancer_arns"),
    ("aws_eip", "association_id"),
    ("aws_eip", "instance"),
    ("aws_eip", "network_interface"),
    ("aws_eip", "private_dns"),
    ("aws_eip", "private_ip"),
}
"""Attributes, by resource type, that change while all is well."""


@dataclass(frozen=True, slots=True)
class Apart:
    """How what a resource has by resources of their own is recognised, as soon as it is read again."""

    kind: str
    """Their type."""
    owner: str
    """Their attribute that names the one that has them."""
    key: str
    """Their attribute that tells one from another."""
    own: str
    """The attribute that names the one that has them, in itself."""
    member: str = ""
    """Where it has them as blocks: what in a block tells one from another."""


HELD_APART = {
    ("aws_iam_role", "inline_policy"): Apart("aws_iam_role_policy", "role", "name", "name", "name"),
    ("aws_iam_role", "managed_policy_arns"): Apart("aws_iam_role_policy_attachment", "role", "policy_arn", "name"),
    ("aws_route_table", "route"): Apart(
        "aws_route", "route_table_id", "destination_cidr_block", own="id", member="cidr_block"
    ),
}
"""Attributes, by resource type, that show what other resources of Terraform's gave."""


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
    known = _list_apart(plan)
    for item in cast("list[dict[str, Any]]", plan.get("resource_drift") or []):
        change = item["change"]
        if change["actions"] == ["delete"]:
            found.append(Drift(item["address"], gone=True, attributes=()))
            continue
        names = {
            name
            for name in _differences(change.get("before"), change.get("after"), "")
            if (item["type"], name) not in LEFT_TO_OTHERS and not _is_ours(item["type"], name, change["after"], known)
        }
        if names:
            found.append(Drift(item["address"], gone=False, attributes=tuple(sorted(names))))
    return found


def _list_apart(plan: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Return what Terraform gave by resources of their own: their type, who has it, and what tells it from others."""
    found: set[tuple[str, str, str]] = set()
    kinds = {apart.kind: apart for apart in HELD_APART.values()}
    modules = [cast("dict[str, Any]", plan.get("prior_state", {}).get("values", {}).get("root_module", {}))]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        for resource in module.get("resources", []):
            if (apart := kinds.get(resource["type"])) is not None:
                values = resource["values"]
                found.add((apart.kind, str(values[apart.owner]), str(values[apart.key])))
    return found


def _is_ours(kind: str, attribute: str, values: Mapping[str, Any], known: set[tuple[str, str, str]]) -> bool:
    """Tell whether a resource has nothing there but what Terraform gave to it; what is lost is told elsewhere."""
    name = attribute.partition(".")[0]
    if (apart := HELD_APART.get((kind, name))) is None:
        return False
    items = cast("list[Any]", values.get(name) or [])
    has = {str(item[apart.member] if apart.member else item) for item in items}
    # An empty block stands for none.
    return all((apart.kind, str(values[apart.own]), each) in known for each in has - {""})


def _differences(before: object, after: object, name: str) -> Iterable[str]:
    """Name the attributes that differ: a block of which there is one by what is in it, a list by itself.

    Nothing, an empty text and an empty list are the same: AWS returns one for the other. So are nothing, zero and no
    within blocks: Terraform's provider cannot tell them apart there.
    """
    old, new = _members(before), _members(after)
    if old is not None and new is not None:
        for key in {*old, *new}:
            yield from _differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)
    elif _essence(before) != _essence(after) and not (before in _NOTHING and after in _NOTHING):
        yield name


_NOTHING: tuple[object, ...] = (None, "", [], {})


def _essence(value: object) -> object:
    """Return what of several blocks is said at all, in one order: they may be a set."""
    items = cast("list[object]", value) if isinstance(value, list) else None
    if items is None or not all(isinstance(each, dict) for each in items):
        return cast("object", value)
    return sorted(json.dumps(_said(each), sort_keys=True) for each in items)


def _said(value: object) -> object:
    if isinstance(value, dict):
        members = {key: _said(each) for key, each in cast("dict[str, object]", value).items()}
        return {key: each for key, each in members.items() if each not in (*_NOTHING, 0, False)}
    if isinstance(value, list):
        return [_said(each) for each in cast("list[object]", value)]
    return value


def _members(value: object) -> dict[str, object] | None:
    """Return what is in an object, or in the one block of a list; None for anything else."""
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return cast("dict[str, object]", items[0]) if len(items) == 1 and isinstance(items[0], dict) else None

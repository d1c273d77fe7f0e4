"""What AWS refuses to delete in a protected environment.

A destroy lifts the protection once the environment's name was typed. A deploy never does: it refuses a plan that would
delete what is guarded, before the apply would end halfway.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from stackyard.commands.session import Session
from stackyard.errors import RefusedError
from stackyard.tools.balancers import lift_protection
from stackyard.tools.terraform import Stack
from stackyard.tools.tfevents import Change

_GUARDED = "module.load_balancer["


def deletes_guarded(changes: Iterable[Change]) -> bool:
    """Tell whether a plan deletes, or makes anew, something that AWS may refuse to delete."""
    return any(
        change.action in {"delete", "replace"} and change.address.startswith(_GUARDED) and ".aws_lb." in change.address
        for change in changes
    )


def refuse_guarded(session: Session, stack: Stack, changes: Iterable[Change]) -> None:
    """Refuse a deploy that would delete what AWS guards. Raises RefusedError."""
    if not deletes_guarded(changes) or not _guarded(stack):
        return
    name = session.target.name
    raise RefusedError(
        f"{name} would lose its load balancer",
        "the environment is protected, and AWS refuses to delete it",
        fix="Set `protected: false` and deploy without any other change; then deploy this, and protect again.",
        command=f"inv plan --env {name}",
    )


def lift_guard(session: Session, stack: Stack, changes: Iterable[Change]) -> None:
    """Let what a destroy takes away be deleted."""
    if deletes_guarded(changes):
        lift_protection(session.aws, _guarded(stack))


def _guarded(stack: Stack) -> list[str]:
    return cast("list[str]", stack.outputs().get("guarded") or [])

"""``inv unlock``: release a lock on Terraform's state that a killed run left behind."""

from __future__ import annotations

import json
from typing import Any, cast

from stackyard.commands import bootstrap
from stackyard.commands.session import Session
from stackyard.commands.stacks import init_stack
from stackyard.commands.wanted import app_key
from stackyard.errors import MissingError, ToolError

UNREADABLE = "unreadable"
"""What stands for the id of a lock that has none."""


def unlock(session: Session, *, lock_id: str, dry_run: bool = False) -> list[str]:
    """Release every lock of an environment's states, or the one with ``lock_id``; return what was released.

    Raises RefusedError while a run of this checkout is alive, MissingError for an id that is not there.
    """
    target, screen = session.target, session.screen
    released: list[str] = []
    found: list[str] = []
    with session.changing(f"unlock --env {target.name}") as hold:
        session.aws.check_caller()
        for name, key in (("app", app_key(target.name)), ("bootstrap", bootstrap.KEY)):
            text = session.aws.read_text(target.state_bucket, f"{key}.tflock")
            if text is None:
                continue
            lock = _parse(text)
            if lock is None:
                screen.note(f"{key}: a lock that does not say whose it is ({len(text)} characters)")
                found.append(UNREADABLE)
                if not dry_run and lock_id in {"", UNREADABLE}:
                    # Terraform could not release it: it asks the lock for its id.
                    session.aws.delete_key(target.state_bucket, f"{key}.tflock")
                    screen.note("released it")
                    released.append(UNREADABLE)
                continue
            found.append(lock["ID"])
            screen.note(f"{key}: {lock['Who']} since {lock['Created']} ({lock['Operation']}), id {lock['ID']}")
            if dry_run or (lock_id and lock["ID"] != lock_id):
                continue
            stack = session.stack(name, key, {}, hold, f"unlock --env {target.name}")
            init_stack(session, stack, whole=False)
            done = stack.unlock(lock["ID"])
            if done.code != 0:
                raise ToolError(f"could not release {lock['ID']}", detail=done.stderr, command="inv doctor")
            screen.note(f"released {lock['ID']}")
            released.append(lock["ID"])
    if lock_id and lock_id not in found:
        raise MissingError(f"there is no lock {lock_id}", f"there is {', '.join(found) or 'none'}")
    if not found:
        screen.note(f"the states of {target.name} are not locked")
    return released


def _parse(text: str) -> dict[str, Any] | None:
    """Return what a lock says; None for one that was written only half, or by hand."""
    try:
        lock = json.loads(text)
        return cast("dict[str, Any]", lock) if {"ID", "Who", "Created", "Operation"} <= lock.keys() else None
    except (ValueError, AttributeError):
        return None

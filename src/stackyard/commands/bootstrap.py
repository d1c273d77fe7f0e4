"""``inv bootstrap``: what an account needs once, before anything can be deployed to it.

The state bucket is the chicken and the egg: Terraform keeps its state in the bucket that it manages. So when the
bucket is not there it is created first, closed and versioned from its first second, and an ``import`` block adopts it.
Observe who we are and whether the bucket is there; plan with Terraform; show; apply; read the outputs. It can be run
again at any time and at any point where it was killed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stackyard.commands.session import Session
from stackyard.commands.stacks import (
    apply_stack,
    init_stack,
    list_changes,
    plan_and_apply_stack,
    plan_stack,
    show_changes,
)
from stackyard.tools.tfevents import plain_action

KEY = "bootstrap/terraform.tfstate"


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What is there afterwards."""

    changed: bool
    summary: str
    outputs: dict[str, Any]


def bootstrap(session: Session, *, dry_run: bool = False) -> Bootstrapped:
    """Bring an environment's account into shape. Raises StackyardError."""
    target, screen = session.target, session.screen
    with screen.stage(f"bootstrap {target.account} ({target.region})"):
        session.aws.check_caller()
        bucket = target.state_bucket
        there = session.aws.has_bucket(bucket)
        if not there and dry_run:
            screen.note(f"+ the state bucket {bucket}, then everything in infra/bootstrap")
            return Bootstrapped(changed=True, summary="everything to create", outputs={})
        doing = f"bootstrap --env {target.name}"
        with session.changing(doing) as hold:
            if not there:
                session.aws.create_bucket(bucket)
                screen.note(f"created the state bucket {bucket}")
            variables = {
                "account": target.account,
                "region": target.region,
                "emulated": str(target.emulated).lower(),
            }
            stack = session.stack("bootstrap", KEY, variables, hold, doing)
            init_stack(session, stack)
            if target.emulated and not dry_run:
                changes = plan_and_apply_stack(session, stack)
                return Bootstrapped(bool(changes), plain_action(changes), {})
            planned = plan_stack(session, stack)
            show_changes(session, planned)
            summary = plain_action(planned.changes)
            if dry_run:
                list_changes(session, planned)
                planned.file.unlink(missing_ok=True)
                return Bootstrapped(planned.changed, summary, {})
            if planned.changed:
                apply_stack(session, stack, planned)
            return Bootstrapped(planned.changed, summary, stack.outputs())

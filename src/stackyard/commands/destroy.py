"""``inv destroy``: take an environment's services and gateway away; what the account shares stays.

Observe and plan as a deploy does, with Terraform's destroy; show what will be lost; a protected environment wants its
name typed; execute; verify that the state is empty. Images and release records are kept; of a preview nothing else is
(`commands.previews`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stackyard.commands.cluster import take_away
from stackyard.commands.confirm import confirm
from stackyard.commands.guard import lift_guard
from stackyard.commands.observe import variables, wanted_images
from stackyard.commands.previews import leave_nothing
from stackyard.commands.session import Session
from stackyard.commands.stacks import (
    apply_stack,
    discarded_when_refused,
    init_stack,
    list_changes,
    plan_stack,
    show_changes,
)
from stackyard.commands.tell import tell_gateway
from stackyard.commands.wanted import app_key
from stackyard.errors import ToolError
from stackyard.losses import tell_kept, tell_losses
from stackyard.plan import UNBUILT
from stackyard.states import parse_state
from stackyard.tools.tfevents import plain_action

NOTHING: dict[str, Any] = {"api_id": "", "openapi": '{"openapi": "3.0.1", "paths": {}}', "services": {}}
"""What the local gateway serves when nothing is deployed."""


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What was taken away."""

    environment: str
    changed: bool
    summary: str
    lost: tuple[str, ...] = ()
    """What cannot be had again, in words."""


def destroy(session: Session, *, dry_run: bool = False, typed: str = "") -> Destroyed:
    """Destroy an environment; ``typed`` is its name where it was given on the command line. Raises StackyardError."""
    target, screen = session.target, session.screen
    doing = f"destroy --env {target.name}"
    with session.changing(doing) as hold:
        with screen.stage(f"plan the end of {target.name}"):
            session.aws.check_caller()
            digests = {image.service: UNBUILT for image in wanted_images(session)}
            given = variables(session, digests, allow_empty=True)
            stack = session.stack("app", app_key(target.name), given, hold, doing)
            init_stack(session, stack)
            planned = plan_stack(session, stack, destroy=True)
            show_changes(session, planned)
            list_changes(session, planned)
        summary, losses = plain_action(planned.changes), tell_losses(planned.deleted())
        _show_losses(session, losses)
        if dry_run or not planned.changes:
            planned.file.unlink(missing_ok=True)
            if not dry_run:
                _sweep(session)
            return Destroyed(target.name, changed=bool(planned.changes), summary=summary, lost=tuple(losses))
        if typed != target.name:
            command = f"inv destroy --env {target.name} --confirm {target.name}"
            with discarded_when_refused(planned):
                confirm(screen, f"Type {target.name} to destroy it: ", {target.name}, command)
        with screen.stage("destroy"):
            take_away(session, planned.changes)
            lift_guard(session, stack, planned.changes)
            apply_stack(session, stack, planned)
        if session.endpoint:
            tell_gateway(session, session.endpoint, NOTHING | {"stage": target.name}, {})
        _refuse_left(session, doing)
        _sweep(session)
    return Destroyed(target.name, changed=True, summary=summary, lost=tuple(losses))


def _show_losses(session: Session, losses: Sequence[str]) -> None:
    """Say what cannot be had again, before anybody is asked."""
    if not losses:
        return
    target, screen = session.target, session.screen
    screen.say(f"{target.name} loses for good:", "bold")
    for line in losses:
        screen.note(line)
    screen.note(tell_kept(preview=target.preview, emulated=target.emulated))


def _sweep(session: Session) -> None:
    """Take away what Terraform does not know of. Each step can be done again, by a destroy that changes nothing."""
    from stackyard.tools.loggroups import delete_orphaned  # noqa: PLC0415  (botocore takes 65 ms)

    for name in delete_orphaned(session.aws):
        session.screen.note(f"deleted the log group {name}")
    if session.target.preview:
        leave_nothing(session)


def _refuse_left(session: Session, doing: str) -> None:
    """See that the state knows nothing any more. Raises ToolError that names what it does."""
    target = session.target
    text = session.aws.read_text(target.state_bucket, app_key(target.name))
    left = sorted(parse_state(text).addresses) if text is not None else []
    if left:
        raise ToolError(f"{target.name} is not empty", f"its state still has {', '.join(left)}", command=f"inv {doing}")

"""Bring an environment to given images: plan, show, ask, apply, roll out, verify, record.

What `inv deploy`, `inv promote` and `inv rollback` share; they differ in where the images come from. Killed at any
point, the next run goes on from what Terraform's state says; a failed apply leaves no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from stackyard.commands.cluster import take_away
from stackyard.commands.confirm import ask_if_protected
from stackyard.commands.guard import refuse_guarded
from stackyard.commands.observe import variables
from stackyard.commands.record import begin, record
from stackyard.commands.rollout import before_plan, check_alarms, clear_way, finish_earlier, publish_left, roll_out
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
from stackyard.commands.verify import find_all_live, verify_digests, verify_health
from stackyard.commands.wanted import Deployed, Options, Wanted, app_key
from stackyard.errors import ToolError
from stackyard.history import count_actions, plan_undo, tell_late
from stackyard.releases import Underway
from stackyard.screen import Screen
from stackyard.tools.holding import Hold
from stackyard.tools.terraform import Stack
from stackyard.tools.tfevents import Change, plain_action


def bring(session: Session, hold: Hold, doing: str, wanted: Wanted, options: Options) -> Deployed:
    """Bring the environment to ``wanted``; ``doing`` is the task as it was typed. Raises StackyardError."""
    target, screen = session.target, session.screen
    check_alarms(session)
    if not options.dry_run:
        finish_earlier(session, wanted.digests)
        publish_left(session)
    given = variables(session, wanted.digests, allow_empty=options.allow_empty) | before_plan(session)
    stack = session.stack("app", app_key(target.name), given, hold, doing)
    with screen.stage("plan"):
        init_stack(session, stack)
        planned = plan_stack(session, stack)
        show_changes(session, planned)
    summary = plain_action(planned.changes)
    if options.dry_run:
        list_changes(session, planned)
        planned.file.unlink(missing_ok=True)
        return Deployed(target.name, planned.changed, summary, 0, "", wanted.digests, {}, None)
    begun = None
    if planned.changed:
        list_changes(session, planned)
        with discarded_when_refused(planned):
            refuse_guarded(session, stack, planned.changes)
            ask_if_protected(session, yes=options.yes, command=f"inv {doing} --yes")
        # Killed between here and the record, the next run still knows that a release is owed.
        begun = begin(session, wanted.source)
        with screen.stage("apply"):
            take_away(session, planned.changes)
            clear_way(session, planned.changes)
            apply_stack(session, stack, planned)
    else:
        planned.file.unlink(missing_ok=True)
    return _finish(session, doing, wanted, stack, planned.changes, begun)


def _finish(
    session: Session, doing: str, wanted: Wanted, stack: Stack, changes: Sequence[Change], begun: Underway | None
) -> Deployed:
    """Read the outputs, roll out, verify, tell the local gateway, record the release."""
    target, screen = session.target, session.screen
    outputs = stack.outputs()
    # A way back takes no steps: what is wrong shall be gone at once.
    roll_out(session, outputs, at_once=wanted.source.kind == "rollback")
    with screen.stage("verify"):
        services = cast("dict[str, dict[str, Any]]", outputs.get("services") or {})
        live = find_all_live(session, services)
        wrong = verify_digests(live, wanted.digests)
        if wrong:
            raise ToolError("the deploy did not take", "; ".join(wrong), command=f"inv {doing}")
        url = cast("str", outputs.get("url") or "")
        if session.endpoint:
            url = tell_gateway(session, session.endpoint, outputs, live)
        healthy = verify_health(session, url, services) if url else None
        domain = cast("dict[str, str]", outputs.get("domain") or {})
        if domain:
            screen.note(f"DNS: {domain['name']} must be a CNAME of {domain['leads_to']}")
    summary = plain_action(changes)
    recorded = record(session, wanted, summary, count_actions([change.action for change in changes]), begun)
    changed, number = begun is not None, recorded.release.number
    undo = plan_undo(recorded.before, recorded.release)
    late = "" if changed or recorded.owed is None else tell_late(recorded.before, recorded.release, recorded.owed)
    return Deployed(target.name, changed, summary, number, url, wanted.digests, services, healthy, undo, late)


def show_deployed(screen: Screen, done: Deployed, *, json: bool) -> None:
    """End a deploy with what it came to: how long each stage took, addresses, digests, the way back; or the data."""
    if json:
        screen.json(asdict(done))
        return
    screen.summary()
    if done.release:
        state = f"release {done.release}" if done.changed else f"nothing changed since release {done.release}"
        if done.late:
            state = f"release {done.release} ({done.late})"
        screen.say(f"{done.environment}: {state}" + (f", {done.url}" if done.url else ""), "bold")
        for service, digest in sorted(done.digests.items()):
            path = str(done.services.get(service, {}).get("path", ""))
            screen.note(f"{service}  {digest[:19]}  {done.url.rstrip('/')}{path}")
        if done.undo:
            screen.note(f"back: {done.undo}")

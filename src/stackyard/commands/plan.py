"""``inv plan``: what a deploy would do, from Terraform's own plan; nothing is made, registered or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from stackyard.commands.cost import compare_release
from stackyard.commands.observe import observe, variables
from stackyard.commands.record import read_last
from stackyard.commands.rollout import before_plan
from stackyard.commands.session import Session
from stackyard.commands.stacks import init_stack, list_changes, plan_stack, show_changes
from stackyard.commands.wanted import app_key
from stackyard.costchange import CostChange
from stackyard.errors import StackyardError
from stackyard.plan import UNBUILT
from stackyard.reports import render_plan
from stackyard.tools.holding import write_atomically
from stackyard.tools.tfevents import Change, plain_action, short_address


@dataclass(frozen=True, slots=True)
class Report:
    """What a deploy would do."""

    environment: str
    changed: bool
    summary: str
    changes: Sequence[Change]
    images: dict[str, str]
    """Tags by service, as the sources want them."""
    images_missing: list[str]
    """Those of them that the registry lacks."""
    cost: CostChange | None = None
    """What changes in a month's cost; None where that is not known."""

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {**asdict(self), "cost": None if self.cost is None else self.cost.record()}


def plan(session: Session, *, full: bool = False, allow_empty: bool = False) -> Report:
    """Plan an environment and show it; ``full`` adds every attribute in Terraform's words. Raises StackyardError."""
    screen = session.screen
    doing = f"plan --env {session.target.name}"
    with session.changing(doing) as hold, screen.stage(f"plan {session.target.name}"):
        seen = observe(session)
        for line in seen.plan.lines():
            screen.note(line)
        digests = seen.plan.foreseen_digests()
        if UNBUILT in digests.values():
            screen.warn("some images are not in the registry yet; they stand in the plan as zeros")
        given = variables(session, digests, allow_empty=allow_empty) | before_plan(session)
        stack = session.stack("app", app_key(session.target.name), given, hold, doing)
        init_stack(session, stack)
        # The plan role, which has no right to lock, can run this.
        planned = plan_stack(session, stack, lock=False)
        show_changes(session, planned)
        list_changes(session, planned)
        if full:
            screen.data(stack.show(planned))
        planned.file.unlink(missing_ok=True)
        change = _compare_cost(session)
    missing = [step.tag for step in seen.plan.images if step.digest is None]
    return Report(
        session.target.name,
        planned.changed,
        plain_action(planned.changes),
        planned.changes,
        seen.plan.tags(),
        missing,
        change,
    )


def _compare_cost(session: Session) -> CostChange | None:
    """Show what a deploy changes in a month's cost. What is not known never fails a plan."""
    screen = session.screen
    try:
        change = compare_release(session, read_last(session))
    except StackyardError as error:
        screen.note(f"cost: not known: {error}")
        return None
    if change is None:
        screen.note("cost: not compared: the running release does not say which settings it had")
        return None
    whole, *parts = change.lines()
    screen.note(f"cost: {whole}" + (", were it in AWS" if session.target.emulated else ""))
    for part in parts:
        screen.note(f"  {part}")
    return change


def write_plan(report: Report, file: Path) -> None:
    """Write a report as Markdown, without a value of any attribute. Raises MissingError where it cannot be written."""
    changes = [asdict(change) | {"address": short_address(change.address)} for change in report.changes]
    cost = report.cost.lines() if report.cost is not None else []
    write_atomically(file, render_plan(report.summary, changes, report.images_missing, cost))

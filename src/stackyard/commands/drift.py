"""``inv drift``: what of an environment was changed past Terraform; nothing is changed.

Observe (Terraform reads every resource of the state again), decide (`stackyard.drift`), tell. What the working tree
would change is no drift: `inv plan` shows that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stackyard.commands.observe import variables, wanted_images
from stackyard.commands.rollout import before_plan
from stackyard.commands.session import Session
from stackyard.commands.stacks import emulator_watched, init_stack
from stackyard.commands.wanted import app_key
from stackyard.drift import Drift, find_drift
from stackyard.plan import UNBUILT
from stackyard.reports import render_drift
from stackyard.tools.holding import write_atomically
from stackyard.tools.tfevents import short_address
from stackyard.words import plural


@dataclass(frozen=True, slots=True)
class Drifted:
    """What was found."""

    environment: str
    drift: list[Drift]


def drift(session: Session) -> Drifted:
    """Look for drift in one environment, and show it. Raises StackyardError."""
    doing = f"drift --env {session.target.name}"
    with session.changing(doing) as hold, session.screen.stage(f"look at {session.target.name}"):
        session.aws.check_caller()
        # What is read again is the state's; the images that the sources want do not count.
        digests = {image.service: UNBUILT for image in wanted_images(session)}
        given = variables(session, digests, allow_empty=True) | before_plan(session)
        stack = session.stack("app", app_key(session.target.name), given, hold, doing)
        init_stack(session, stack)
        with emulator_watched(session):
            planned = stack.plan(lambda _event: None, lock=False, refresh_only=True)
        try:
            found = find_drift(stack.show_data(planned))
        finally:
            planned.file.unlink(missing_ok=True)
    return Drifted(session.target.name, found)


def show_drift(session: Session, done: Drifted) -> None:
    """Tell what was found, and what brings it back."""
    for line in describe(done):
        session.screen.data(line)
    many = f"{plural(len(done.drift), 'resource')} changed past Terraform" if done.drift else "no drift"
    session.screen.say(f"{done.environment}: {many}", "bold")
    if done.drift:
        session.screen.note(f"inv deploy --env {done.environment} brings back what the project's files say")


def describe(done: Drifted) -> list[str]:
    """Say each in a sentence."""
    return [each.words(short_address(each.address)) for each in done.drift]


def write_drift(done: Drifted, file: Path) -> None:
    """Write it as Markdown; an empty file where there is none. Raises MissingError where it cannot be written."""
    write_atomically(file, render_drift(describe(done), f"inv deploy --env {done.environment}"))

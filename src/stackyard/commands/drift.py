"""``inv drift``: what of an environment was changed past Terraform; nothing is changed.

Observe (Terraform reads every resource of the state again), decide (`stackyard.drift`), tell, leave a
word in the state bucket. What the working tree would change is no drift: `inv plan` shows that.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stackyard.commands.observe import variables, wanted_images
from stackyard.commands.rollout import before_plan
from stackyard.commands.session import Session
from stackyard.commands.stacks import emulator_watched, init_stack
from stackyard.commands.wanted import app_key
from stackyard.drift import Drift, find_drift
from stackyard.errors import MissingError
from stackyard.plan import UNBUILT
from stackyard.reports import render_drift
from stackyard.tools.holding import who_am_i, write_atomically
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
        leave_word(session, found)
    return Drifted(session.target.name, found)


def leave_word(session: Session, found: Sequence[Drift]) -> None:
    """Write down when drift was looked for, for `inv status`; a role that may only read leaves none.

    Nor is one left of a preview: nothing would take it away with it.
    """
    target = session.target
    if target.preview:
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    word = {"looked": now, "changes": len(found), "who": who_am_i()}
    try:
        session.aws.put_text(target.state_bucket, word_key(target.name), json.dumps(word, indent=2))
    except MissingError as error:
        if "no right" not in error.what:
            raise
        session.screen.note("`inv status` does not learn of it: looked by a role that may not write")


def word_key(environment: str) -> str:
    """Return where the word lies in the state bucket."""
    return f"drift/{environment}.json"


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

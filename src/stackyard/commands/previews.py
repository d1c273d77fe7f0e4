"""What only previews need: room for one more before a deploy, and after a destroy nothing left behind.

A preview's name never comes back, so whatever a destroyed one kept would be kept for ever. Each step can be done again:
killed in between, the next `inv destroy` goes on.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from stackyard.commands.record import forget
from stackyard.commands.session import Session
from stackyard.commands.wanted import app_key
from stackyard.previews import STATES, check_room, find_previews, is_empty
from stackyard.tools.placing import take_away


def require_room(session: Session) -> None:
    """See that there is room for the session's environment, if it is a preview. Raises RefusedError.

    Two that are new in the same seconds may both be let in.
    """
    target, previews = session.target, session.project.previews
    if previews is None or not target.preview:
        return
    names = _find_states(session)
    if len({*names, target.name}) <= previews.max:
        return
    there = _find_full(session, names)
    if target.name not in there:
        check_room(target.name, there, previews.max)


def find_there(session: Session) -> list[str]:
    """Return the previews that there are in the session's account."""
    return _find_full(session, _find_states(session))


def _find_states(session: Session) -> list[str]:
    return find_previews(session.aws.list_keys(session.target.state_bucket, STATES))


def _find_full(session: Session, names: list[str]) -> list[str]:
    """Return those whose state holds something: a destroy that was killed leaves an empty one."""

    def is_there(name: str) -> bool:
        state = session.aws.read_text(session.target.state_bucket, app_key(name))
        return state is not None and not is_empty(state)

    with ThreadPoolExecutor(8) as pool:
        return [name for name, there in zip(names, pool.map(is_there, names), strict=True) if there]


def leave_nothing(session: Session) -> None:
    """Take away what a destroyed preview leaves: its images' tags, its empty state, what Terraform kept of it here."""
    target = session.target
    forget(session)
    session.aws.delete_text(target.state_bucket, app_key(target.name), is_empty)
    work = session.layout.stack_work(target.name, "app")
    if work.exists():
        take_away(work)

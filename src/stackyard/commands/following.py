"""Follow rollouts to their end, tell of every change, and make the error of those that fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from stackyard.commands.session import Session
from stackyard.errors import ToolError
from stackyard.releases import last_number, release_prefix
from stackyard.tools.live import find_live
from stackyard.tools.rollout import Standing
from stackyard.tools.settling import Rolling, last_words

PAUSES = (0.25, 5.0)
"""Seconds between two looks: a tenth of what was waited so far, and from so many to so many."""
SPARE = 900.0
"""Seconds that a gradual rollout gets beyond its own minutes."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A rollout to be watched: how to look at it, and for how long (s); with 0 its platform decides."""

    look: Callable[[], Standing]
    patience: float
    give_up: Callable[[], None] = lambda: None
    """What is done when patience is at its end."""


def insist(
    session: Session, title: str, looks: Mapping[str, Watched], services: Mapping[str, Rolling], begun: float
) -> None:
    """Follow rollouts to their end as a stage. Raises ToolError for those that fail."""
    if not looks:
        return
    with session.screen.stage(title):
        ended = dict(zip(looks, follow(session, looks), strict=True))
    failures = {name: standing.failed for name, standing in ended.items() if standing.failed}
    if failures:
        raise _failed(session, [services[name] for name in failures], failures, begun)


def follow(session: Session, looks: Mapping[str, Watched]) -> list[Standing]:
    """Watch rollouts until each has ended, and tell of every change. Returns how they ended, in the order of ``looks``.

    One that takes longer than its patience has failed.
    """
    begun, told, since = time.monotonic(), dict[str, str](), dict[str, tuple[str, float]]()
    ended: dict[str, Standing] = {}
    while True:
        for name in [each for each in looks if each not in ended]:
            standing, waited = looks[name].look(), time.monotonic() - begun
            if looks[name].patience and waited > looks[name].patience and not standing.done:
                why = standing.failed or f"not done after {waited:.0f} s: {standing.words}"
                standing = Standing(standing.words, failed=why)
                looks[name].give_up()
            if standing.done or standing.failed:
                ended[name] = standing
            words, moment = since.get(name, ("", 0.0))
            if words != standing.words:
                words, moment = since[name] = standing.words, time.monotonic()
            minutes = int((time.monotonic() - moment) / 60)
            line = f"{name}: {words}" + (f" since {minutes} min" if minutes else "")
            if told.get(name) != line and not standing.failed:
                session.screen.note(line)
                told[name] = line
        if len(ended) == len(looks):
            return [ended[name] for name in looks]
        time.sleep(min(PAUSES[1], max(PAUSES[0], (time.monotonic() - begun) / 10)))


def _failed(session: Session, services: Iterable[Rolling], failures: Mapping[str, str], begun: float) -> ToolError:
    """Make the error for rollouts that failed: why, the last lines, what serves now, what to type."""
    aws, environment = session.aws, session.target.name
    serving, detail = list[str](), list[str]()
    for service in services:
        words = last_words(aws, service, begun)
        detail += [f"{service.name}: {line}" for line in words.splitlines()]
        live = find_live(aws, service.kind, service.name)
        if live is None:
            serving.append(f"Nothing serves {service.name}.")
        elif live.digest == service.digest and service.kind != "lambda":
            serving.append(f"{service.name} has nothing else to go back to.")
        else:
            serving.append(f"Version {live.version} of {service.name} goes on serving ({live.digest[:19]}).")
    keys = aws.list_keys(session.target.state_bucket, release_prefix(session.target))
    last = last_number(keys)
    fix = f"{' '.join(serving)} No release was recorded: mend it and deploy again"
    fix += ", or bring the rest back, too." if last else "."
    command = f"inv rollback --env {environment} --to {last}" if last else f"inv deploy --env {environment}"
    what = f"{', '.join(failures)}: the new version was not kept" if failures else "the rollout failed"
    why = "; ".join(failures.values() if len(failures) == 1 else (f"{name}: {why}" for name, why in failures.items()))
    return ToolError(what, why, fix=fix, command=command, detail="\n".join(detail))

"""Bring the requests of ECS services to new tasks by blue-green, canary or linear.

Before the plan: the task definition that a service is at is observed, and Terraform told to leave it there. After the
apply, ECS is told to go to the newest one, and followed. Terraform's own changes of a service are followed, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stackyard.alarms import name_alarms
from stackyard.commands.following import SPARE, Watched, follow, insist
from stackyard.commands.session import Session
from stackyard.kinds.kind import ALL_AT_ONCE
from stackyard.services import Entry
from stackyard.tools import ecsrollout
from stackyard.tools.ecsrollout import ROLLING, SHIFT_DELAY, Leading, Tasks
from stackyard.tools.settling import Rolling
from stackyard.tools.tfevents import Change

_STARTING = 1800.0
"""Seconds that new tasks get until requests can come."""

_SERVICE = re.compile(r'^module\.ecs_service\["([^"]+)"\]\.aws_ecs_service\.this$')


def gradual_tasks(session: Session) -> list[Entry]:
    """Return the ECS services whose requests are led to new tasks."""
    return [each for each in _all(session) if each.service.rollout.strategy != ALL_AT_ONCE]


def held_tasks(session: Session) -> dict[str, str]:
    """Return the ARN of the task definition at which each of them stays. Changes nothing."""
    found = {entry.name: ecsrollout.find_tasks(session.aws, entry.name) for entry in gradual_tasks(session)}
    return {name: tasks.task_definition for name, tasks in found.items() if tasks is not None}


def finish_tasks(session: Session, digests: Mapping[str, str]) -> None:
    """Follow what an earlier run left under way, where it goes to the images that are wanted now.

    How it ends is told, not raised: what it lacks the coming rollout brings.
    """
    for entry in _all(session):
        leading = _under_way(session, entry.name)
        if leading is None or ecsrollout.find_image(session.aws, entry.name, leading.new) != digests.get(entry.name):
            continue
        with session.screen.stage(f"an earlier rollout of {entry.name}"):
            [ended] = follow(session, {entry.name: _watched(session, entry, leading)})
            session.screen.note(f"{entry.name}: {ended.failed or 'done'}")


def clear_tasks(session: Session, changes: Iterable[Change]) -> None:
    """Make the way free for Terraform: stop the rollouts of services that it changes, and end a strategy that was."""
    touched = {match[1] for each in changes if each.action != "create" and (match := _SERVICE.match(each.address))}
    wanted = {entry.name: entry for entry in _all(session)}
    for name in sorted(touched):
        leading = _under_way(session, name)
        if leading is not None:
            session.screen.note(f"{name}: stopping the rollout that is under way")
            _stop(session, leading)
        entry, tasks = wanted.get(name), ecsrollout.find_tasks(session.aws, name)
        if entry and tasks and tasks.strategy != ROLLING and entry.service.rollout.strategy == ALL_AT_ONCE:
            ecsrollout.end_strategy(session.aws, name, entry.service.rollout)


def lead(session: Session, services: Mapping[str, Rolling], begun: float, *, at_once: bool) -> None:
    """Have ECS bring requests to the newest tasks, and follow it to its end. Raises ToolError where it goes back."""
    entries = {entry.name: entry for entry in gradual_tasks(session) if entry.name in services}
    _await_others(session, entries, services, begun)
    behind = {
        name: tasks
        for name, tasks in _look(session, entries).items()
        if tasks.task_definition != _wanted(services[name])
    }
    looks: dict[str, Watched] = {}
    for name, tasks in behind.items():
        if not at_once and not ecsrollout.is_prepared(tasks, services[name].details):
            session.screen.note(f"{name}: ECS learns of both target groups first, with the tasks that there are")
            rollout = entries[name].service.rollout
            made = ecsrollout.prepare(session.aws, name, services[name].details, rollout)
            looks[name] = _watched(session, entries[name], made)
    insist(session, "make the rollout ready", looks, services, begun)
    looks = {}
    for name, tasks in behind.items():
        rollout, new = entries[name].service.rollout, _wanted(services[name])
        made = ecsrollout.start(session.aws, name, new, rollout, at_once=at_once)
        old = tasks.task_definition
        session.screen.note(f"{name}: requests come from task definition {_number(old)} to {_number(new)}")
        looks[name] = _watched(session, entries[name], made)
    insist(session, "shift requests", looks, services, begun)


def _await_others(
    session: Session, entries: Mapping[str, Entry], services: Mapping[str, Rolling], begun: float
) -> None:
    """Wait for what the apply itself began, and stop what goes to tasks that nobody wants any more."""
    looks: dict[str, Watched] = {}
    for name, entry in entries.items():
        leading = ecsrollout.find_under_way(session.aws, name)
        if leading is None:
            continue
        if leading.new in {leading.old, _wanted(services[name])}:
            looks[name] = _watched(session, entry, leading)
        else:
            _stop(session, leading)
    insist(session, "roll out", looks, services, begun)


def _look(session: Session, entries: Mapping[str, Entry]) -> dict[str, Tasks]:
    found = {name: ecsrollout.find_tasks(session.aws, name) for name in entries}
    return {name: tasks for name, tasks in found.items() if tasks is not None}


def _under_way(session: Session, service: str) -> Leading | None:
    """Return the gradual rollout of a service that is under way; a rolling one is Terraform's, or needs nobody."""
    tasks = ecsrollout.find_tasks(session.aws, service)
    return ecsrollout.find_under_way(session.aws, service) if tasks and tasks.strategy != ROLLING else None


def _stop(session: Session, leading: Leading) -> None:
    ecsrollout.stop(session.aws, leading)
    follow(session, {leading.service: Watched(lambda: ecsrollout.look_at(session.aws, leading), _STARTING)})


def _watched(session: Session, entry: Entry, leading: Leading) -> Watched:
    rollout = entry.service.rollout
    patience = 60.0 * (rollout.minutes() + SHIFT_DELAY * rollout.steps()) + _STARTING + SPARE
    return Watched(
        lambda: ecsrollout.look_at(session.aws, leading), patience, lambda: ecsrollout.stop(session.aws, leading)
    )


def _all(session: Session) -> list[Entry]:
    return [name_alarms(each, session.target) for each in session.catalog.entries if each.service.kind == "ecs"]


def _wanted(service: Rolling) -> str:
    return service.details["task_definition"]


def _number(task_definition: str) -> str:
    return task_definition.rpartition(":")[2]

"""What happens around the apply for which Terraform cannot wait: every service comes to its new version.

Before the plan: the alias of a function with a canary or linear rollout is observed, and Terraform told to leave it
there; so is the task definition of an ECS service. What an earlier run left under way is followed to its end when it
goes where this one goes; otherwise it is stopped before the apply. After the apply: each kind's platform is watched
until the new version runs, then CodeDeploy or ECS is told to bring requests to it by and by. What fails leaves the
version before it serving.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from stackyard.commands.cluster import roll_out as roll_out_in_cluster
from stackyard.commands.following import SPARE, Watched, follow, insist
from stackyard.commands.leading import clear_tasks, finish_tasks, gradual_tasks, held_tasks, lead
from stackyard.commands.record import find_underway
from stackyard.commands.session import Session
from stackyard.errors import ConfigError
from stackyard.kinds.kind import ALL_AT_ONCE
from stackyard.manifest import ROLLOUT_ALARMS
from stackyard.services import Entry
from stackyard.tools import codedeploy
from stackyard.tools.live import publish
from stackyard.tools.settling import Rolling, look_at_service, rolling_services
from stackyard.tools.tfevents import Change

_SHIFTED = re.compile(
    r'^module\.lambda_(?:service\["(?P<alias>[^"]+)"\]\.aws_lambda_alias\.live'
    r'|rollout\[0\]\.aws_codedeploy_deployment_group\.this\["(?P<group>[^"]+)"\])$'
)


def gradual_functions(session: Session) -> list[Entry]:
    """Return the functions whose requests come to a new version by and by."""
    entries = session.catalog.entries
    return [each for each in entries if each.service.kind == "lambda" and each.service.rollout.strategy != ALL_AT_ONCE]


def before_plan(session: Session) -> dict[str, str]:
    """Return what Terraform is told beside the digests: where aliases and ECS services stay. Changes nothing."""
    held: dict[str, str] = {}
    for entry in gradual_functions(session):
        alias = codedeploy.find_alias(session.aws, entry.name)
        if alias is not None:
            held[entry.name] = alias.version
    told = {"held_versions": held, "held_tasks": held_tasks(session)}
    return {name: _render_map(values) for name, values in told.items() if values}


def _render_map(values: Mapping[str, str]) -> str:
    """Render a map as Terraform reads it; names and ARNs hold nothing that would have to be escaped."""
    return "{" + ", ".join(f'"{name}" = "{value}"' for name, value in sorted(values.items())) + "}"


def check_alarms(session: Session) -> None:
    """Refuse a rollout that nothing could stop. Raises ConfigError for alarms that are not there.

    Not for the laptop, where no alarm of the account's is. A service's own alarms come with it.
    """
    named = {
        entry.name: [alarm for alarm in entry.service.rollout.alarms if alarm not in ROLLOUT_ALARMS]
        for entry in session.catalog.entries
    }
    asked = {service: alarms for service, alarms in named.items() if alarms}
    if not asked or session.target.emulated:
        return
    there = session.aws.find_alarms(sorted({name for names in asked.values() for name in names}))
    for service, names in asked.items():
        missing = [name for name in names if name not in there]
        if missing:
            raise ConfigError(
                f"src/services/{service}/service.yaml: `rollout.alarms`",
                f"{session.target.name} has no alarm {', '.join(missing)}",
                fix="Make the alarm first, or name another one for this environment below `overrides`.",
            )


def finish_earlier(session: Session, digests: Mapping[str, str]) -> None:
    """Follow the rollouts that an earlier run left under way, where they go to the images that are wanted now.

    How they end is told, not raised: what they lack the coming rollout brings.
    """
    for entry in gradual_functions(session):
        alias = codedeploy.find_alias(session.aws, entry.name)
        shifting = codedeploy.find_under_way(session.aws, entry.name) if alias and alias.weights else None
        if shifting is None or codedeploy.find_digest(session.aws, entry.name, shifting.new) != digests.get(entry.name):
            continue
        with session.screen.stage(f"an earlier rollout of {entry.name}"):
            [ended] = follow(session, {entry.name: Watched(lambda s=shifting: codedeploy.look_at(session.aws, s), 0)})
            session.screen.note(f"{entry.name}: {ended.failed or 'done'}")
    finish_tasks(session, digests)


def publish_left(session: Session) -> None:
    """Publish what a killed run may have put into a function and not published: Terraform sees nothing to do there."""
    if find_underway(session) is not None:
        for entry in session.catalog.entries:
            if entry.kind.name == "lambda":
                publish(session.aws, entry.name)


def clear_way(session: Session, changes: Iterable[Change]) -> None:
    """Stop rollouts of what Terraform is about to change, and wait for their end."""
    changes = list(changes)
    clear_tasks(session, changes)
    found = [match for each in changes if each.action != "create" and (match := _SHIFTED.match(each.address))]
    for service in sorted({match["alias"] or match["group"] for match in found}):
        shifting = codedeploy.find_under_way(session.aws, service)
        if shifting is None:
            continue
        session.screen.note(f"{service}: stopping the rollout of version {shifting.new or '?'} that is under way")
        codedeploy.stop(session.aws, shifting)
        follow(session, {service: Watched(lambda s=shifting: codedeploy.look_at(session.aws, s), 0)})


def roll_out(session: Session, outputs: Mapping[str, Any], *, at_once: bool = False) -> None:
    """Bring every service to its new image, and wait until it runs.

    Raises ToolError with the reason, the service's last lines and what serves now for a rollout that fails.

    Args:
        session: The command's.
        outputs: Of the applied state.
        at_once: Take no steps, whatever the services ask for: a rollback is not tried out.

    """
    if outputs.get("eks"):
        with session.screen.stage("roll out in the cluster"):
            roll_out_in_cluster(session, outputs)
    begun = time.time()
    services = {each.name: each for each in rolling_services(outputs.get("services") or {})}
    led = {entry.name for entry in gradual_tasks(session)}
    _settle(session, {name: each for name, each in services.items() if name not in led}, begun)
    _shift(session, services, begun, at_once=at_once)
    lead(session, services, begun, at_once=at_once)


def _settle(session: Session, services: Mapping[str, Rolling], begun: float) -> None:
    """Wait until the platforms say that the new versions run."""
    looks = {
        name: Watched(lambda each=each: look_at_service(session.aws, each), each.patience)
        for name, each in services.items()
    }
    first = {name: watched.look() for name, watched in looks.items()}
    waiting = {name: watched for name, watched in looks.items() if not first[name].done}
    insist(session, "roll out", waiting, services, begun)


def _shift(session: Session, services: Mapping[str, Rolling], begun: float, *, at_once: bool) -> None:
    """Have CodeDeploy bring requests to the functions' new versions, and follow it to its end."""
    looks: dict[str, Watched] = {}
    for entry in gradual_functions(session):
        service, alias = services.get(entry.name), codedeploy.find_alias(session.aws, entry.name)
        if service is None or alias is None or alias.version == service.version:
            continue
        shifting = _start(session, entry.name, alias.version, service.version, at_once=at_once)
        patience = 60 * entry.service.rollout.minutes() + SPARE
        looks[entry.name] = Watched(lambda s=shifting: codedeploy.look_at(session.aws, s), patience)
    insist(session, "shift requests", looks, services, begun)


def _start(session: Session, service: str, old: str, new: str, *, at_once: bool) -> codedeploy.Shifting:
    """Start a deployment; one that is under way is followed when it goes to the same version, and else stopped."""
    while True:
        made = codedeploy.start(session.aws, service, old, new, at_once=at_once)
        if made is not None:
            session.screen.note(f"{service}: requests come from version {old} to version {new}")
            return made
        other = codedeploy.find_under_way(session.aws, service)
        if other is not None and other.new == new:
            return other
        if other is not None:
            codedeploy.stop(session.aws, other)
            follow(session, {service: Watched(lambda s=other: codedeploy.look_at(session.aws, s), 0)})

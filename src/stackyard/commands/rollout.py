"""What happens around the apply for which Terraform cannot wait: every service comes to its new version.

Before the plan: the alias of a function with a canary or linear rollout is observed, and Terraform told to leave it
there. What an earlier run left under way is followed to its end when it goes where this one goes; otherwise it is
stopped before the apply. After the apply: each kind's platform is watched until the new version runs, then CodeDeploy
is told to bring requests to it by and by. What fails leaves the version before it serving.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stackyard.commands.cluster import roll_out as roll_out_in_cluster
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, ToolError
from stackyard.kinds.kind import ALL_AT_ONCE
from stackyard.manifest import ROLLOUT_ALARMS
from stackyard.releases import last_number, release_prefix
from stackyard.services import Entry
from stackyard.tools import codedeploy
from stackyard.tools.live import find_live
from stackyard.tools.rollout import Standing
from stackyard.tools.settling import Rolling, last_words, look_at_service, rolling_services
from stackyard.tools.tfevents import Change

PAUSES = (0.25, 5.0)
"""Seconds between two looks: a tenth of what was waited so far, and from so many to so many."""
SPARE = 900.0
"""Seconds that a gradual rollout gets beyond its own minutes."""

_SHIFTED = re.compile(
    r'^module\.lambda_(?:service\["(?P<alias>[^"]+)"\]\.aws_lambda_alias\.live'
    r'|rollout\[0\]\.aws_codedeploy_deployment_group\.this\["(?P<group>[^"]+)"\])$'
)


def gradual_services(session: Session) -> list[Entry]:
    """Return the services whose requests come to a new version by and by."""
    entries = session.catalog.entries
    return [each for each in entries if each.service.kind == "lambda" and each.service.rollout.strategy != ALL_AT_ONCE]


def before_plan(session: Session) -> dict[str, str]:
    """Return what Terraform is told beside the digests: the versions at which aliases stay. Changes nothing."""
    held: dict[str, str] = {}
    for entry in gradual_services(session):
        alias = codedeploy.find_alias(session.aws, entry.name)
        if alias is not None:
            held[entry.name] = alias.version
    body = ", ".join(f'"{name}" = "{version}"' for name, version in sorted(held.items()))
    return {"held_versions": f"{{{body}}}"} if held else {}


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
    for entry in gradual_services(session):
        alias = codedeploy.find_alias(session.aws, entry.name)
        shifting = codedeploy.find_under_way(session.aws, entry.name) if alias and alias.weights else None
        if shifting is None or codedeploy.find_digest(session.aws, entry.name, shifting.new) != digests.get(entry.name):
            continue
        with session.screen.stage(f"an earlier rollout of {entry.name}"):
            [ended] = _follow(session, {entry.name: _Watched(lambda s=shifting: codedeploy.look_at(session.aws, s), 0)})
            session.screen.note(f"{entry.name}: {ended.failed or 'done'}")


def clear_way(session: Session, changes: Iterable[Change]) -> None:
    """Stop rollouts whose alias or deployment group Terraform is about to change, and wait for their end."""
    found = [match for each in changes if each.action != "create" and (match := _SHIFTED.match(each.address))]
    for service in sorted({match["alias"] or match["group"] for match in found}):
        shifting = codedeploy.find_under_way(session.aws, service)
        if shifting is None:
            continue
        session.screen.note(f"{service}: stopping the rollout of version {shifting.new or '?'} that is under way")
        codedeploy.stop(session.aws, shifting)
        _follow(session, {service: _Watched(lambda s=shifting: codedeploy.look_at(session.aws, s), 0)})


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
    _settle(session, services, begun)
    _shift(session, services, begun, at_once=at_once)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A rollout to be watched: how to look at it, and for how long (s)."""

    look: Callable[[], Standing]
    patience: float


def _settle(session: Session, services: Mapping[str, Rolling], begun: float) -> None:
    """Wait until the platforms say that the new versions run."""
    looks = {
        name: _Watched(lambda each=each: look_at_service(session.aws, each), each.patience)
        for name, each in services.items()
    }
    first = {name: watched.look() for name, watched in looks.items()}
    waiting = {name: watched for name, watched in looks.items() if not first[name].done}
    _insist(session, "roll out", waiting, services, begun)


def _shift(session: Session, services: Mapping[str, Rolling], begun: float, *, at_once: bool) -> None:
    """Have CodeDeploy bring requests to the functions' new versions, and follow it to its end."""
    looks: dict[str, _Watched] = {}
    for entry in gradual_services(session):
        service, alias = services.get(entry.name), codedeploy.find_alias(session.aws, entry.name)
        if service is None or alias is None or alias.version == service.version:
            continue
        shifting = _start(session, entry.name, alias.version, service.version, at_once=at_once)
        patience = 60 * entry.service.rollout.minutes() + SPARE
        looks[entry.name] = _Watched(lambda s=shifting: codedeploy.look_at(session.aws, s), patience)
    _insist(session, "shift requests", looks, services, begun)


def _insist(
    session: Session, title: str, looks: Mapping[str, _Watched], services: Mapping[str, Rolling], begun: float
) -> None:
    """Follow rollouts to their end as a stage. Raises ToolError for those that fail."""
    if not looks:
        return
    with session.screen.stage(title):
        ended = dict(zip(looks, _follow(session, looks), strict=True))
    failures = {name: standing.failed for name, standing in ended.items() if standing.failed}
    if failures:
        raise _failed(session, [services[name] for name in failures], failures, begun)


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
            _follow(session, {service: _Watched(lambda s=other: codedeploy.look_at(session.aws, s), 0)})


def _follow(session: Session, looks: Mapping[str, _Watched]) -> list[Standing]:
    """Watch rollouts until each has ended, and tell of every change. Returns how they ended, in the order of ``looks``.

    One that takes longer than its patience has failed; a patience of 0 is CodeDeploy's own.
    """
    begun, told, since = time.monotonic(), dict[str, str](), dict[str, tuple[str, float]]()
    ended: dict[str, Standing] = {}
    while True:
        for name in [each for each in looks if each not in ended]:
            standing, waited = looks[name].look(), time.monotonic() - begun
            if looks[name].patience and waited > looks[name].patience and not standing.done:
                why = standing.failed or f"not done after {waited:.0f} s: {standing.words}"
                standing = Standing(standing.words, failed=why)
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

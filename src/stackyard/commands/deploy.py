"""``inv deploy``: bring an environment to what the working tree says.

Observe (git, who we are, which images the registry has), plan (pure, `stackyard.plan`), show (the same lines serve
``--dry-run``; a protected environment asks), execute (register or find the images, Terraform), verify (observe again:
the running digest is the planned one, ``/health`` answers through the gateway), record the release. Killed at any
point, the next run goes on from what Terraform's state says; a failed apply leaves no record.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from stackyard.commands.cluster import roll_out, take_away
from stackyard.commands.observe import Observed, observe, variables
from stackyard.commands.secrets import check_secrets
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
from stackyard.errors import ConfigError, MissingError, RefusedError, ToolError
from stackyard.images import build_command, render_manifest
from stackyard.releases import Release, last_number, release_key, release_prefix, release_tags
from stackyard.screen import Screen
from stackyard.tools.holding import who_am_i, write_atomically
from stackyard.tools.terraform import Stack
from stackyard.tools.tfevents import plain_action


@dataclass(frozen=True, slots=True)
class Options:
    """How a deploy was asked for."""

    dry_run: bool = False
    yes: bool = False
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deploy came to."""

    environment: str
    changed: bool
    summary: str
    release: int
    url: str
    digests: Mapping[str, str]
    services: Mapping[str, Mapping[str, Any]]
    healthy: bool | None
    """None where no gateway runs yet that could be asked."""


def app_key(environment: str) -> str:
    """Return where an environment's state lies in the bucket."""
    return f"app/{environment}/terraform.tfstate"


def deploy(session: Session, options: Options) -> Deployed:
    """Deploy an environment. Raises StackyardError."""
    target, screen = session.target, session.screen
    check_services(session, options)
    doing = f"deploy --env {target.name}"
    with session.changing(doing) as hold:
        with screen.stage(f"look at {target.name}"):
            seen = observe(session)
            check_secrets(session, make=not options.dry_run)
            for line in seen.plan.lines():
                screen.note(line)
        digests = seen.plan.foreseen_digests() if options.dry_run else make_images(session, seen)
        given = variables(session, digests, allow_empty=options.allow_empty)
        stack = session.stack("app", app_key(target.name), given, hold, doing)
        with screen.stage("plan"):
            init_stack(session, stack)
            planned = plan_stack(session, stack)
            show_changes(session, planned)
        if options.dry_run:
            list_changes(session, planned)
            planned.file.unlink(missing_ok=True)
            return Deployed(target.name, planned.changed, plain_action(planned.changes), 0, "", digests, {}, None)
        if planned.changed:
            list_changes(session, planned)
            with discarded_when_refused(planned):
                ask_if_protected(session, yes=options.yes, command=f"inv {doing} --yes")
            # Killed between here and the record, the next run still knows that a release is owed.
            write_atomically(session.layout.unrecorded(target.name), "")
            with screen.stage("apply"):
                take_away(session, planned.changes)
                apply_stack(session, stack, planned)
        else:
            planned.file.unlink(missing_ok=True)
        return _finish(session, seen, digests, stack, plain_action(planned.changes), changed=planned.changed)


def check_services(session: Session, options: Options) -> None:
    """Read the services, and refuse to deploy none of them by accident. Raises ConfigError."""
    if not session.catalog.entries and not options.allow_empty:
        raise ConfigError(
            "there are no services",
            "src/services holds no folder with a service.yaml",
            fix="Add one; or, to take the last one away, say so.",
            command=f"inv deploy --env {session.target.name} --allow-empty",
        )


def make_images(session: Session, seen: Observed) -> dict[str, str]:
    """Return every service's digest, registering what the embedded registry lacks.

    Raises MissingError for an image that a real registry does not have.
    """
    digests = {step.image.service: step.digest for step in seen.plan.images if step.digest}
    missing = seen.plan.missing()
    if missing and not seen.plan.registers:
        names = ", ".join(image.tag for image in missing)
        repository = session.target.image_repository
        raise MissingError(
            f"the image repository {repository} lacks {names}",
            "a deploy takes images by their digest",
            fix="Log docker in to the registry, then build and push each of them like this; then deploy again.",
            command=build_command(missing[0], session.target.registry, repository),
        )
    for image in missing:
        manifest = render_manifest(image)
        digests[image.service] = session.aws.put_image(session.target.image_repository, image.tag, manifest)
    return digests


def ask_if_protected(session: Session, *, yes: bool, command: str) -> None:
    """Ask before a protected environment is changed. Raises RefusedError, with the command that says yes."""
    if session.target.protected and not yes:
        confirm(session.screen, f"{session.target.name} is protected. Go on? [y/N] ", {"y", "yes"}, command)


def confirm(screen: Screen, question: str, allowed: set[str], command: str) -> None:
    """Ask at the terminal; anything but an allowed answer refuses. Never asks where nobody can answer."""
    if not sys.stdin.isatty():
        raise RefusedError("this needs a yes", "and there is no terminal to ask at", command=command)
    screen.err.write(question)
    screen.err.flush()
    if sys.stdin.readline().strip() not in allowed:
        raise RefusedError("not confirmed", "nothing was changed", command=command)


def _finish(
    session: Session, seen: Observed, digests: Mapping[str, str], stack: Stack, summary: str, *, changed: bool
) -> Deployed:
    """Read the outputs, verify, tell the local gateway, record the release."""
    target, screen = session.target, session.screen
    outputs = stack.outputs()
    if outputs.get("eks"):
        with screen.stage("roll out"):
            roll_out(session, outputs)
    with screen.stage("verify"):
        services = cast("dict[str, dict[str, Any]]", outputs.get("services") or {})
        live = find_all_live(session, services)
        wrong = verify_digests(live, digests)
        if wrong:
            raise ToolError("the deploy did not take", "; ".join(wrong), command=f"inv deploy --env {target.name}")
        url = cast("str", outputs.get("url") or "")
        if session.endpoint:
            url = tell_gateway(session, session.endpoint, outputs, live)
        healthy = verify_health(session, url, services) if url else None
    number = _record(session, seen, digests, summary, changed=changed)
    return Deployed(target.name, changed, summary, number, url, digests, services, healthy)


def _record(session: Session, seen: Observed, digests: Mapping[str, str], summary: str, *, changed: bool) -> int:
    """Write the release's record and return its number; the last one's where nothing changed."""
    target = session.target
    number = last_number(session.aws.list_keys(target.state_bucket, release_prefix(target)))
    unrecorded = session.layout.unrecorded(target.name)
    if not (changed or unrecorded.exists()) and number and _recorded(session, number) == digests:
        return number
    while True:
        number += 1
        revision = seen.revision
        release = Release(
            number=number,
            environment=target.name,
            digests=dict(digests),
            commit=revision.commit if revision else "",
            dirty=revision.dirty if revision else True,
            who=who_am_i(),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            summary=summary,
            images={step.image.service: step.image.tag for step in seen.plan.images},
        )
        if session.aws.put_new(target.state_bucket, release_key(target, number), release.record()):
            session.aws.tag_images(target.image_repository, release_tags(release))
            unrecorded.unlink(missing_ok=True)
            return number


def _recorded(session: Session, number: int) -> Mapping[str, str]:
    """Return the digests of a release's record."""
    text = session.aws.read_text(session.target.state_bucket, release_key(session.target, number))
    try:
        return cast("dict[str, dict[str, str]]", json.loads(text or ""))["digests"]
    except (ValueError, KeyError, TypeError):
        return {}


def show_deployed(screen: Screen, done: Deployed) -> None:
    """End a deploy with what it came to: address, digests, how long each stage took."""
    screen.summary()
    if done.release:
        state = f"release {done.release}" if done.changed else f"nothing changed since release {done.release}"
        screen.say(f"{done.environment}: {state}" + (f", {done.url}" if done.url else ""), "bold")
        for service, digest in sorted(done.digests.items()):
            screen.note(f"{service}  {digest[:19]}  {done.services.get(service, {}).get('path', '')}")

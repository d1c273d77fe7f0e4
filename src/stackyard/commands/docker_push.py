"""``inv docker-push``: build and push the images that the registry lacks, and change nothing else.

Observe as a deploy does, leave out the services that were not asked for, build and push the rest by one bake, and say
what is there. A deploy afterwards finds them and needs no docker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from stackyard.bake import REGISTRY
from stackyard.commands.build import check_saved, make_images
from stackyard.commands.observe import Observed, observe
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError
from stackyard.tools.registry import START


@dataclass(frozen=True, slots=True)
class Pushed:
    """One service's image."""

    service: str
    tag: str
    platform: str
    digest: str
    """Empty where it was not built, for a dry run."""
    state: Literal["there", "pushed", "missing"]
    """``there``, ``pushed``, or ``missing`` after a dry run."""


def docker_push(
    session: Session, services: Sequence[str] = (), *, dry_run: bool = False, allow_dirty: bool = False
) -> list[Pushed]:
    """Push the images of some services, of all where none is named. Raises StackyardError."""
    target, screen = session.target, session.screen
    unknown = sorted(set(services) - set(session.catalog.names()))
    if unknown:
        there = ", ".join(session.catalog.names()) or "none"
        raise ConfigError(f"there is no service {', '.join(unknown)}", f"src/services has {there}")
    doing = " ".join([f"docker-push --env {target.name}", *(f"--service {name}" for name in services)])
    with session.changing(doing) as hold:
        with screen.stage(f"look at {target.name}"):
            seen = _narrow(observe(session), services)
            _check_registry(seen)
            for line in seen.plan.lines():
                screen.note(line)
        missing = {image.service for image in seen.plan.missing()}
        if not dry_run and missing:
            check_saved(session, seen.revision, allow_dirty=allow_dirty)
        digests = make_images(session, seen, hold, doing) if not dry_run else {}
    made = "missing" if dry_run else "pushed"
    return [
        Pushed(
            step.image.service,
            step.tag,
            step.image.platform,
            digests.get(step.image.service, step.digest or ""),
            made if step.image.service in missing else "there",
        )
        for step in seen.plan.images
    ]


def _narrow(seen: Observed, services: Sequence[str]) -> Observed:
    steps = tuple(step for step in seen.plan.images if not services or step.image.service in services)
    return replace(seen, plan=replace(seen.plan, images=steps))


def _check_registry(seen: Observed) -> None:
    if seen.registry is None:
        raise MissingError(
            "there is no registry for the laptop's images",
            f"{REGISTRY} is not set; `inv deploy --env local` needs none, because it builds nothing",
            fix=f"Start one: {START}",
            command=f"export {REGISTRY}=127.0.0.1:5000   # then the same command again",
        )


def show_pushed(session: Session, images: Sequence[Pushed]) -> None:
    """Print what the registry has."""
    rows = [[each.service, each.tag, each.platform, each.state, each.digest[:19]] for each in images]
    session.screen.table(["SERVICE", "TAG", "PLATFORM", "STATE", "DIGEST"], rows)

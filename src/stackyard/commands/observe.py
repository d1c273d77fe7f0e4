"""What deploy, plan and services look at before they decide: images wanted, images there, releases so far."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError
from stackyard.images import Image, find_unfit, find_unlocked, own_folders, plan_images
from stackyard.plan import DeployPlan, plan_deploy
from stackyard.services import Entry
from stackyard.tools.git import Revision, describe_revision
from stackyard.tools.tree import hash_files, hash_package, read_lock

SHARED = ("Dockerfile", ".dockerignore")

KIT = "src/servicekit"


def wanted_images(session: Session) -> tuple[Image, ...]:
    """Return the image that each service's sources want now.

    Raises MissingError, but not for the laptop, where the lock does not know a service yet.
    """
    entries, lock = session.catalog.entries, read_lock(session.root, session.layout.cache)
    unlocked = find_unlocked(lock, session.catalog.names())
    if unlocked and not session.target.emulated:
        raise MissingError(
            "uv.lock",
            f"it has no package {', '.join(unlocked)}",
            fix="A service's package is called in its pyproject.toml as its folder is; lock again.",
            command="uv lock",
        )
    if not session.target.emulated:
        check_lock(session)
        check_extras(entries, lock)
    return plan_images(entries, hash_sources(session, lock), hash_files(session.root, SHARED), lock)


def hash_sources(session: Session, lock: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Hash what of the project's own goes into each service's image, by service and path."""
    read: dict[str, dict[str, str]] = {}
    found: dict[str, dict[str, str]] = {}
    for entry in session.catalog.entries:
        # A service that the laptop's lock does not know yet is taken to draw in what any does.
        for folder in {entry.folder, *(own_folders(lock, entry.name) or [KIT])}:
            if folder not in read:
                read[folder] = hash_package(session.root, folder)
            found.setdefault(entry.name, {}).update(read[folder])
    return found


def check_lock(session: Session) -> None:
    """Refuse to deploy packages other than those that the project's files ask for. Raises ConfigError."""
    uv = os.environ.get("UV") or session.runner.which("uv")
    if uv is None:
        return
    done = session.runner.run([uv, "lock", "--check", "--quiet"], cwd=session.root, timeout=120)
    if done.code != 0:
        why = "does not fit the pyproject.toml files any more"
        raise ConfigError("uv.lock", why, command="uv lock", detail=done.stderr)


def check_extras(entries: Iterable[Entry], lock: Mapping[str, Any]) -> None:
    """Refuse services that lack what they are run with; the laptop's own Python has it. Raises ConfigError."""
    for entry, extras in find_unfit(entries, lock):
        asked = f"servicekit[{','.join(extras)}]"
        what = f"a service of kind {entry.kind.name}{' with secrets' if 'secrets' in extras else ''}"
        raise ConfigError(
            f"{entry.folder}/pyproject.toml",
            f"it does not ask for {asked}; {what} needs that",
            command=f"uv add --package {entry.name} '{asked}'",
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """The facts that a deploy is decided on."""

    revision: Revision | None
    plan: DeployPlan


def observe(session: Session) -> Observed:
    """Look at git, the caller, the sources and the registry. Raises StackyardError."""
    images = wanted_images(session)
    session.aws.check_caller()
    found = session.aws.find_images(session.target.image_repository, [image.tag for image in images]) if images else {}
    plan = plan_deploy(session.target, session.catalog, images, found, registers=session.target.emulated)
    return Observed(describe_revision(session.runner, session.root), plan)


def variables(session: Session, digests: Mapping[str, str], *, allow_empty: bool = False) -> dict[str, str]:
    """Return what infra/app is told: the environment's name and the digest of every service."""
    body = ", ".join(f'"{name}" = "{digest}"' for name, digest in sorted(digests.items()))
    given = {"environment": session.target.name, "image_digests": f"{{{body}}}"}
    return {**given, "allow_empty": "true"} if allow_empty else given

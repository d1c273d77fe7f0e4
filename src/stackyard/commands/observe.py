"""What deploy, plan and services look at before they decide: images wanted, images there, releases so far."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stackyard.bake import Registry, base_image, find_registry
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError, ToolError
from stackyard.images import Image, find_unfit, find_unlocked, is_index, manifest_digest, own_folders, plan_images
from stackyard.plan import DeployPlan, plan_deploy
from stackyard.services import Entry
from stackyard.tools.git import Revision, describe_revision, find_blobs
from stackyard.tools.registry import find_manifest
from stackyard.tools.tree import hash_files, hash_package, read_lock
from stackyard.tools.uv import find_uv

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
    known = find_blobs(session.runner, session.root, ["src", *SHARED])
    shared = hash_files(session.root, SHARED, known)
    return plan_images(entries, hash_sources(session, lock, known), shared, lock, base=base_image(os.environ))


def hash_sources(session: Session, lock: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Hash what of the project's own goes into each service's image, by service and path."""
    read: dict[str, dict[str, str]] = {}
    found: dict[str, dict[str, str]] = {}
    for entry in session.catalog.entries:
        # A service that the laptop's lock does not know yet is taken to draw in what any does.
        for folder in {entry.folder, *(own_folders(lock, entry.name) or [KIT])}:
            if folder not in read:
                read[folder] = hash_package(session.root, folder, known)
            found.setdefault(entry.name, {}).update(read[folder])
    return found


def check_lock(session: Session) -> None:
    """Refuse to deploy packages other than those that the project's files ask for. Raises ConfigError."""
    uv = find_uv(session.runner)
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
        why = [word for extra, word in (("secrets", "secrets"), ("jwt", "`auth`")) if extra in extras]
        what = f"a service of kind {entry.kind.name}{' with ' if why else ''}{' and '.join(why)}"
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
    registry: Registry | None
    """Where images are pushed to; None where nothing is built."""


def observe(session: Session) -> Observed:
    """Look at git, the caller, the sources and the registry. Raises StackyardError."""
    images = wanted_images(session)
    registry = find_registry(session.target, os.environ)
    session.aws.check_caller()
    found = find_digests(session, registry, images)
    plan = plan_deploy(session.target, session.catalog, images, found, registers=registry is None)
    return Observed(describe_revision(session.runner, session.root), plan, registry)


def find_digests(session: Session, registry: Registry | None, images: Iterable[Image]) -> dict[str, str]:
    """Return the digests of those images that the registry has, by tag, stand-ins among them where nothing is built.

    Raises ToolError for an image that Lambda would not take.
    """
    wanted = {image.tag: image for image in images}
    if registry is not None and registry.plain:
        asked = {tag: find_manifest(registry, tag) for tag in wanted}
        manifests = {tag: (manifest_digest(text), text) for tag, text in asked.items() if text is not None}
    else:
        stand_ins = [image.stand_in for image in wanted.values()] if registry is None else []
        tags = [*wanted, *stand_ins]
        manifests = session.aws.find_manifests(session.target.image_repository, tags) if tags else {}
    for tag, (_, manifest) in manifests.items():
        if tag in wanted and wanted[tag].target == "lambda" and is_index(manifest):
            raise ToolError(
                f"the image {tag} is an image index, which Lambda does not take",
                "it was built for several platforms, or with provenance or an SBOM",
                fix="Take the tag away, then the image is built again, without those.",
                command=f"aws ecr batch-delete-image --repository-name {session.target.image_repository} "
                f"--image-ids imageTag={tag}",
            )
    return {tag: digest for tag, (digest, _) in manifests.items()}


def variables(session: Session, digests: Mapping[str, str], *, allow_empty: bool = False) -> dict[str, str]:
    """Return what infra/app is told: the environment's name and the digest of every service."""
    body = ", ".join(f'"{name}" = "{digest}"' for name, digest in sorted(digests.items()))
    given = {"environment": session.target.name, "image_digests": f"{{{body}}}"}
    return {**given, "allow_empty": "true"} if allow_empty else given

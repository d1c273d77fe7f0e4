"""``inv deploy``: bring an environment to what the working tree says.

Observe (git, who we are, which images the registry has), plan (pure, `stackyard.plan`), show (the same lines serve
``--dry-run``; a protected environment asks), execute (make or find the images, Terraform), verify (observe again: the
running digest is the planned one, ``/health`` answers through the gateway), record the release.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from stackyard.commands.bring import bring
from stackyard.commands.build import check_saved, make_images
from stackyard.commands.observe import observe
from stackyard.commands.previews import require_room
from stackyard.commands.record import read_last
from stackyard.commands.secrets import check_secrets
from stackyard.commands.session import Session
from stackyard.commands.wanted import Deployed, Options, Wanted
from stackyard.errors import ConfigError, MissingError
from stackyard.releases import Release


def deploy(session: Session, options: Options) -> Deployed:
    """Deploy an environment. Raises StackyardError."""
    target, screen = session.target, session.screen
    check_services(session, options)
    doing = " ".join([f"deploy --env {target.name}", *(f"--service {name}" for name in options.services)])
    with session.changing(doing) as hold:
        with screen.stage(f"look at {target.name}"):
            seen = observe(session)
            before = find_kept(session, options.services) if options.services else None
            if before is not None:
                steps = tuple(step for step in seen.plan.images if step.image.service in options.services)
                seen = replace(seen, plan=replace(seen.plan, images=steps))
            require_room(session)
            check_secrets(session, make=not options.dry_run)
            for line in seen.plan.lines():
                screen.note(line)
        if options.dry_run:
            digests = seen.plan.foreseen_digests()
        else:
            check_saved(session, seen.revision, allow_dirty=options.allow_dirty)
            digests = make_images(session, seen, hold, doing)
        tags = seen.plan.tags()
        if before is not None:
            digests, tags = {**before.digests, **digests}, {**before.images, **tags}
        return bring(session, hold, doing, Wanted(digests, tags, seen.revision), options)


def find_kept(session: Session, chosen: Collection[str]) -> Release:
    """Return the release whose images the services keep that were not chosen. Raises MissingError."""
    target, names = session.target, set(session.catalog.names())
    all_of_it = f"inv deploy --env {target.name}"
    if unknown := sorted(set(chosen) - names):
        raise MissingError(f"there is no service {unknown[0]}", f"src/services has {', '.join(sorted(names))}")
    release = read_last(session)
    if release is None:
        raise MissingError(f"{target.name} has no release yet", "the first one is of all services", command=all_of_it)
    if new := sorted(names - set(chosen) - set(release.digests)):
        why = f"{', '.join(new)} is not in release {release.number} and was not named"
        raise MissingError("every service needs an image", why, command=all_of_it)
    return replace(release, digests={name: digest for name, digest in release.digests.items() if name in names})


def check_services(session: Session, options: Options) -> None:
    """Read the services, and refuse to deploy none of them by accident. Raises ConfigError."""
    if not session.catalog.entries and not options.allow_empty:
        raise ConfigError(
            "there are no services",
            "src/services holds no folder with a service.yaml",
            fix="Add one; or, to take the last one away, say so.",
            command=f"inv deploy --env {session.target.name} --allow-empty",
        )

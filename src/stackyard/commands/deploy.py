"""``inv deploy``: bring an environment to what the working tree says.

Observe (git, who we are, which images the registry has), plan (pure, `stackyard.plan`), show (the same lines serve
``--dry-run``; a protected environment asks), execute (make or find the images, Terraform), verify (observe again: the
running digest is the planned one, ``/health`` answers through the gateway), record the release.
"""

from __future__ import annotations

from stackyard.commands.bring import bring
from stackyard.commands.build import check_saved, make_images
from stackyard.commands.observe import observe
from stackyard.commands.previews import require_room
from stackyard.commands.secrets import check_secrets
from stackyard.commands.session import Session
from stackyard.commands.wanted import Deployed, Options, Wanted
from stackyard.errors import ConfigError


def deploy(session: Session, options: Options) -> Deployed:
    """Deploy an environment. Raises StackyardError."""
    target, screen = session.target, session.screen
    check_services(session, options)
    doing = f"deploy --env {target.name}"
    with session.changing(doing) as hold:
        with screen.stage(f"look at {target.name}"):
            seen = observe(session)
            require_room(session)
            check_secrets(session, make=not options.dry_run)
            for line in seen.plan.lines():
                screen.note(line)
        if options.dry_run:
            digests = seen.plan.foreseen_digests()
        else:
            check_saved(session, seen.revision, allow_dirty=options.allow_dirty)
            digests = make_images(session, seen, hold, doing)
        return bring(session, hold, doing, Wanted(digests, seen.plan.tags(), seen.revision), options)


def check_services(session: Session, options: Options) -> None:
    """Read the services, and refuse to deploy none of them by accident. Raises ConfigError."""
    if not session.catalog.entries and not options.allow_empty:
        raise ConfigError(
            "there are no services",
            "src/services holds no folder with a service.yaml",
            fix="Add one; or, to take the last one away, say so.",
            command=f"inv deploy --env {session.target.name} --allow-empty",
        )

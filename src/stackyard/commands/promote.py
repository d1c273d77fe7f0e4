"""``inv promote``: bring to one environment the very images that another one runs.

Observe (the release, the working tree's services, the image repository), refuse what does not fit, copy what is in
another account's registry, then what every change shares (`commands.bring`). Nothing is built. Settings and Terraform
are the working tree's.
"""

from __future__ import annotations

from stackyard.commands.bring import bring
from stackyard.commands.fit import check_fit, look_at_tree, tell_settings
from stackyard.commands.previews import require_room
from stackyard.commands.record import find_release, find_underway, read_last
from stackyard.commands.secrets import check_secrets
from stackyard.commands.session import Session
from stackyard.commands.wanted import Deployed, Options, Wanted
from stackyard.errors import MissingError, RefusedError
from stackyard.project import Target
from stackyard.releases import Release, Source
from stackyard.words import plural


def promote(session: Session, source: Session, options: Options, number: int = 0) -> Deployed:
    """Bring ``source``'s release, the last one or ``number``, to the session's environment. Raises StackyardError."""
    target, screen = session.target, session.screen
    check_pair(source.target, target)
    doing = f"promote --from {source.target.name} --to {target.name}" + (f" --release {number}" if number else "")
    with session.changing(doing) as hold:
        with screen.stage(f"look at {source.target.name} and {target.name}"):
            session.aws.check_caller()
            release = find_release(source, number) if number else read_last(source)
            if release is None:
                name = source.target.name
                raise MissingError(f"{name} has no release yet", command=f"inv deploy --env {name}")
            screen.note(f"{source.target.name}: {release.words()}")
            underway = find_underway(source) if not number else None
            if underway is not None and underway.id != release.id:
                what = f"what {underway.who} began there at {underway.when} has not ended"
                screen.warn(f"{source.target.name}: {what}; this is the last release before it")
            check_fit(session, release, f"inv {doing}")
            tell_settings(source, release)
            check_secrets(session, make=False)
            require_room(session)
            missing = find_missing(session, release)
            revision = look_at_tree(session, options)
        if missing:
            bring_images(session, source, release, missing, dry_run=options.dry_run)
        origin = Source("promote", source.target.name, release.number)
        wanted = Wanted(release.digests, release.images, revision, origin, release.sources())
        return bring(session, hold, doing, wanted, options)


def check_pair(source: Target, target: Target) -> None:
    """Refuse pairs of environments that share no way for images. Raises RefusedError."""
    if source.name == target.name:
        raise RefusedError(
            f"{source.name} cannot be promoted to itself",
            "an older release is brought back by a rollback",
            command=f"inv rollback --env {source.name}",
        )
    if source.emulated or target.emulated:
        raise RefusedError(
            f"{source.name} cannot be promoted to {target.name}",
            "the laptop's images are registered in its own embedded AWS alone",
            command=f"inv deploy --env {target.name}",
        )


def find_missing(session: Session, release: Release) -> dict[str, str]:
    """Return those of a release's images that the environment's repository lacks: digest by service."""
    from stackyard.tools.repository import Repository  # noqa: PLC0415  (botocore takes 65 ms; not every command needs it)

    there = Repository(session.aws).find_digests(release.digests.values())
    return {service: digest for service, digest in release.digests.items() if digest not in there}


def bring_images(
    session: Session, source: Session, release: Release, missing: dict[str, str], *, dry_run: bool
) -> None:
    """Copy images from one account's registry to another's, by digest. Raises MissingError for what has expired."""
    if (source.target.registry, source.target.image_repository) == (
        session.target.registry,
        session.target.image_repository,
    ):
        raise expired(release, missing, f"inv deploy --env {source.target.name}")
    if gone := {service: missing[service] for service in find_missing(source, release) if service in missing}:
        raise expired(release, gone, f"inv deploy --env {source.target.name}")
    what = f"copy {plural(len(missing), 'image')} from {source.target.registry}"
    if dry_run:
        session.screen.note(f"would {what}: {', '.join(sorted(missing))}")
        return
    from stackyard.tools import buildx  # noqa: PLC0415  (only where two accounts are involved)

    with session.screen.stage(what):
        buildx.check_engine(session.runner)
        for each in (source, session):
            buildx.log_in(session.runner, each.target.registry, *each.aws.registry_login())
        names = name_copies(session, release, missing)
        for service, digest in sorted(missing.items()):
            origin = f"{source.target.registry}/{source.target.image_repository}@{digest}"
            copy = f"{session.target.registry}/{session.target.image_repository}:{names[service]}"
            buildx.copy_image(session.runner, origin, copy)
            session.screen.note(f"copied {names[service]}")
    if left := find_missing(session, release):
        raise MissingError(
            f"the image repository of {session.target.name} lacks {', '.join(sorted(left))}",
            "although they were copied",
            command=f"inv doctor --env {session.target.name}",
        )


def name_copies(session: Session, release: Release, missing: dict[str, str]) -> dict[str, str]:
    """Return the tag of each copy: the image's own, but another one where that is taken by another build of it."""
    own = {service: release.images.get(service, "") for service in missing}
    taken = session.aws.find_images(session.target.image_repository, [tag for tag in own.values() if tag])
    return {
        service: tag if tag and tag not in taken else f"{service}-{missing[service].removeprefix('sha256:')[:16]}"
        for service, tag in own.items()
    }


def expired(release: Release, missing: dict[str, str], deploy: str) -> MissingError:
    """Make the error for images that are not in their repository any more."""
    commit = release.sources()
    return MissingError(
        f"the images of release {release.number} of {release.environment} are gone: {', '.join(sorted(missing))}",
        "images that no kept release needs expire",
        fix="They are built again from their commit." if commit else "Its record names no commit to build them from.",
        command=f"git checkout {commit[:9]} && {deploy}" if commit else deploy,
    )

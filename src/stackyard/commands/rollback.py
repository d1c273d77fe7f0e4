"""``inv rollback``: bring back the images of an earlier release, as a new release.

Observe (the records, the working tree's services, the image repository), refuse what does not fit, then what every
change shares (`commands.bring`). It needs the bucket and the registry alone, so any clone can do it. Settings and
Terraform are the working tree's.
"""

from __future__ import annotations

from stackyard.commands.bring import bring
from stackyard.commands.fit import check_fit, look_at_tree, tell_settings
from stackyard.commands.promote import expired, find_missing
from stackyard.commands.record import find_release, find_underway, read_history
from stackyard.commands.secrets import check_secrets
from stackyard.commands.session import Session
from stackyard.commands.wanted import Deployed, Options, Wanted
from stackyard.errors import MissingError, RefusedError
from stackyard.history import plan_back
from stackyard.releases import Release, Source, short_commit
from stackyard.settings import compare_settings


def rollback(session: Session, options: Options, number: int = 0) -> Deployed:
    """Bring back release ``number``, or the one before what runs. Raises StackyardError."""
    target, screen = session.target, session.screen
    doing = f"rollback --env {target.name}"
    with session.changing(doing) as hold:
        with screen.stage(f"look at {target.name}"):
            session.aws.check_caller()
            release = find_release(session, number) if number else choose(session)
            doing = f"{doing} --to {release.number}"
            hold.describe(doing)
            screen.note(f"back to {release.words()}")
            check_fit(session, release, f"inv {doing}")
            tell_settings(session, release)
            if target.emulated:
                screen.note("the laptop's gateway goes on serving the working tree's sources")
            check_secrets(session, make=not options.dry_run)
            if missing := find_missing(session, release):
                raise expired(release, missing, f"inv deploy --env {target.name}")
            revision = look_at_tree(session, options)
        origin = Source("rollback", target.name, release.number)
        wanted = Wanted(release.digests, release.images, revision, origin, release.sources())
        return bring(session, hold, doing, wanted, options)


def choose(session: Session) -> Release:
    """Return the release that a rollback without a number goes back to.

    Raises MissingError where there is none, RefusedError where it would change nothing.
    """
    name = session.target.name
    history, underway = read_history(session), find_underway(session)
    back = plan_back(history, underway)
    if not back.number:
        raise MissingError(f"{name} has nothing to go back to", back.why, command=f"inv releases --env {name}")
    session.screen.note(back.why)
    release, last = history.get(back.number) or find_release(session, back.number), history[max(history)]
    begun = underway is not None and underway.id != last.id
    if not begun and release.digests == last.digests:
        raise _same_images(release, last)
    return release


def _same_images(release: Release, last: Release) -> RefusedError:
    """Make the error for a release that differs in what a rollback does not bring back."""
    known = release.settings is not None and last.settings is not None
    different = compare_settings(release.settings or {}, last.settings or {}) if known else []
    what = ", ".join(f"{each.service}.{each.key}" for each in different) or "settings or infrastructure"
    name, commit = release.environment, short_commit(release.commit)
    older = f"inv rollback --env {name} --to …   # a release from: inv releases --env {name}"
    return RefusedError(
        f"release {last.number} has the images of release {release.number}",
        f"it changed {what}, and a rollback brings back images",
        fix="Bring back its commit's settings, or older images by their number.",
        command=f"git checkout {commit} && inv deploy --env {name}" if commit and not release.dirty else older,
    )

"""Whether a release's images go with the working tree, whose settings and Terraform they are brought with."""

from __future__ import annotations

from stackyard.commands.build import check_saved
from stackyard.commands.session import Session
from stackyard.commands.wanted import Options
from stackyard.errors import RefusedError
from stackyard.history import find_misfit
from stackyard.releases import Release, short_commit
from stackyard.settings import compare_settings, record_settings
from stackyard.tools.git import Revision, describe_revision
from stackyard.words import plural


def check_fit(session: Session, release: Release, command: str) -> None:
    """Refuse a release with other services than the working tree has; ``command`` is what was typed.

    Raises RefusedError that names them, and the commit to check out.
    """
    misfit = find_misfit(release, session.catalog.names())
    if misfit is None:
        return
    commit = short_commit(release.commit)
    raise RefusedError(
        "the services differ",
        misfit.words(f"release {release.number} of {release.environment}"),
        fix="Check out the commit of that release, then the same command again."
        if commit
        else "Its record names no commit; make the services in src/services the same.",
        command=f"git checkout {commit} && {command}" if commit else "inv services",
    )


def look_at_tree(session: Session, options: Options) -> Revision | None:
    """Return the working tree's commit.

    Raises RefusedError where a protected environment would get settings and Terraform that no commit holds.
    """
    revision = describe_revision(session.runner, session.root)
    if not options.dry_run:
        check_saved(session, revision, allow_dirty=options.allow_dirty)
    return revision


def tell_settings(session: Session, release: Release) -> None:
    """Say that settings are the working tree's, and warn where the release had others for its environment."""
    session.screen.note("images come from the release, settings and Terraform from the working tree")
    if release.settings is None:
        return
    differences = compare_settings(release.settings, record_settings(session.catalog))
    if differences:
        have = plural(len(differences), "setting")
        session.screen.warn(f"{have} of the working tree differ from release {release.number} of {release.environment}")
    for difference in differences:
        session.screen.note(difference.words())

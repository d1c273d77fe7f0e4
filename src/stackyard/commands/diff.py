"""``inv diff``: what a deploy would change since the running release: images, commits, settings, Terraform's plan.

Changes nothing, and builds nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from stackyard.commands.plan import Report, plan
from stackyard.commands.record import read_last
from stackyard.commands.session import Session
from stackyard.errors import MissingError
from stackyard.history import ImageChange, compare_images
from stackyard.releases import Release, short_commit
from stackyard.settings import Difference, compare_settings, record_settings
from stackyard.tools.git import describe_revision, list_commits


@dataclass(frozen=True, slots=True)
class Compared:
    """The working tree against the running release."""

    environment: str
    release: Release
    images: list[ImageChange]
    commits: list[str] | None
    """Between the release's sources and the working tree; None where git cannot tell."""
    dirty: bool
    settings: list[Difference] | None
    """None where the release's were not recorded."""
    terraform: Report

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "environment": self.environment,
            "release": self.release.number,
            "images": [asdict(each) for each in self.images],
            "commits": self.commits,
            "dirty": self.dirty,
            "settings": None if self.settings is None else [asdict(each) for each in self.settings],
            "terraform": self.terraform.record(),
        }


def diff(session: Session, *, full: bool = False) -> Compared:
    """Compare; ``full`` adds every attribute of the plan in Terraform's words. Raises StackyardError."""
    session.aws.check_caller()
    release = read_last(session)
    if release is None:
        name = session.target.name
        raise MissingError(f"{name} has no release to compare with", command=f"inv plan --env {name}")
    report = plan(session, full=full, allow_empty=True)
    revision = describe_revision(session.runner, session.root)
    commits = list_commits(session.runner, session.root, release.sources()) if release.sources() else None
    now, then = record_settings(session.catalog), release.settings
    return Compared(
        environment=session.target.name,
        release=release,
        images=compare_images(release, report.images, set(report.images_missing)),
        commits=commits,
        dirty=revision.dirty if revision else True,
        settings=None if then is None else compare_settings(then, now),
        terraform=report,
    )


def show_diff(session: Session, compared: Compared, *, json: bool) -> None:
    """Print it, or the data."""
    screen, release = session.screen, compared.release
    if json:
        screen.json(compared.record())
        return
    screen.data(f"{compared.environment} runs {release.words()}")
    screen.data("images")
    for image in compared.images:
        screen.data(f"  {image.words()}")
    screen.data("commits")
    if compared.commits is None:
        known = short_commit(release.sources())
        screen.data(f"  git here does not know {known}" if known else "  the release names no commit")
    for commit in compared.commits or []:
        screen.data(f"  {commit}")
    if compared.dirty:
        screen.data("  and changes that are not committed")
    elif compared.commits == []:
        screen.data("  none")
    screen.data("settings")
    if compared.settings is None:
        screen.data("  the release does not say which it had")
    for difference in compared.settings or []:
        screen.data(f"  {difference.words()}")
    if compared.settings == []:
        screen.data("  the same")
    screen.data(f"terraform\n  {compared.terraform.summary}")

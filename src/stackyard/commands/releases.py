"""``inv releases``: an environment's releases: number, when, who, commit, what changed; the running one marked."""

from __future__ import annotations

from dataclasses import dataclass

from stackyard.commands.record import find_underway, read_history
from stackyard.commands.session import Session
from stackyard.history import tell_changes
from stackyard.releases import KEPT, Release, Underway, short_commit, short_time


@dataclass(frozen=True, slots=True)
class Listed:
    """A release, and what it changed against the one before it."""

    release: Release
    changed: list[str]
    running: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of an environment's releases, newest first."""

    environment: str
    releases: list[Listed]
    underway: Underway | None
    """A change that has begun and left no record: it goes on, or failed, or was killed."""

    def record(self) -> dict[str, object]:
        """Return it as data."""
        releases = [
            {**each.release.record(), "changed": each.changed, "running": each.running} for each in self.releases
        ]
        underway = self.underway and {"who": self.underway.who, "when": self.underway.when}
        return {"environment": self.environment, "releases": releases, "underway": underway}


def releases(session: Session, *, count: int = KEPT) -> Listing:
    """Read the last ``count`` releases. Raises StackyardError."""
    session.aws.check_caller()
    history = read_history(session, count + 1)  # one more, to tell what the oldest changed
    last, underway = max(history, default=0), find_underway(session)
    if underway is not None and last and underway.id == history[last].id:
        underway = None
    befores = [None, *history.values()]
    listed = [
        Listed(release, tell_changes(before, release), release.number == last)
        for before, release in zip(befores, history.values(), strict=False)
    ]
    return Listing(session.target.name, listed[::-1][:count], underway)


def show_releases(session: Session, listing: Listing, *, json: bool) -> None:
    """Print the table, or the data."""
    screen = session.screen
    if json:
        screen.json(listing.record())
        return
    if not listing.releases:
        screen.say(f"{listing.environment} has no release yet; next: inv deploy --env {listing.environment}")
        return
    rows = [
        [
            f"{each.release.number}{' *' if each.running else ''}",
            short_time(each.release.when),
            each.release.who,
            _commit(each.release),
            ", ".join(each.changed),
        ]
        for each in listing.releases
    ]
    screen.table(["RELEASE", "WHEN (UTC)", "WHO", "COMMIT", "CHANGED"], rows)
    if listing.underway:
        screen.warn(f"what {listing.underway.who} began at {listing.underway.when} has left no release")


def _commit(release: Release) -> str:
    if not release.commit:
        return "-"
    return short_commit(release.commit) + ("+" if release.dirty else "")

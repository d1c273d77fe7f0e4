"""Decide from an environment's releases: what each changed, which one a rollback goes back to, what fits the sources.

Pure; records come as data from `commands.record`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from stackyard.releases import DEPLOYED, Release, Underway, short_commit, short_time
from stackyard.settings import compare_settings

History = Mapping[int, Release]
"""Releases by number."""


@dataclass(frozen=True, slots=True)
class Back:
    """Where a rollback goes, and why there; ``number`` 0 where there is nothing to go back to."""

    number: int
    why: str


def plan_back(history: History, underway: Underway | None) -> Back:
    """Decide which release a rollback without a number goes back to.

    The one before what runs, earlier rollbacks followed to what they brought back: two rollbacks go two back. After a
    change that did not end, it is the last release, which is the last thing that is known to have worked; after a
    rollback that did not end, it is that one's own.
    """
    last = max(history, default=0)
    if not last:
        return Back(0, "there is no release yet")
    if underway is not None and underway.id != history[last].id:
        if underway.source.kind == "rollback":
            return Back(underway.source.number, f"{underway.who}'s rollback of {underway.when} did not end; going on")
        return Back(last, f"what {underway.who} began at {underway.when} did not end; release {last} is the last")
    origin = find_origin(history, last)
    before = max((number for number in history if number < origin), default=0)
    return Back(before, f"release {last} runs" + (f", which is {origin} again" if origin != last else ""))


def find_origin(history: History, number: int) -> int:
    """Follow rollbacks to the release whose images they brought back."""
    while True:
        release = history.get(number)
        # A rollback's number is above what it goes back to, so this ends; a record that says otherwise is not followed.
        if release is None or release.source.kind != "rollback" or not 0 < release.source.number < number:
            return number
        number = release.source.number


def tell_changes(before: Release | None, release: Release) -> list[str]:
    """Say what a release changed against the one before it, in short pieces."""
    told = [] if release.source == DEPLOYED else [release.source.words()]
    if before is None:
        return [*told, f"first: {', '.join(sorted(release.digests)) or 'no services'}"]
    gone, come = sorted(before.digests.keys() - release.digests), sorted(release.digests.keys() - before.digests)
    changed = [
        service for service, digest in sorted(release.digests.items()) if before.digests.get(service, digest) != digest
    ]
    told += [f"+{service}" for service in come] + changed + [f"-{service}" for service in gone]
    if before.settings is not None and release.settings is not None:
        different = compare_settings(before.settings, release.settings)
        told += [f"{each.service}.{each.key}" for each in different]
    return told or ["infrastructure"]


def tell_late(before: Release | None, release: Release, owed: Underway) -> str:
    """Say what a release was that a run only recorded, because the one that brought it about was killed."""
    begun = f", begun by {owed.who} at {short_time(owed.when)}" if owed.when else ""
    return ", ".join(tell_changes(before, release)) + begun


@dataclass(frozen=True, slots=True)
class Misfit:
    """Services that only one of a release and the working tree has."""

    only_there: tuple[str, ...]
    only_here: tuple[str, ...]

    def words(self, release: str) -> str:
        """Say it in a sentence; ``release`` names the release."""
        there = f"{release} has {', '.join(self.only_there)}, the working tree does not" if self.only_there else ""
        here = f"the working tree has {', '.join(self.only_here)}, {release} does not" if self.only_here else ""
        return "; ".join(filter(None, [there, here]))


def find_misfit(release: Release, services: Collection[str]) -> Misfit | None:
    """Compare a release's services with the working tree's; None when they are the same."""
    there, here = set(release.digests), set(services)
    return None if there == here else Misfit(tuple(sorted(there - here)), tuple(sorted(here - there)))


def count_actions(actions: Sequence[str]) -> dict[str, int]:
    """Count Terraform's changes by action."""
    return {action: actions.count(action) for action in sorted(set(actions))}


def plan_undo(before: Release | None, release: Release) -> str:
    """Return what to type to bring back what ran before a release; empty where that is not known.

    A rollback brings images back. What it cannot bring back, services and settings, is in the commit.
    """
    if before is None:
        return ""
    environment = release.environment
    back = f"inv rollback --env {environment} --to {before.number}"
    if before.digests == release.digests:
        back = f"inv deploy --env {environment}"
    elif before.digests.keys() == release.digests.keys():
        return back
    known = before.commit and not before.dirty
    return f"git checkout {short_commit(before.commit)} && {back}" if known else ""


@dataclass(frozen=True, slots=True)
class ImageChange:
    """One service's image in the running release and as the sources want it; None where there is none."""

    service: str
    old: str | None
    """Its tag, or its digest where the release named no tag."""
    new: str | None
    built: bool
    """Whether the registry has what the sources want."""

    def words(self) -> str:
        """Say it on one line."""
        if self.new is None:
            return f"{self.service}: goes ({self.old})"
        if self.new == self.old:
            return f"{self.service}: the same"
        there = "there already" if self.built else "to be built"
        return f"{self.service}: {f'{self.old} → ' if self.old else 'new, '}{self.new} ({there})"


def compare_images(release: Release, wanted: Mapping[str, str], missing: Collection[str]) -> list[ImageChange]:
    """Compare a release's images with those that the sources want; ``wanted`` is tag by service."""
    return [
        ImageChange(
            service,
            release.images.get(service) or release.digests.get(service),
            wanted.get(service),
            built=wanted.get(service) not in missing,
        )
        for service in sorted(release.digests.keys() | wanted.keys())
    ]

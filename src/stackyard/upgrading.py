"""Decides about versions of the template: which there are, which one to go to, and which commit a project began at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stackyard.errors import MissingError, RefusedError

_VERSION = re.compile(r"v([0-9]+)\.([0-9]+)\.([0-9]+)")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A released version, ``v1.2.3`` as a tag."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """The tag in the template's repository."""
        return f"v{self}"


def parse_version(text: str) -> Version | None:
    """Read ``1.2.3`` or ``v1.2.3``; None for what is no released version."""
    found = _VERSION.fullmatch(text if text.startswith("v") else f"v{text}")
    return Version(*map(int, found.groups())) if found else None


def find_versions(tags: Iterable[str]) -> list[Version]:
    """Return the released versions among tags, oldest first."""
    return sorted(filter(None, (parse_version(tag) for tag in tags if tag.startswith("v"))))


def choose_version(current: str, there: list[Version], wanted: str = "") -> Version | None:
    """Return the version to go to: ``wanted`` or the newest; None when the project is there already.

    Raises MissingError for one that the template does not have, RefusedError for one that is older.
    """
    now = parse_version(current)
    if not wanted:
        newest = there[-1] if there else None
        return newest if newest and (now is None or newest > now) else None
    chosen = parse_version(wanted)
    if chosen is None or chosen not in there:
        listed = ", ".join(str(each) for each in there[-5:]) or "no version at all"
        raise MissingError(f"the template has no version {wanted}", f"it has {listed}", command="inv upgrade --check")
    if now and chosen < now:
        why = f"the project is made from {current}"
        raise RefusedError(f"{chosen} is older", why, fix="Go back by git: revert the commit that upgraded.")
    return chosen if chosen != now else None


def choose_base(commit: str, tree: str, tag: str, history: Mapping[str, str]) -> str:
    """Return the template's commit that a project was made from; empty where none is found.

    A clone has that commit itself. What GitHub's "Use this template" made has another one that holds the same, and a
    project whose first commit had changed something already is compared with its version's tag.

    Args:
        commit: As the project wrote it down.
        tree: What that commit held.
        tag: The commit of the tag of the project's version; empty without one.
        history: The template's commits up to the version to go to, each with what it holds.

    """
    if commit in history:
        return commit
    return next((each for each, holds in history.items() if holds == tree), tag)

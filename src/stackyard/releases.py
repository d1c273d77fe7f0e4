"""The record that each successful change of an environment leaves in the state bucket, as data.

Who writes and reads it is `commands.record`; what follows from several of them is in `history`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from pydantic import TypeAdapter

from stackyard.project import Target

KEPT = 20
"""Releases of an environment whose images are kept from expiring. An image holds 1,000 tags (ECR: Service quotas)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the images of a release come from."""

    kind: Literal["deploy", "promote", "rollback"] = "deploy"
    environment: str = ""
    """Whose release it was; empty for a deploy."""
    number: int = 0

    def words(self) -> str:
        """Say it briefly."""
        match self.kind:
            case "promote":
                return f"promoted from {self.environment} {self.number}"
            case "rollback":
                return f"rolled back to {self.number}"
            case _:
                return "deployed"


DEPLOYED = Source()


@dataclass(frozen=True, slots=True)
class Release:
    """What was brought to an environment, by whom and when. Records of older versions lack what has a default."""

    number: int
    environment: str
    digests: Mapping[str, str]
    commit: str
    """Of the working tree, whose settings and Terraform were used; empty without git."""
    dirty: bool
    who: str
    when: str
    """UTC, ISO 8601."""
    summary: str
    """Terraform's, in words."""
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags by service."""
    source: Source = DEPLOYED
    built: str = ""
    """The commit that the images are of: `commit` itself for a deploy."""
    settings: Mapping[str, Mapping[str, object]] | None = None
    """What each service's service.yaml said for the environment, by service; None where it was not recorded."""
    ground: Mapping[str, object] | None = None
    """What the environment had beside its services, as far as it is billed for (`costs.Ground`)."""
    changes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Terraform's changes, counted by action."""
    id: str = ""
    """Of the change that made it: a run that was killed right after writing the record finds it by this."""

    def record(self) -> dict[str, object]:
        """Return it as it is written."""
        return asdict(self)

    def sources(self) -> str:
        """Return the commit that holds what the images were built from, as far as it is known."""
        return self.built or self.commit

    def words(self) -> str:
        """Say which one it is: ``release 3 (2026-11-23 08:00, sam@desk, commit c0ffee1)``."""
        commit = f", commit {short_commit(self.commit)}" if self.commit else ""
        return f"release {self.number} ({short_time(self.when)}, {self.who}{commit})"


@dataclass(frozen=True, slots=True)
class Underway:
    """A change that has begun and left no record yet."""

    id: str
    source: Source
    who: str
    when: str


@functools.cache
def _releases() -> TypeAdapter[Release]:
    return TypeAdapter(Release)


@functools.cache
def _underway() -> TypeAdapter[Underway]:
    return TypeAdapter(Underway)


def parse_release(text: str) -> Release:
    """Read a record, one of an older version too. Raises ValueError for what is none."""
    return _releases().validate_json(text)


def parse_underway(text: str) -> Underway:
    """Read who changes an environment. Raises ValueError for what does not say so."""
    return _underway().validate_json(text)


def short_commit(commit: str) -> str:
    """Return as much of a commit's hash as people read."""
    return commit[:9]


def short_time(when: str) -> str:
    """Return a record's time to the minute."""
    return when[:16].replace("T", " ")


def release_prefix(target: Target) -> str:
    """Return where an environment's records lie."""
    return f"releases/{target.name}/"


def release_key(target: Target, number: int) -> str:
    """Return the record's key in the state bucket."""
    return f"{release_prefix(target)}{number}.json"


def underway_key(target: Target) -> str:
    """Return the key that is there from before an apply until its release is recorded."""
    return f"{release_prefix(target)}underway.json"


def release_tags(release: Release) -> dict[str, str]:
    """Return the tags that keep a release's images from expiring, with their digests.

    All services share one repository, so a tag names the service too: ``release-prod-7-api``.
    """
    prefix = f"release-{release.environment}-{release.number}"
    return {f"{prefix}-{service}": digest for service, digest in release.digests.items()}


def surplus_tags(tags: Iterable[str], environment: str, last: int, kept: int = KEPT) -> list[str]:
    """Return those tags of an environment's releases that hold images of none of its last ``kept`` ones.

    ``last`` is the number of the newest. Other environments' tags and fingerprints are never among them: a service's
    name begins with a letter, so ``release-pr-1-2-api`` is release 2 of pr-1 and nothing of an environment pr.
    """
    own = re.compile(rf"release-{re.escape(environment)}-(\d+)-[a-z].*")
    found = ((tag, own.fullmatch(tag)) for tag in tags)
    return sorted(tag for tag, match in found if match and int(match[1]) <= last - kept)


def find_numbers(keys: Iterable[str]) -> list[int]:
    """Return the release numbers among an environment's keys, lowest first."""
    found = (re.search(r"/(\d+)\.json$", key) for key in keys)
    return sorted(int(match[1]) for match in found if match)


def last_number(keys: Iterable[str]) -> int:
    """Return the highest release number among an environment's keys; 0 before the first."""
    return max(find_numbers(keys), default=0)

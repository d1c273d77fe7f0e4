"""The record that each successful deploy leaves in the state bucket, as data. Who writes it is `commands.record`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from stackyard.project import Target


@dataclass(frozen=True, slots=True)
class Release:
    """What was deployed, by whom and when."""

    number: int
    environment: str
    digests: Mapping[str, str]
    commit: str
    dirty: bool
    who: str
    when: str
    """UTC, ISO 8601."""
    summary: str
    """Terraform's, in words."""
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags by service."""

    def record(self) -> dict[str, object]:
        """Return it as it is written."""
        return asdict(self)


def release_prefix(target: Target) -> str:
    """Return where an environment's records lie."""
    return f"releases/{target.name}/"


def release_key(target: Target, number: int) -> str:
    """Return the record's key in the state bucket."""
    return f"{release_prefix(target)}{number}.json"


def release_tags(release: Release) -> dict[str, str]:
    """Return the tags that keep a release's images from expiring, with their digests.

    All services share one repository, so a tag names the service too: ``release-prod-7-api``.
    """
    prefix = f"release-{release.environment}-{release.number}"
    return {f"{prefix}-{service}": digest for service, digest in release.digests.items()}


def last_number(keys: Iterable[str]) -> int:
    """Return the highest release number among an environment's keys; 0 before the first."""
    found = (re.search(r"/(\d+)\.json$", key) for key in keys)
    return max((int(match[1]) for match in found if match), default=0)

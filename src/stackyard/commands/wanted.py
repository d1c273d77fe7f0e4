"""What a deploy, a promotion and a rollback bring an environment to, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackyard.releases import DEPLOYED, Source
from stackyard.tools.git import Revision


@dataclass(frozen=True, slots=True)
class Options:
    """How a deploy was asked for."""

    dry_run: bool = False
    yes: bool = False
    allow_empty: bool = False
    allow_dirty: bool = False
    services: tuple[str, ...] = ()
    """The services whose images are brought; the others keep theirs. Empty for all."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images that an environment is to run."""

    digests: Mapping[str, str]
    """By service."""
    tags: Mapping[str, str]
    """By service; what the digests were built as."""
    revision: Revision | None
    """The commit of the working tree, whose settings and Terraform are used."""
    source: Source = DEPLOYED
    """Where the images come from."""
    built: str = ""
    """The commit that the images are of, where it is not the working tree's."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deploy came to."""

    environment: str
    changed: bool
    summary: str
    release: int
    url: str
    digests: Mapping[str, str]
    services: Mapping[str, Mapping[str, Any]]
    healthy: bool | None
    """None where no gateway runs yet that could be asked."""
    undo: str = ""
    """What to type to be back at what ran before; empty where there is nothing, or nothing changed."""
    late: str = ""
    """What the release was, where a killed run brought it about and this one recorded it; else empty."""


def app_key(environment: str) -> str:
    """Return where an environment's state lies in the bucket."""
    return f"app/{environment}/terraform.tfstate"

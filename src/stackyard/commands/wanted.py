"""What a deploy, a promotion and a rollback bring an environment to, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackyard.tools.git import Revision


@dataclass(frozen=True, slots=True)
class Options:
    """How a deploy was asked for."""

    dry_run: bool = False
    yes: bool = False
    allow_empty: bool = False
    allow_dirty: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images that an environment is to run."""

    digests: Mapping[str, str]
    """By service."""
    tags: Mapping[str, str]
    """By service; what the digests were built as."""
    revision: Revision | None
    """The commit of the working tree, whose settings and Terraform are used."""


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


def app_key(environment: str) -> str:
    """Return where an environment's state lies in the bucket."""
    return f"app/{environment}/terraform.tfstate"

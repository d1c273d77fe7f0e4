"""What a token must say, and what a good one says, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token must say: its issuer, one of these audiences, and all of these scopes."""

    issuer: str
    audience: tuple[str, ...]
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says of its holder. ``subject`` is the user, or the client where there is none."""

    issuer: str
    subject: str | None
    scopes: frozenset[str]
    raw: Mapping[str, Any]
    """All claims, by their names."""

"""What tasks print that bring back what was lost."""

from __future__ import annotations

from typing_extensions import TypedDict

from stackyard.documents.document import document


@document
class StateVersion(TypedDict):
    """One version of a state."""

    version: str
    """Its id in the bucket."""
    when: str
    """UTC, ISO 8601."""
    serial: int | None
    """Null where it is no state, like what follows."""
    resources: int | None
    who: str
    """Whose release it was written for, or what a restore said; empty where nobody knows."""
    current: bool
    """Whether Terraform reads it."""
    fault: str
    """Why it is no state; empty for a whole one."""


@document
class StateHistory(TypedDict):
    """The versions of a state, newest first."""

    environment: str
    stack: str
    """app or bootstrap."""
    deleted: str
    """Since when there is no current one; empty where there is."""
    versions: list[StateVersion]


@document
class RestoredState(TypedDict):
    """A version of a state that was brought back."""

    environment: str
    stack: str
    """app or bootstrap."""
    done: bool
    """False with --dry-run."""
    source: str
    """What was brought back, in words."""
    serial: int
    """That it has now."""
    kept: str
    """The version that was current before; empty where there was none."""
    forgotten: list[str]
    """Resources that run on and are in no state any more, by their addresses."""
    known_again: list[str]
    """Resources that the state has again."""


@document
class BackupEntry(TypedDict):
    """What a backup says of one environment."""

    environment: str
    account: str
    region: str
    when: str
    """UTC, ISO 8601."""
    who: str
    release: int
    """The last one; 0 before the first."""
    serial: int
    """Of the state; -1 where there was none, or it was no state."""
    commit: str
    """Of the last release; empty where it is not known."""


@document
class BackedUp(TypedDict):
    """What was copied, and where to."""

    place: str
    """A folder, or s3://bucket/prefix: what `inv restore --from` takes."""
    environments: list[BackupEntry]
    left_out: list[str]
    """Environments of accounts that the credentials are not of; exit code 3 where there are any."""


@document
class Restored(TypedDict):
    """What was brought back from a backup."""

    about: BackupEntry
    bucket_made: bool
    """Whether the state bucket was gone."""
    states: list[RestoredState]
    records: list[str]
    """Keys of the release records that the bucket lacked."""


@document
class Finding(TypedDict):
    """One thing that is not as it should be."""

    what: str
    why: str
    mended: bool
    done: str
    """What mended it; empty where nothing did."""
    command: str
    """What mends it, where that takes a decision; else empty."""

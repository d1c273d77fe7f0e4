"""What tasks print that make a project of the template, and keep it up with it."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from stackyard.documents.document import document


@document
class FileChange(TypedDict):
    """A file of the project that becomes another."""

    what: Literal["A", "M", "D", "T"]
    """Added, changed, removed, or of another type now, as git names it."""
    path: str


@document
class Answers(TypedDict):
    """What makes a project of the template."""

    project: str
    repository: str
    """At GitHub: owner/name."""
    region: str
    accounts: dict[str, str]
    """AWS account by environment."""
    samples: Literal["keep", "remove"]


@document
class Initialised(TypedDict):
    """What a clone of the template is now."""

    template: str
    """Where git finds it; empty where that is not known."""
    version: str
    commit: str
    """The template's, that the project was made from."""
    tree: str
    answers: Answers
    changes: list[FileChange]
    conflicts: list[str]
    """Files that a person has to decide about."""
    commit_made: str
    """Empty where conflicts are left, nothing had to be changed, or with --dry-run."""
    undo: str
    """The command that takes it back."""
    without_account: list[str]
    """Environments that have the template's own account number still."""
    next: list[str]
    """Commands to go on with."""
    dry_run: bool


@document
class LockFile(TypedDict):
    """A file that pins what comes from elsewhere."""

    file: str
    changed: bool
    """Whether it was written anew."""


@document
class Locked(TypedDict):
    """What is pinned, and for which machines."""

    files: list[LockFile]
    platforms: list[str]
    """Of Terraform's providers: linux_amd64 and so on."""


@document
class Upgraded(TypedDict):
    """What a newer version of the template changes, or changed."""

    template: str
    version: str
    """What the project is of, before."""
    to: str
    """The newest, or the one that was asked for."""
    changes: list[FileChange]
    conflicts: list[str]
    """Files that a person has to decide about."""
    applied: bool
    commit: str
    """Empty where conflicts are left, or nothing was applied."""
    undo: str
    """The command that takes it back; empty where nothing was applied."""

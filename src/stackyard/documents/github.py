"""What tasks print for the workflows at GitHub."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from stackyard.documents.document import document


@document
class Facts(TypedDict):
    """What a workflow's jobs are chosen by. Each value is JSON, as a step's outputs are text."""

    ours: str
    """true or false: whether AWS lets this repository in."""
    environments: str
    """A list of stackyard.yaml's."""
    previews: str
    """true or false: whether there are any."""
    code: str
    """true or false: whether more than documentation was changed."""


@document
class Role(TypedDict):
    """The AWS role that a job takes."""

    role: str
    """Its ARN."""
    region: str
    session: str
    """What CloudTrail calls the job's session."""
    environment: str
    """The environment at GitHub that the job runs in."""


@document
class Reported(TypedDict):
    """Where a report is, and what was done for that."""

    done: Literal["written", "changed", "closed", "nothing"]
    url: str
    """Empty where there is none."""


@document
class Setting(TypedDict):
    """One setting of the repository."""

    title: str
    why: str
    done: str
    """wanted, there (a branch perhaps beside others), made or changed."""
    body: dict[str, Any]
    """As GitHub's API takes it."""

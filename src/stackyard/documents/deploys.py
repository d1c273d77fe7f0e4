"""What tasks print that bring an environment to something, or look at what that would change."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from stackyard.documents.document import document


@document
class Bootstrapped(TypedDict):
    """What `inv bootstrap` made."""

    changed: bool
    """Whether anything was made or changed; with --dry-run whether it would be."""
    summary: str
    """Terraform's, in words."""
    outputs: dict[str, Any]
    """Terraform's outputs; empty for local and with --dry-run."""


@document
class Change(TypedDict):
    """One resource that Terraform makes, changes or takes away."""

    address: str
    """Terraform's."""
    action: str
    """create, update, replace, delete and the like."""
    reason: str
    """Why it is replaced; else empty."""


@document
class CostPart(TypedDict):
    """One service's part of a change in cost, or what is shared."""

    name: str
    usd_change: float
    why: str


@document
class CostChange(TypedDict):
    """What a deploy changes in a month's cost, by list."""

    usd_before: float
    usd_after: float
    usd_change: float
    requests_per_month_each: int
    """That it was reckoned with."""
    parts: list[CostPart]


@document
class Plan(TypedDict):
    """What a deploy would do."""

    environment: str
    changed: bool
    summary: str
    """Terraform's, in words."""
    changes: list[Change]
    images: dict[str, str]
    """Tags by service, as the sources want them."""
    images_missing: list[str]
    """Tags that the registry lacks."""
    cost: CostChange | None
    """Null where it is not known."""


@document
class ImageChange(TypedDict):
    """One service's image in the running release and as the sources want it."""

    service: str
    old: str | None
    """Its tag, or its digest where the release named no tag; null where there is none."""
    new: str | None
    """Null where the service goes."""
    built: bool
    """Whether the registry has it."""


@document
class SettingChange(TypedDict):
    """One setting of a service that is another now."""

    service: str
    key: str
    """With dots: scaling.max."""
    old: str | None
    """JSON; null where it was not set."""
    new: str | None
    """JSON; null where it is not set any more."""


@document
class Diff(TypedDict):
    """The working tree against the running release."""

    environment: str
    release: int
    images: list[ImageChange]
    commits: list[str] | None
    """Between the release and the working tree, newest first; null where git cannot tell."""
    dirty: bool
    """Whether there are changes that are not committed."""
    settings: list[SettingChange] | None
    """Null where the release's were not recorded."""
    terraform: Plan


@document
class DriftedResource(TypedDict):
    """One resource that is not as Terraform left it."""

    address: str
    gone: bool
    attributes: list[str]
    """By their names; empty where it is gone."""


@document
class Drift(TypedDict):
    """What was changed past Terraform."""

    environment: str
    drift: list[DriftedResource]
    """Empty where there is none; exit code 6 where there is."""


@document
class PushedImage(TypedDict):
    """One service's image in the registry."""

    service: str
    tag: str
    platform: str
    digest: str
    """Empty where it was not built, with --dry-run."""
    state: Literal["there", "pushed", "missing"]
    """missing: with --dry-run only."""


@document
class Deployed(TypedDict):
    """What a deploy, a promotion or a rollback came to."""

    environment: str
    changed: bool
    summary: str
    """Terraform's, in words."""
    release: int
    """Its number; 0 where there is none yet, with --dry-run."""
    url: str
    """Where the gateway answers; empty where nothing is deployed."""
    digests: dict[str, str]
    """By service."""
    services: dict[str, dict[str, Any]]
    """By service: kind, path and what else Terraform tells of it."""
    healthy: bool | None
    """Null where no gateway runs yet that could be asked."""
    undo: str
    """What to type to be back; empty where there is nothing to go back to, or nothing changed."""
    late: str
    """What the release was, where a killed run brought it about and this one recorded it; else empty."""


@document
class Destroyed(TypedDict):
    """What was taken away, with --dry-run what would be."""

    environment: str
    changed: bool
    summary: str
    """Terraform's, in words."""
    lost: list[str]
    """What cannot be had again, in words."""


@document
class ReleaseSource(TypedDict):
    """Where a release's images came from."""

    kind: Literal["deploy", "promote", "rollback"]
    environment: str
    """Whose release it was; empty for a deploy."""
    number: int
    """Of that release; 0 for a deploy."""


@document
class Release(TypedDict):
    """One release. Of older versions of Stackyard some of it is empty or null."""

    number: int
    environment: str
    digests: dict[str, str]
    """By service."""
    commit: str
    """Of the working tree, whose settings and Terraform were used; empty without git."""
    dirty: bool
    """Whether not all was committed."""
    who: str
    when: str
    """UTC, ISO 8601."""
    summary: str
    """Terraform's, in words."""
    images: dict[str, str]
    """Tags by service."""
    source: ReleaseSource
    built: str
    """The commit that the images are of."""
    settings: dict[str, dict[str, Any]] | None
    """What each service.yaml said for the environment."""
    ground: dict[str, Any] | None
    """What the environment had beside its services, as far as it is billed for."""
    changes: dict[str, int]
    """Terraform's, counted by action."""
    id: str
    """Of the change that made it."""
    changed: list[str]
    """Against the release before, in words."""
    running: bool


@document
class Underway(TypedDict):
    """A change that began and left no release: it goes on, or failed, or was killed."""

    who: str
    when: str
    """UTC, ISO 8601."""


@document
class Releases(TypedDict):
    """An environment's releases."""

    environment: str
    releases: list[Release]
    """Newest first."""
    underway: Underway | None

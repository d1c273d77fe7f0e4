"""What tasks print of single services, of this machine, and of what all of it costs."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from stackyard.documents.document import document


@document
class Service(TypedDict):
    """One service, and what of it is deployed."""

    name: str
    kind: str
    path: str
    deployed: str
    """current, older (the sources have moved on), no, or unknown: and why."""
    version: str
    """As its platform counts; empty where nothing runs."""
    digest: str
    """Of what runs; empty where nothing does."""


@document
class AddedService(TypedDict):
    """One service that was asked for."""

    name: str
    kind: str
    path: str
    folder: str
    result: Literal["added", "completed", "unchanged"]
    files: list[str]
    """That were written, with --dry-run would be."""
    notes: list[str]


@document
class Added(TypedDict):
    """What became of each name."""

    services: list[AddedService]
    dry_run: bool
    next: str
    """What to type next."""


@document
class Removed(TypedDict):
    """What goes away with a service."""

    name: str
    kind: str
    """Empty where its service.yaml does not say."""
    files: int
    paths: dict[str, str]
    """Its public path, by environment."""
    local: bool | None
    """Whether the laptop has it deployed; null while that does not run."""
    last: bool
    """Whether no service is left."""
    unsaved: list[str] | None
    """Files that git could not bring back; null without git."""
    dry_run: bool
    next: str
    """What to type next."""


@document
class ApiKey(TypedDict):
    """The API key of a service, and its limits."""

    environment: str
    service: str
    id: str
    value: str
    """Secret."""
    enabled: bool
    rate: float | None
    """Requests a second; null where there is no limit, as in what follows."""
    burst: int | None
    quota: int | None
    """Requests a period."""
    period: str | None
    url: str


@document
class CheckResult(TypedDict):
    """One thing that `inv doctor` looked at."""

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    command: str
    """What mends it; empty where nothing is to be mended."""


@document
class Unlocked(TypedDict):
    """What `inv unlock` released."""

    released: list[str]
    """Ids of locks."""


@document
class Assumed(TypedDict):
    """The traffic that a cost was reckoned with."""

    requests_per_month_each: int
    """To each service that is not named below."""
    requests_per_month: dict[str, int]
    """By service."""
    duration_ms: int
    response_kb: float
    log_kb: float
    outbound_kb: float


@document
class PriceOrigin(TypedDict):
    """Where a price is from."""

    name: str
    """As in the file of prices."""
    sure: str
    """read: AWS's own list; remembered: from memory, and the like."""
    on: str
    """Since when it holds, or was looked up: YYYY-MM-DD."""
    source: str


@document
class CostLine(TypedDict):
    """One thing that is billed for."""

    service: str
    """Or what is shared."""
    what: str
    amount: float
    unit: str
    how: str
    """How the amount came about."""
    usd_per_unit: dict[str, float]
    """By the amount from which it holds."""
    usd_per_month: float
    price: PriceOrigin


@document
class Cost(TypedDict):
    """What an environment costs a month, by list."""

    environment: str
    region: str
    currency: str
    free_tier: bool
    """Whether what is free for ever was taken off."""
    assumed: Assumed
    usd_per_month: float
    services: dict[str, float]
    """USD a month by service, and what is shared."""
    lines: list[CostLine]


@document
class PriceChange(TypedDict):
    """A price that is another now."""

    region: str
    name: str
    old: dict[str, str] | None
    """USD a unit, by the amount from which it holds; null where there was none."""
    new: dict[str, str]


@document
class Prices(TypedDict):
    """AWS's list of prices against what was known."""

    regions: list[str]
    changes: list[PriceChange]
    not_found: dict[str, dict[str, str]]
    """By region and price: why it stays as it was."""
    written: bool

"""`inv cost` as it is typed and printed, and a release compared with the working tree."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from stackyard.commands.cost import Assumed, compare_release, cost, show_cost
from stackyard.commands.session import Session
from stackyard.costs import SHARED
from stackyard.errors import ConfigError, MissingError
from stackyard.releases import Release
from stackyard.settings import record_settings
from stackyard.testing import Printed, ScriptedRunner
from tests.unit.folder import Folder


def session_of(folder: Folder, printed: Printed, environment: str = "dev") -> Session:
    return Session(folder.root, environment, printed.screen, ScriptedRunner())


def release(**said: object) -> Release:
    facts: dict[str, object] = {"number": 1, "environment": "dev", "digests": {}, "commit": "", "dirty": False}
    facts |= {"who": "sam@desk", "when": "2026-11-23T08:00:00+00:00", "summary": ""}
    return Release(**{**facts, **said})  # pyright: ignore[reportArgumentType]  (facts by name)


def test_a_release_is_compared_as_it_was_recorded(folder: Folder, printed: Printed) -> None:
    """Service by service, with the ground it had; before the first release all is new; some records do not say."""
    folder.service("shop", "kind: ecs\nsecrets: {A: db}\n")
    session = session_of(folder, printed)
    settings = record_settings(session.catalog)
    same = compare_release(session, release(settings=settings))
    assert same is not None
    assert (same.usd, same.parts) == (0, ())
    more = compare_release(
        session, release(settings=settings, ground={"region": "eu-west-1", "zones": 2, "nat": "per-zone"})
    )
    assert more is not None
    assert more.usd < -30
    first = compare_release(session, None)
    assert first is not None
    assert (first.before, [part.service for part in first.parts]) == (0, ["shop", SHARED])
    assert compare_release(session, release()) is None
    with pytest.raises(ConfigError, match="of another version of Stackyard"):
        compare_release(session, release(settings={"shop": {"kind": "tea"}}))


def test_the_command_shows_what_it_reckoned_with(folder: Folder, printed: Printed) -> None:
    """The table, sums, what was assumed; and with --explain the formula and each price's source."""
    folder.service("api")
    session = session_of(folder, printed)
    found = cost(session, Assumed(requests="1000,api=2000000", milliseconds="50"))
    show_cost(session, found, explain=False)
    short = printed.out()
    assert short.startswith("dev in eu-west-1: 1,000 requests a month to each service, 2,000,000 to api, of 50 ms")
    assert re.search(r"^api +Lambda +1\.33 +100,000 GB-seconds", short, re.MULTILINE)
    assert f"${found.estimate.total():,.2f} a month in all" in short
    show_cost(session, found, explain=True)
    long = printed.out().removeprefix(short)
    assert "2,000,000 requests x 50 ms x 1 GB" in long
    assert re.search(r"^  API Gateway: \w+ 20\d\d-\d\d-\d\d, https://", long, re.MULTILINE)


def test_the_data_has_all_that_the_table_has(folder: Folder, printed: Printed) -> None:
    """The sum is that of its lines, and each line has its price's source."""
    folder.service("api")
    record = cost(session_of(folder, printed, "local"), Assumed(), free_tier=True).record()
    assert (record["environment"], record["region"], record["free_tier"]) == ("local", "eu-west-1", True)
    lines = cast("list[dict[str, Any]]", record["lines"])  # checked line by line below
    assert round(sum(line["usd_per_month"] for line in lines), 2) == record["usd_per_month"]
    assert {key for line in lines for key in line["price"]} == {"name", "sure", "on", "source"}


@pytest.mark.parametrize(
    ("assumed", "error", "text"),
    [
        (Assumed(requests="shop=5"), MissingError, "there is no service shop"),
        (Assumed(milliseconds="fast"), ConfigError, "--duration fast: it is no number"),
        (Assumed(response_kb="-1"), ConfigError, "--response-kb -1"),
        (Assumed(log_kb="0.5.1"), ConfigError, r"--log-kb 0\.5\.1"),
    ],
)
def test_what_was_typed_wrongly_is_named(
    folder: Folder, printed: Printed, assumed: Assumed, error: type[Exception], text: str
) -> None:
    """By its flag."""
    folder.service("api")
    with pytest.raises(error, match=text):
        cost(session_of(folder, printed), assumed)

"""What is decided about states, backups and losses: pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from stackyard.backups import About, find_damage, read_manifest, write_manifest
from stackyard.losses import tell_losses
from stackyard.releases import DEPLOYED, Release, Underway
from stackyard.states import (
    History,
    State,
    Version,
    compare_states,
    find_version,
    keep_global,
    next_serial,
    parse_state,
    tell_who,
    with_serial,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def resource(kind: str, name: str, module: str = "", mode: str = "managed") -> dict[str, object]:
    place = {"module": module} if module else {}
    return {
        **place,
        "mode": mode,
        "type": kind,
        "name": name,
        "instances": [{"dependencies": ["x.y"], "attributes": {}}],
    }


def state(serial: int, *resources: dict[str, object]) -> str:
    return json.dumps(
        {"version": 4, "serial": serial, "lineage": "l", "outputs": {"url": 1}, "resources": list(resources)}
    )


def version(id: str, minutes: float, serial: int | None, *, current: bool = False, note: str = "") -> Version:  # noqa: A002  (its own name)
    found = None if serial is None else State(serial, "l", frozenset())
    return Version(id, NOON + timedelta(minutes=minutes), 1, current, found, "" if found else "it is empty", note)


def release(number: int, minutes: float) -> Release:
    when = (NOON + timedelta(minutes=minutes)).isoformat()
    return Release(number, "dev", {}, "", dirty=False, who=f"sam-{number}", when=when, summary="")


def test_a_state_is_known_by_its_managed_resources() -> None:
    """Data sources are none; a module's resource is told from another's."""
    text = state(3, resource("aws_iam_role", "this", 'module.s["api"]'), resource("aws_region", "here", mode="data"))
    assert parse_state(text) == State(3, "l", frozenset({'module.s["api"].aws_iam_role.this'}))
    assert parse_state(text).words() == "serial 3, 1 resource"
    assert json.loads(with_serial(text, 9)) == {**json.loads(text), "serial": 9}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("{", "it is no JSON"),
        ("3", "it is no JSON object"),
        ('{"version": 3}', "its format is 3 and not 4"),
        ('{"version": 4, "serial": "1"}', "it lacks serial, lineage or resources"),
        (state(1, {"mode": "managed"}), "a resource in it has no type or name"),
    ],
)
def test_what_is_no_state_says_why(text: str, why: str) -> None:
    """Cut short, overwritten, or of another program."""
    with pytest.raises(ValueError, match=why):
        parse_state(text)


def test_what_is_restored_is_whole_and_not_what_there_is() -> None:
    """The newest of a serial, where a serial was used twice; and no serial is ever used again."""
    history = History(
        (version("d", 3, None, current=True), version("c", 2, 7), version("b", 1, 8), version("a", 0, 7)), None
    )
    assert [find_version(history), find_version(history, serial=7)] == [history.versions[1]] * 2
    assert find_version(history, version="d") == history.versions[0]
    assert [find_version(history, serial=9), find_version(history, version="z")] == [None, None]
    assert (next_serial(history, state(3)), next_serial(history, state(30)), next_serial(History(()), state(0))) == (
        9,
        31,
        1,
    )
    assert history.newest_whole() == history.versions[1]


def test_versions_are_of_the_release_that_followed() -> None:
    """Nothing followed the last: it is under way, or nobody knows; a restore speaks for itself."""
    versions = [version("d", 20, 4), version("c", 9, 3, note="by hand"), version("b", 8, 2), version("a", 5, 1)]
    releases = [release(2, 8.02), release(1, 5.01)]
    told = tell_who(versions, releases, Underway("id", DEPLOYED, "kim", ""))
    assert told == {
        "a": "sam-1, release 1",
        "b": "sam-2, release 2",
        "c": "by hand",
        "d": "kim, deploy without a release",
    }
    assert tell_who(versions[:1], releases, None) == {"d": ""}


def test_only_what_outlives_a_region_is_taken_to_another() -> None:
    """Roles and policies, without what they depended on; no output."""
    text = state(
        3,
        resource("aws_iam_role", "this"),
        resource("aws_lambda_function", "this"),
        resource("aws_iam_x", "d", mode="data"),
    )
    kept = json.loads(keep_global(text))
    assert kept["outputs"] == {}
    assert kept["resources"] == [
        {"mode": "managed", "type": "aws_iam_role", "name": "this", "instances": [{"attributes": {}}]}
    ]
    difference = compare_states(parse_state(text), parse_state(json.dumps(kept)))
    assert (difference.forgotten, difference.known_again) == (("aws_lambda_function.this",), ())


def test_a_damaged_backup_is_told() -> None:
    """Each file by its name; another version's manifest is refused."""
    about = About("dev", "111111111111", "eu-west-1", NOON.isoformat(), "sam", 1, 2, "c0ffee")
    text = write_manifest(about, {"a": "1", "b": "2", "c": "3"})
    found, sums = read_manifest(text)
    assert found == about
    assert find_damage(sums, {"a": "1", "b": "x", "c": None}) == ["b was changed or cut short", "c is missing"]
    for broken in ("", "[]", "{}", text.replace('"format": 1', '"format": 2'), text.replace('"who"', '"whom"')):
        with pytest.raises(ValueError, match=r"."):
            read_manifest(broken)


def test_a_destroy_names_what_is_lost() -> None:
    """Services, and what the next deploy makes otherwise."""
    addresses = (
        'module.lambda_service["api"].aws_lambda_function.this',
        'module.lambda_service["api"].aws_cloudwatch_log_group.this',
        'module.ecs_service["shop"].aws_cloudwatch_log_group.this',
        "module.network[0].aws_cloudwatch_log_group.flow",
        'module.api_gateway.aws_api_gateway_api_key.this["shop"]',
        "module.api_gateway.aws_api_gateway_rest_api.this",
    )
    assert tell_losses(addresses) == [
        "services: api, shop",
        "the API's address: the next deploy gets another one",
        "API keys of shop: the next deploy makes other ones",
        "the logs of api, network, shop",
    ]
    assert tell_losses([]) == []

"""Release records, what follows from several of them, and the tags that keep their images: decided from facts alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.commands.bring import show_deployed
from stackyard.commands.wanted import Deployed
from stackyard.history import (
    Back,
    compare_images,
    find_misfit,
    find_origin,
    plan_back,
    plan_undo,
    tell_changes,
    tell_late,
)
from stackyard.project import find_target
from stackyard.releases import (
    DEPLOYED,
    Release,
    Source,
    Underway,
    find_numbers,
    last_number,
    parse_release,
    parse_underway,
    release_key,
    release_tags,
    surplus_tags,
    underway_key,
)
from stackyard.settings import compare_settings, record_settings
from stackyard.testing import Printed
from tests.unit.folder import Folder

OLD = {
    "number": 3,
    "environment": "dev",
    "digests": {"api": "sha256:a"},
    "commit": "c0ffee",
    "dirty": False,
    "who": "me@here",
    "when": "2026-11-23T08:00:00+00:00",
    "summary": "1 to change",
}
"""A record as it was before it named its source."""


def release(
    number: int,
    digests: Mapping[str, str] | None = None,
    source: Source | None = None,
    settings: Mapping[str, Mapping[str, object]] | None = None,
    commit: str = "c0ffee1234567",
) -> Release:
    return Release(
        number,
        "dev",
        digests or {"api": f"sha256:{number}"},
        commit,
        dirty=False,
        who="me@here",
        when="2026-11-23T08:00:00+00:00",
        summary="",
        source=source or Source(),
        settings=settings,
        id=f"id-{number}",
    )


def history(*sources: int) -> dict[int, Release]:
    """Make releases 1, 2 …; 0 is a deploy, another number a rollback to it."""
    return {
        number: release(number, source=Source("rollback", "dev", to) if to else None)
        for number, to in enumerate(sources, start=1)
    }


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ([], []),
        (["releases/dev/1.json", "releases/dev/10.json", "releases/dev/2.json"], [1, 2, 10]),
        (["releases/dev/9.json", "releases/dev/underway.json", "releases/dev/10.json.tmp", "releases/dev/"], [9]),
    ],
    ids=["none", "by number, not by letter", "other files"],
)
def test_releases_are_found_by_their_numbers(keys: list[str], numbers: list[int]) -> None:
    """Whatever else lies there."""
    assert find_numbers(keys) == numbers
    assert last_number(keys) == (numbers[-1] if numbers else 0)


def test_a_record_is_read_as_it_was_written(folder: Folder) -> None:
    """With all that it says, below its environment."""
    written = release(3, source=Source("promote", "dev", 7), settings={"api": {"scaling": {"max": 3}}})
    assert parse_release(json.dumps(written.record())) == written
    target = find_target(folder.read_project(), "dev")
    assert (release_key(target, 3), underway_key(target)) == ("releases/dev/3.json", "releases/dev/underway.json")
    underway = Underway("1", Source("rollback", "dev", 2), "me@here", "2026-11-23T08:00:00+00:00")
    text = '{"id": "1", "who": "me@here", "when": "2026-11-23T08:00:00+00:00", "source": %s}'
    assert parse_underway(text % '{"kind": "rollback", "environment": "dev", "number": 2}') == underway


def test_records_of_older_and_newer_versions_are_read() -> None:
    """What an older one did not write is unknown; what a newer one adds is left out."""
    read = parse_release(json.dumps({**OLD, "of a later version": 1}))
    assert (read.source, read.settings, read.sources(), read.id) == (Source(), None, "c0ffee", "")
    assert read.words() == "release 3 (2026-11-23 08:00, me@here, commit c0ffee)"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"number": 3}', json.dumps({**OLD, "digests": 4})])
def test_what_is_no_record_is_refused(text: str) -> None:
    """Rather than taken for a release without images."""
    with pytest.raises(ValueError, match=r"validation error"):
        parse_release(text)


@pytest.mark.parametrize(
    ("sources", "number"),
    [((), 0), ((0,), 0), ((0, 0), 1), ((0, 0, 0), 2), ((0, 0, 0, 2), 1), ((0, 0, 0, 2, 1), 0), ((0, 0, 1, 0), 3)],
    ids=["none", "the first", "two", "three", "once", "twice: two back", "a deploy after a rollback"],
)
def test_a_rollback_goes_back_one_more_each_time(sources: tuple[int, ...], number: int) -> None:
    """The release before what runs, where what runs is what an earlier rollback brought back."""
    assert plan_back(history(*sources), None).number == number


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_rollbacks_undo_as_an_editor_does(steps: list[bool]) -> None:
    """True deploys, False goes back: what runs is what a stack of the images says; a rollback never repeats itself."""
    releases: dict[int, Release] = {}
    stack: list[str] = []
    for deploys in [True, *steps]:
        number = len(releases) + 1
        if deploys:
            releases[number] = release(number)
            stack.append(f"sha256:{number}")
            continue
        back = plan_back(releases, None).number
        assert bool(back) == (len(stack) > 1)
        if back:
            stack.pop()
            releases[number] = release(number, releases[back].digests, Source("rollback", "dev", back))
            assert releases[number].digests == {"api": stack[-1]}


def test_after_what_did_not_end_a_rollback_goes_to_what_last_worked() -> None:
    """A deploy that failed: the last release. A rollback that was killed: where that one went."""
    past = history(0, 0, 0)
    failed = Underway("other", Source(), "sam@ci", "2026-11-23T09:00:00+00:00")
    assert plan_back(past, failed) == Back(
        3, "what sam@ci began at 2026-11-23T09:00:00+00:00 did not end; release 3 is the last"
    )
    killed = Underway("other", Source("rollback", "dev", 1), "sam@ci", "2026-11-23T09:00:00+00:00")
    assert plan_back(past, killed).number == 1
    assert plan_back(past, Underway("id-3", Source(), "sam@ci", "")).number == 2
    assert plan_back({}, failed) == Back(0, "there is no release yet")


def test_a_record_that_rolls_forward_does_not_turn_in_circles() -> None:
    """Nobody writes one; somebody may have edited one."""
    past = {1: release(1, source=Source("rollback", "dev", 2)), 2: release(2, source=Source("rollback", "dev", 2))}
    assert find_origin(past, 2) == 2
    assert find_origin(past, 1) == 1


def test_what_changed_is_told_against_the_release_before() -> None:
    """Services by name, settings by key, and where the images came from."""
    first = release(1, {"api": "a", "web": "b"}, settings={"api": {"memory": 512}, "web": {}})
    assert tell_changes(None, first) == ["first: api, web"]
    second = release(2, {"api": "c", "shop": "d"}, settings={"api": {"memory": 1024}, "shop": {}})
    assert tell_changes(first, second) == ["+shop", "api", "-web", "api.memory"]
    third = release(3, first.digests, Source("rollback", "dev", 1), first.settings)
    assert tell_changes(second, third) == ["rolled back to 1", "+web", "api", "-shop", "api.memory"]
    assert tell_changes(first, release(2, first.digests)) == ["infrastructure"]
    assert tell_changes(None, release(1, source=Source("promote", "dev", 7)))[0] == "promoted from dev 7"


def test_settings_are_compared_key_by_key(folder: Folder) -> None:
    """As each environment has them, overrides merged; defaults are no settings."""
    text = "kind: lambda\nmemory: 512\nenvironment: {A: x}\noverrides:\n  prod: {memory: 2048, scaling: {max: 3}}\n"
    folder.service("api", text)
    dev, prod = record_settings(folder.read_catalog("dev")), record_settings(folder.read_catalog("prod"))
    assert dev == {"api": {"kind": "lambda", "memory": 512, "environment": {"A": "x"}}}
    assert [each.words() for each in compare_settings(dev, prod)] == [
        "api.memory: 512 → 2048",
        "api.scaling.max: 3 (was not set)",
    ]
    assert [each.words() for each in compare_settings(prod, dev)][1] == "api.scaling.max: not set any more (3)"
    assert compare_settings(dev, dev) == []


def test_services_that_do_not_fit_are_named() -> None:
    """Both ways."""
    there = release(3, {"api": "a", "web": "b"})
    assert find_misfit(there, ["web", "api"]) is None
    misfit = find_misfit(there, ["api", "shop"])
    assert misfit is not None
    assert misfit.words("release 3") == (
        "release 3 has web, the working tree does not; the working tree has shop, release 3 does not"
    )


def test_the_way_back_is_told() -> None:
    """By rollback where that is enough; with the commit where services or settings changed."""
    before = release(1, {"api": "a"})
    assert plan_undo(None, before) == ""
    assert plan_undo(before, release(2, {"api": "b"})) == "inv rollback --env dev --to 1"
    with_web = release(2, {"api": "a", "web": "b"})
    assert plan_undo(before, with_web) == "git checkout c0ffee123 && inv rollback --env dev --to 1"
    assert plan_undo(before, release(2, {"api": "a"})) == "git checkout c0ffee123 && inv deploy --env dev"
    assert plan_undo(release(1, {"api": "a"}, commit=""), with_web) == ""


@pytest.mark.parametrize(
    ("changed", "late", "said"),
    [
        (True, "", "dev: release 2"),
        (False, "", "dev: nothing changed since release 2"),
        (False, "api", "dev: release 2 (api)"),
    ],
)
def test_a_deploy_ends_with_its_release(printed: Printed, changed: bool, late: str, said: str) -> None:
    """One that only records what a killed run did says so, and what that was."""
    show_deployed(printed.screen, Deployed("dev", changed, "", 2, "", {}, {}, None, late=late), json=False)
    assert said in printed.err().splitlines()


def test_what_a_killed_run_did_is_told() -> None:
    """With who began it, where that is known."""
    before, after = release(1, {"api": "a"}), release(2, {"api": "b"})
    owed = Underway("", DEPLOYED, "sam@desk", "2026-11-23T14:31:07+00:00")
    assert tell_late(before, after, owed) == "api, begun by sam@desk at 2026-11-23 14:31"
    assert tell_late(None, before, replace(owed, when="")) == "first: api"


def test_images_are_compared_with_the_running_release() -> None:
    """By tag, where the release knows it; what is new and what goes is said."""
    running = parse_release(json.dumps({**OLD, "digests": dict.fromkeys("abc", "sha256:0"), "images": {"a": "a-1"}}))
    changes = compare_images(running, {"a": "a-2", "b": "b-1", "d": "d-1"}, {"a-2"})
    assert [change.words() for change in changes] == [
        "a: a-1 → a-2 (to be built)",
        "b: sha256:0 → b-1 (there already)",
        "c: goes (sha256:0)",
        "d: new, d-1 (there already)",
    ]


def test_old_tags_are_taken_from_their_own_environment_only() -> None:
    """By number; a service's name may hold numbers, an environment's, too, and fingerprints are no releases."""
    tags = [
        *(f"release-dev-{number}-api" for number in (1, 2, 3, 10)),
        *("release-dev-1-api-2-web", "release-dev-eu-1-api", "release-pr-1-1-api", "api-0123456789abcdef"),
    ]
    assert surplus_tags(tags, "dev", 10, kept=8) == [
        "release-dev-1-api",
        "release-dev-1-api-2-web",
        "release-dev-2-api",
    ]
    assert surplus_tags(tags, "dev", 10) == []
    assert surplus_tags(tags, "pr", 10, kept=0) == []
    assert surplus_tags(tags, "pr-1", 10, kept=0) == ["release-pr-1-1-api"]
    assert release_tags(release(7, {"api": "a"})) == {"release-dev-7-api": "a"}

"""Previews: which there are, which still hold something, and whether there is room for one more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.errors import RefusedError
from stackyard.names import LONGEST_PREVIEW, group_of, is_preview
from stackyard.previews import STATES, check_room, find_previews, is_empty


def test_previews_are_found_by_their_states() -> None:
    """Locks, other stacks and other environments are none; the oldest pull request is the first."""
    keys = ["app/pr-12/terraform.tfstate", "app/pr-9/terraform.tfstate", "app/pr-9/terraform.tfstate.tflock"]
    others = ["app/prod/terraform.tfstate", "app/pr-x/terraform.tfstate", "releases/pr-3/1.json", "app/pr-4/x/y"]
    assert find_previews([*keys, *others]) == ["pr-9", "pr-12"]


@given(st.integers(1, 999999))
def test_every_preview_is_found_again(number: int) -> None:
    """Whatever its number, it is counted, shares what all share, and no name is longer than the longest."""
    name = f"pr-{number}"
    assert is_preview(name)
    assert group_of(name) == "previews"
    assert find_previews([f"app/{name}/terraform.tfstate"]) == [name]
    assert f"app/{name}/terraform.tfstate".startswith(STATES)
    assert len(name) <= len(LONGEST_PREVIEW)


@pytest.mark.parametrize(
    ("state", "empty"),
    [
        (json.dumps({"version": 4, "serial": 9, "outputs": {}, "resources": []}), True),
        (json.dumps({"version": 4, "resources": [{"mode": "managed"}]}), False),
        ("", False),
        ("[]", False),
        ("{}", False),
        ("{", False),
    ],
)
def test_a_state_that_cannot_be_read_is_not_empty(state: str, empty: bool) -> None:
    """Only what certainly holds nothing may be deleted."""
    assert is_empty(state) is empty


def test_one_too_many_is_refused_with_the_way_to_destroy_another() -> None:
    """All that are there are named."""
    check_room("pr-7", ["pr-1"], 2)
    with pytest.raises(RefusedError, match=r"allows 2 previews.*there are pr-1, pr-3$") as caught:
        check_room("pr-7", ["pr-1", "pr-3"], 2)
    assert caught.value.command == "inv destroy --env pr-1"
    assert caught.value.exit_code == 5

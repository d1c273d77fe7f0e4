"""Terraform's states as data: which version of one is whole, which to bring back, what that forgets. Pure.

The bucket keeps old versions of a state; who reads and writes them is `tools.stateversions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from stackyard.releases import Release, Underway

FORMAT = 4
"""Of the states that Terraform has written since 0.12; OpenTofu writes the same."""

GLOBAL = ("aws_iam_", "aws_route53_", "aws_cloudfront_")
"""What types of resources begin with that belong to an account and to none of its regions."""

_SLACK = timedelta(seconds=5)
"""By which the clocks of S3 and of whoever wrote a record may differ."""


@dataclass(frozen=True, slots=True)
class State:
    """What is asked of a state: nothing of what its resources hold."""

    serial: int
    lineage: str
    """Made with a state's first version, and kept by all that follow."""
    addresses: frozenset[str]
    """Of its managed resources, without their instances' keys."""

    def words(self) -> str:
        """Say it briefly."""
        many = len(self.addresses)
        return f"serial {self.serial}, {many} resource{'' if many == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a state in the bucket."""

    id: str
    when: datetime
    size: int
    """Bytes."""
    current: bool
    state: State | None
    """None for one that is no state; `fault` says why."""
    fault: str = ""
    note: str = ""
    """What whoever wrote it said of it: a restore does."""

    @property
    def serial(self) -> int:
        """Its serial; -1 where it has none that could be read."""
        return self.state.serial if self.state else -1


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a state, newest first; ``deleted`` says since when there is no current one."""

    versions: tuple[Version, ...]
    deleted: datetime | None = None

    @property
    def current(self) -> Version | None:
        """The one that Terraform reads; None where the object is not there."""
        return next((version for version in self.versions if version.current), None)

    def newest_whole(self) -> Version | None:
        """The newest one that is a state."""
        return next((version for version in self.versions if version.state is not None), None)


def parse_state(text: str) -> State:
    """Read a state. Raises ValueError that says why it is none."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}" if text.strip() else "it is empty") from error
    if not isinstance(data, dict):
        raise ValueError("it is no JSON object")
    found = cast("dict[str, Any]", data)
    if found.get("version") != FORMAT:
        raise ValueError(f"its format is {found.get('version')!r} and not {FORMAT}")
    serial, lineage, resources = found.get("serial"), found.get("lineage"), found.get("resources")
    if not isinstance(serial, int) or not isinstance(lineage, str) or not isinstance(resources, list):
        raise ValueError("it lacks serial, lineage or resources")
    try:
        addresses = frozenset(
            _address(each) for each in cast("list[Mapping[str, Any]]", resources) if each["mode"] == "managed"
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("a resource in it has no type or name") from error
    return State(serial, lineage, addresses)


def _address(resource: Mapping[str, Any]) -> str:
    return ".".join(filter(None, [resource.get("module", ""), resource["type"], resource["name"]]))


def find_version(history: History, *, version: str = "", serial: int | None = None) -> Version | None:
    """Return the version of an id or, the newest, of a serial; without either the newest whole one before the current.

    None where there is none. What is asked for by its id may be no state.
    """
    if version:
        return next((each for each in history.versions if each.id == version), None)
    whole = [each for each in history.versions if each.state is not None]
    if serial is not None:
        return next((each for each in whole if each.serial == serial), None)
    return next((each for each in whole if not each.current), None)


def next_serial(history: History, text: str) -> int:
    """Return a serial above every one that was ever used, and above that of ``text``, the state to be written."""
    return 1 + max([parse_state(text).serial, *(version.serial for version in history.versions)])


def with_serial(text: str, serial: int) -> str:
    """Return a state under another serial."""
    return json.dumps({**json.loads(text), "serial": serial}, indent=2) + "\n"


def keep_global(text: str) -> str:
    """Return a state with only what belongs to no region: for an environment that is made anew in another one.

    Roles outlive a region, and nothing can be made under their names while Terraform does not know them.
    """
    data = json.loads(text)
    kept = [each for each in data["resources"] if each["mode"] == "managed" and each["type"].startswith(GLOBAL)]
    for resource in kept:
        for instance in resource.get("instances", []):
            # They name resources that are not in the state any more.
            instance.pop("dependencies", None)
    return json.dumps({**data, "outputs": {}, "resources": kept}, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a state knows that another does not."""

    forgotten: tuple[str, ...]
    """Resources that only the one before has: they go on running, and Terraform knows nothing of them."""
    known_again: tuple[str, ...]


def compare_states(before: State | None, after: State) -> Difference:
    """Compare the resources of what Terraform knows now with those of what it is to know."""
    there = before.addresses if before else frozenset[str]()
    return Difference(tuple(sorted(there - after.addresses)), tuple(sorted(after.addresses - there)))


def tell_who(versions: Sequence[Version], records: Iterable[Release], underway: Underway | None) -> dict[str, str]:
    """Say who wrote each version, by id: a release, as far as its record's time tells; nothing where nobody knows.

    An apply writes the state while it goes on and its release's record right after. So a version is of the first
    release that was recorded after it was written, and one that none follows is of what is under way.
    """
    by_time = sorted((datetime.fromisoformat(release.when), release) for release in records)
    told: dict[str, str] = {}
    for version in versions:
        after = next((release for when, release in by_time if when + _SLACK >= version.when), None)
        if version.note:
            told[version.id] = version.note
        elif after is not None:
            told[version.id] = f"{after.who}, release {after.number}"
        elif underway is not None:
            told[version.id] = f"{underway.who}, {underway.source.kind} without a release"
        else:
            told[version.id] = ""
    return told

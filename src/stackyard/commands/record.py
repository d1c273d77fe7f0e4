"""Releases in the state bucket: begun, recorded with their images kept from expiring, read again.

Before an apply `begin` leaves a note that a release is owed; `record` writes the record, tags the images, and takes the
note away. Killed in between, the next run, on whatever machine, finds the note and does the rest.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stackyard.commands.cost import ground_of
from stackyard.commands.session import Session
from stackyard.commands.wanted import Wanted
from stackyard.errors import MissingError, ToolError
from stackyard.releases import (
    KEPT,
    Release,
    Source,
    Underway,
    find_numbers,
    last_number,
    parse_release,
    parse_underway,
    release_key,
    release_prefix,
    release_tags,
    surplus_tags,
    underway_key,
)
from stackyard.settings import record_settings
from stackyard.tools.holding import who_am_i

if TYPE_CHECKING:
    from stackyard.tools.repository import Repository

LOOKED_BACK = 100
"""Releases that a history reaches back; images are kept for far fewer."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The release that runs now, and what this run had to do with it."""

    release: Release
    before: Release | None
    """The one before it; None where there is none, or the run did nothing."""
    owed: Underway | None
    """The change that it is the release of; None where the run did nothing."""


def begin(session: Session, source: Source) -> Underway:
    """Note down that the environment is about to be changed, so that a release is owed."""
    target = session.target
    owed = find_underway(session)
    if owed is not None:
        last = read_last(session)
        if last is not None and last.id == owed.id:
            keep_images(session, last)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    underway = Underway(uuid.uuid4().hex, source, who_am_i(), now)
    session.aws.put_text(target.state_bucket, underway_key(target), json.dumps(asdict(underway), indent=2))
    return underway


def record(
    session: Session, wanted: Wanted, summary: str, changes: Mapping[str, int], begun: Underway | None
) -> Recorded:
    """Record what was brought to the environment; where nothing changed and nothing is owed, return the last release.

    ``begun`` is this run's note; None where Terraform had nothing to change.
    """
    target = session.target
    keys = session.aws.list_keys(target.state_bucket, release_prefix(target))
    number = last_number(keys)
    last = read_release(session, number) if number else None
    owed = begun or (find_underway(session) if underway_key(target) in keys else None)
    if owed is None and last is not None and last.digests == wanted.digests:
        if find_untagged(session, last):
            keep_images(session, last)
        return Recorded(last, None, None)
    owed = owed or Underway(uuid.uuid4().hex, wanted.source, who_am_i(), "")
    if last is not None and last.id == owed.id:
        keep_images(session, last)
        _end(session, owed)
        earlier = find_numbers(keys)[:-1]
        return Recorded(last, read_release(session, earlier[-1]) if earlier else None, owed)
    revision = wanted.revision
    commit = revision.commit if revision else ""
    while True:
        number += 1
        release = Release(
            number=number,
            environment=target.name,
            digests=dict(wanted.digests),
            commit=commit,
            dirty=revision.dirty if revision else True,
            who=who_am_i(),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            summary=summary,
            images=dict(wanted.tags),
            source=wanted.source,
            built=wanted.built or commit,
            settings=record_settings(session.catalog),
            ground=asdict(ground_of(session)),
            changes=dict(changes),
            id=owed.id,
        )
        if session.aws.put_new(target.state_bucket, release_key(target, number), release.record()):
            keep_images(session, release)
            _end(session, owed)
            return Recorded(release, last, owed)


def find_underway(session: Session) -> Underway | None:
    """Return the change of the environment that has begun and left no record yet, or None."""
    bucket, key = session.target.state_bucket, underway_key(session.target)
    # Asked for by its list: to a role that may list below some prefixes only, S3 says of a missing key that it is
    # forbidden (S3: GetObject, Permissions).
    text = session.aws.read_text(bucket, key) if key in session.aws.list_keys(bucket, key) else None
    try:
        return parse_underway(text) if text is not None else None
    except ValueError as error:
        raise _unreadable(session, "underway.json", error) from error


def find_release(session: Session, number: int) -> Release:
    """Return the release of a number that somebody typed. Raises MissingError where there is none."""
    target = session.target
    key = release_key(target, number)
    if key not in session.aws.list_keys(target.state_bucket, key):
        raise MissingError(f"{target.name} has no release {number}", command=f"inv releases --env {target.name}")
    return read_release(session, number)


def read_release(session: Session, number: int) -> Release:
    """Return a release that is there. Raises ToolError for a broken record."""
    target = session.target
    text = session.aws.read_text(target.state_bucket, release_key(target, number))
    try:
        return parse_release(text or "")
    except ValueError as error:
        raise _unreadable(session, f"{number}.json", error) from error


def read_last(session: Session) -> Release | None:
    """Return the last release, or None before the first."""
    target = session.target
    number = last_number(session.aws.list_keys(target.state_bucket, release_prefix(target)))
    return read_release(session, number) if number else None


def read_history(session: Session, newest: int = LOOKED_BACK) -> dict[int, Release]:
    """Return the last releases by number, oldest first."""
    target = session.target
    numbers = find_numbers(session.aws.list_keys(target.state_bucket, release_prefix(target)))[-newest:]
    session.aws.client("s3")  # made once; threads that all make it would each do the work
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(numbers, pool.map(functools.partial(read_release, session), numbers), strict=True))


def forget(session: Session) -> None:
    """Let the images of an environment's releases expire; the records stay, until images are kept again."""
    repository = _repository(session)
    tags = repository.list_tags()
    repository.remove_tags(surplus_tags(tags, session.target.name, _ALL, kept=0))


_ALL = 10**9


def find_untagged(session: Session, release: Release) -> list[str]:
    """Return the tags that should keep a release's images and are not there: an image that was deleted lost them."""
    wanted = release_tags(release)
    return sorted(wanted.keys() - session.aws.find_images(session.target.image_repository, sorted(wanted)))


def keep_images(session: Session, release: Release) -> None:
    """Tag a release's images, then take the tags of those away that are too long ago."""
    repository = _repository(session)
    repository.add_tags(release_tags(release))
    if release.number > KEPT:
        repository.remove_tags(surplus_tags(repository.list_tags(), release.environment, release.number))


def _end(session: Session, underway: Underway) -> None:
    """Take this run's note away, and nobody else's."""
    found = find_underway(session)
    if found is not None and found.id == underway.id:
        session.aws.delete_key(session.target.state_bucket, underway_key(session.target))


def _repository(session: Session) -> Repository:
    from stackyard.tools.repository import Repository  # noqa: PLC0415  (botocore takes 65 ms; not every command needs it)

    return Repository(session.aws)


def _unreadable(session: Session, name: str, error: ValueError) -> ToolError:
    target = session.target
    place = f"s3://{target.state_bucket}/{release_prefix(target)}{name}"
    return ToolError(
        f"{place} cannot be read",
        f"it is no record of a release ({str(error).splitlines()[0]})",
        fix="The bucket keeps old versions of it, and the images' tags say what it held.",
        command=f"inv mend --env {target.name}",
    )

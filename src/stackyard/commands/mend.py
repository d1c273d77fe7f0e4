"""``inv mend``: look for what of an environment's state, records and images was lost or broken, and mend it.

Records and tags are mended here, from older versions and from each other. What could lose something, a state or a lock,
is only named, with the command that mends it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from stackyard.commands.promote import find_missing
from stackyard.commands.record import find_untagged, keep_images, read_release
from stackyard.commands.session import Session
from stackyard.commands.wanted import app_key
from stackyard.commands.wholeness import find_fault
from stackyard.errors import RefusedError, StackyardError
from stackyard.releases import (
    DEPLOYED,
    Release,
    Underway,
    find_numbers,
    parse_release,
    parse_underway,
    release_key,
    release_prefix,
    short_time,
    underway_key,
)
from stackyard.words import plural


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    what: str
    why: str
    mended: bool
    done: str = ""
    """What mended it."""
    command: str = ""
    """What mends it, where that takes a decision."""


def mend(session: Session, *, dry_run: bool = False) -> list[Finding]:
    """Look at an environment, and mend what can be mended without a decision. Raises StackyardError."""
    target = session.target
    with session.changing(f"mend --env {target.name}"), session.screen.stage(f"look at {target.name}"):
        session.aws.check_caller()
        keys = session.aws.list_keys(target.state_bucket, release_prefix(target))
        found = [*_look_at_state(session), *_look_at_lock(session)]
        broken = _look_at_records(session, keys, dry_run=dry_run)
        numbers = find_numbers(session.aws.list_keys(target.state_bucket, release_prefix(target)))
        last = read_release(session, numbers[-1]) if numbers and all(each.mended for each in broken) else None
        found += [*broken, *_look_at_note(session, keys, last, dry_run=dry_run)]
        found += _look_at_images(session, last, dry_run=dry_run) if last else []
    return found


def show_mended(session: Session, found: list[Finding]) -> None:
    """Say what was found, what was done about it, and what is left to do."""
    screen = session.screen
    for each in found:
        screen.say(f"{each.what}: {each.why}" if each.why else each.what, "green" if each.mended else "yellow")
        screen.note(each.done if each.mended else f"run: {each.command}")
    left = sum(not each.mended for each in found)
    ending = f"{plural(left, 'thing')} left to do" if left else "all is mended" if found else "nothing is broken"
    screen.say(f"{session.target.name}: {ending}", "bold")


def _look_at_state(session: Session) -> list[Finding]:
    fault = find_fault(session, app_key(session.target.name))
    return [_left(fault)] if fault else []


def _left(error: StackyardError) -> Finding:
    return Finding(error.what, error.why, mended=False, command=error.command)


def _look_at_lock(session: Session) -> list[Finding]:
    """Nothing tells from outside whether a lock's holder is alive, so a lock is never released here."""
    from stackyard.tools.stateversions import find_refusal  # noqa: PLC0415  (botocore takes 65 ms)

    refusal: RefusedError | None = find_refusal(session.aws, session.target.state_bucket, app_key(session.target.name))
    return [_left(refusal)] if refusal else []


def _look_at_records(session: Session, keys: list[str], *, dry_run: bool) -> list[Finding]:
    target, aws = session.target, session.aws
    found: list[Finding] = []
    for number in find_numbers(keys):
        text = aws.read_text(target.state_bucket, release_key(target, number)) or ""
        try:
            parse_release(text)
        except ValueError as error:
            found.append(_mend_record(session, number, str(error).splitlines()[0], dry_run=dry_run))
    return found


def _mend_record(session: Session, number: int, fault: str, *, dry_run: bool) -> Finding:
    """Write a broken record again: an older version of it, or what its images' tags say; without either take it away.

    The bucket keeps the broken one as a version.
    """
    target, aws = session.target, session.aws
    bucket, key = target.state_bucket, release_key(target, number)
    what = f"release {number} of {target.name} is no record"
    whole, when = _find_whole(session, key)
    if whole is not None:
        text, done = whole, "its version before was whole, and is brought back"
    elif digests := _find_tagged(session, number):
        release = replace(_rebuilt(session, number, digests), when=when)
        text, done = json.dumps(release.record(), indent=2), "written again from its images' tags; who and why are lost"
    else:
        text, done = "", "taken away: no version of it was whole, and no image has its tag"
    if dry_run:
        return Finding(what, fault, mended=False, command=f"inv mend --env {target.name}   # {done}")
    if text:
        aws.put_text(bucket, key, text)
    else:
        aws.delete_key(bucket, key)
    return Finding(what, fault, mended=True, done=done)


def _find_whole(session: Session, key: str) -> tuple[str | None, str]:
    """Return the newest whole version of a record, or None, and when its oldest version was written."""
    from stackyard.tools.stateversions import list_versions, read_version  # noqa: PLC0415  (botocore takes 65 ms)

    aws, bucket = session.aws, session.target.state_bucket
    versions = list_versions(aws, bucket, key).versions
    when: datetime = versions[-1]["LastModified"] if versions else datetime.now(UTC)
    for version in versions:
        text, _ = read_version(aws, bucket, key, version["VersionId"])
        try:
            parse_release(text)
        except ValueError:
            continue
        return text, ""
    return None, when.astimezone(UTC).isoformat(timespec="seconds")


def _find_tagged(session: Session, number: int) -> dict[str, str]:
    """Return the digests of the images that a release's tags hold, by service."""
    from stackyard.tools.repository import Repository  # noqa: PLC0415  (botocore takes 65 ms; not every command needs it)

    own = re.compile(rf"release-{re.escape(session.target.name)}-{number}-([a-z].*)")
    tags = {tag: match[1] for tag in Repository(session.aws).list_tags() if (match := own.fullmatch(tag))}
    digests = session.aws.find_images(session.target.image_repository, sorted(tags)) if tags else {}
    return {tags[tag]: digest for tag, digest in digests.items()}


def _rebuilt(session: Session, number: int, digests: Mapping[str, str]) -> Release:
    summary = "record written again from its images' tags"
    return Release(number, session.target.name, digests, "", dirty=True, who="", when="", summary=summary)


def _look_at_note(session: Session, keys: list[str], last: Release | None, *, dry_run: bool) -> list[Finding]:
    """Look at the note of a change that has begun. One that cannot be read still says that a release is owed."""
    target, aws = session.target, session.aws
    key = underway_key(target)
    if key not in keys:
        return []
    deploy = f"inv deploy --env {target.name}"
    try:
        begun = parse_underway(aws.read_text(target.state_bucket, key) or "")
    except ValueError as error:
        what, why = f"what is under way in {target.name} cannot be read", str(error).splitlines()[0]
        if dry_run:
            return [Finding(what, why, mended=False, command=f"inv mend --env {target.name}")]
        note = Underway(uuid.uuid4().hex, DEPLOYED, "somebody", "")
        aws.put_text(target.state_bucket, key, json.dumps(asdict(note), indent=2))
        return [Finding(what, why, mended=True, done=f"written again; `{deploy}` records the release")]
    if last is not None and last.id == begun.id:
        what, why = f"the note of release {last.number} is still there", "its run was killed after the record"
        if dry_run:
            return [Finding(what, why, mended=False, command=f"inv mend --env {target.name}")]
        aws.delete_key(target.state_bucket, key)
        return [Finding(what, why, mended=True, done="taken away")]
    what = f"what {begun.who} began{f' at {short_time(begun.when)}' if begun.when else ''} has left no release"
    return [Finding(what, "it goes on, failed, or was killed", mended=False, command=deploy)]


def _look_at_images(session: Session, release: Release, *, dry_run: bool) -> list[Finding]:
    target = session.target
    missing = find_missing(session, release)
    if missing:
        commit = release.sources()
        deploy = f"inv deploy --env {target.name}"
        return [
            Finding(
                f"{target.image_repository} has lost images of release {release.number}: {', '.join(sorted(missing))}",
                "what runs has them, but nothing new can start",
                mended=False,
                command=f"git checkout {commit[:9]} && {deploy}" if commit else deploy,
            )
        ]
    untagged = find_untagged(session, release)
    if not untagged:
        return []
    what, why = f"images of release {release.number} would expire", f"they lost {', '.join(untagged)}"
    if dry_run:
        return [Finding(what, why, mended=False, command=f"inv mend --env {target.name}")]
    keep_images(session, release)
    return [Finding(what, why, mended=True, done="tagged again")]

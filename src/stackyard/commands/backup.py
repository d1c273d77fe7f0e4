"""``inv backup``: copy what only the state bucket holds to a folder or another bucket.

Each environment is observed (states, records, images), written down file by file, its manifest last: a backup without
one was cut short. What a backup is good for stands in docs/guides/disaster-recovery.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from pathlib import Path

from stackyard.backups import IMAGES, MANIFEST, About, record_name, state_name, write_manifest
from stackyard.commands.session import Session
from stackyard.commands.state import STACKS, state_key
from stackyard.errors import MissingError, RefusedError, UsageError
from stackyard.project import FILE, read_project
from stackyard.releases import KEPT, Release, find_numbers, parse_release, release_key, release_prefix
from stackyard.states import parse_state
from stackyard.tools.holding import unwritable, who_am_i, write_atomically
from stackyard.words import plural

Put = Callable[[str, str], None]
"""Writes a file by its name within the backup."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What was written, and where."""

    place: str
    environments: tuple[About, ...]
    left_out: tuple[str, ...]
    """Environments of accounts that the credentials are not of."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One service's image of a release, and whether the repository still has it."""

    release: int
    service: str
    tag: str
    digest: str
    there: bool


def find_environments(root: Path, name: str, *, everything: bool) -> list[str]:
    """Return the one environment that was named, or all of stackyard.yaml's. Raises UsageError for neither or both."""
    if bool(name) == everything:
        raise UsageError("inv backup needs --env or --all", "one of the two", command="inv backup --all")
    return list(read_project(root).environments) if everything else [name]


def backup(sessions: Sequence[Session], to: str) -> BackedUp:
    """Back environments up below ``to``, a folder or ``s3://bucket/prefix``. Raises StackyardError."""
    now = datetime.now(UTC)
    root, stamp = sessions[0].root, f"{now:%Y%m%dT%H%M%SZ}"
    place = f"{to.rstrip('/')}/{stamp}"
    done, left_out = list[About](), list[str]()
    for session in sessions:
        name = session.target.name
        try:
            caller = session.aws.check_caller()
        except RefusedError as error:
            if len(sessions) == 1:
                raise
            session.screen.warn(f"{name} is left out: {error.why}")
            left_out.append(name)
            continue
        put = _place(session, place)
        with session.screen.stage(f"back up {name} (account {caller.account})"):
            done.append(_back_up(session, put, now))
            put(FILE, (root / FILE).read_text(encoding="utf-8"))
    return BackedUp(place, tuple(done), tuple(left_out))


def _place(session: Session, place: str) -> Put:
    """Return what writes a file there."""
    if place.startswith("s3://"):
        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        return lambda name, text: session.aws.put_text(bucket, f"{prefix}/{name}", text)
    folder = session.root / place

    def put(name: str, text: str) -> None:
        file = folder / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)  # a state holds secrets
        except OSError as error:
            raise unwritable(file, error) from error
        write_atomically(file, text)

    return put


def _back_up(session: Session, put: Put, now: datetime) -> About:
    from stackyard.tools.stateversions import find_refusal  # noqa: PLC0415  (botocore takes 65 ms)

    target, aws = session.target, session.aws
    if held := find_refusal(aws, target.state_bucket, state_key(session, "app")):
        session.screen.warn(f"{held}; what is copied may be half of a change")
    files = {state_name(stack): text for stack in STACKS if (text := _read_state(session, stack)) is not None}
    keys = aws.list_keys(target.state_bucket, release_prefix(target))
    numbers = find_numbers(keys)
    aws.client("s3")  # made once; threads that all make it would each do the work
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(aws.read_text, repeat(target.state_bucket), map(partial(release_key, target), numbers)))
    files |= {record_name(number): text or "" for number, text in zip(numbers, texts, strict=True)}
    releases = [release for text in texts[-KEPT:] if (release := _parse(text or "")) is not None]
    images = _find_images(session, releases)
    files[IMAGES] = json.dumps([asdict(each) for each in images], indent=2) + "\n"
    about = About(
        target.name,
        target.account,
        target.region,
        now.isoformat(timespec="seconds"),
        who_am_i(),
        max(numbers, default=0),
        _serial(session, files.get(state_name("app"))),
        releases[-1].sources() if releases else "",
    )
    for name, text in files.items():
        put(f"{target.name}/{name}", text)
    put(f"{target.name}/{MANIFEST}", write_manifest(about, files))
    session.screen.note(
        f"state serial {about.serial}, {plural(len(numbers), 'release')}, {plural(len(images), 'image')}"
    )
    return about


def _read_state(session: Session, stack: str) -> str | None:
    """Return a state; None where there is none, or this role may not read it."""
    bucket, key = session.target.state_bucket, state_key(session, stack)
    try:
        return session.aws.read_text(bucket, key) if key in session.aws.list_keys(bucket, key) else None
    except MissingError as error:
        if stack == "app" or "no right" not in error.what:
            raise
        session.screen.warn(f"the state of the bootstrap is left out: {error.what}")
        return None


def _serial(session: Session, text: str | None) -> int:
    try:
        return parse_state(text).serial if text is not None else -1
    except ValueError as error:
        session.screen.warn(f"the state of {session.target.name} is copied as it is, but it is no state: {error}")
        return -1


def _parse(text: str) -> Release | None:
    try:
        return parse_release(text)
    except ValueError:
        return None


def _find_images(session: Session, releases: Sequence[Release]) -> list[Kept]:
    """List the images of releases that are kept."""
    from stackyard.tools.repository import Repository  # noqa: PLC0415  (botocore takes 65 ms; not every command needs it)

    digests = {digest for release in releases for digest in release.digests.values()}
    there = Repository(session.aws).find_digests(digests) if digests else set[str]()
    return [
        Kept(release.number, service, release.images.get(service, ""), digest, digest in there)
        for release in releases
        for service, digest in sorted(release.digests.items())
    ]

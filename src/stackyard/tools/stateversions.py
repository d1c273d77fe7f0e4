"""The versions of a state in its bucket: listed, read, and a new one written under Terraform's own lock.

A bucket keeps what was overwritten or deleted (S3: Using versioning). What a version means is `states`' to say.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from stackyard.errors import RefusedError
from stackyard.states import History, Version, parse_state
from stackyard.tools.aws import Aws
from stackyard.tools.holding import who_am_i
from stackyard.tools.terraform import LockedError, unreadable_lock
from stackyard.tools.tfevents import StateLock

NOTE = "stackyard-note"
"""The metadata in which a version says who wrote it and why."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object's versions as the bucket lists them, newest first."""

    versions: tuple[Mapping[str, Any], ...]
    deleted: datetime | None
    """Since when there is no current one."""


def list_versions(aws: Aws, bucket: str, key: str) -> Listed:
    """List what the bucket keeps of one object."""
    versions, markers = list[Mapping[str, Any]](), list[Mapping[str, Any]]()
    with aws.explained(f"versions of {key}"):
        for page in aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
            versions += (each for each in page.get("Versions", []) if each["Key"] == key)
            markers += (each for each in page.get("DeleteMarkers", []) if each["Key"] == key)
            # Keys come in order, and the lock, which has two more with each run, comes right after the state.
            if page.get("NextKeyMarker", key) != key:
                break
    gone = next((each["LastModified"] for each in markers if each["IsLatest"]), None)
    versions.sort(key=lambda each: (each["IsLatest"], each["LastModified"]), reverse=True)
    return Listed(tuple(versions), gone)


def read_version(aws: Aws, bucket: str, key: str, version: str) -> tuple[str, str]:
    """Return the text of one version, what cannot be decoded replaced, and the note that it was written with."""
    with aws.explained(f"version {version} of {key}"):
        found = aws.client("s3").get_object(Bucket=bucket, Key=key, VersionId=version)
        text = cast("bytes", found["Body"].read()).decode(errors="replace")
        # A header's name, which some write with capitals.
        notes = {name.lower(): value for name, value in cast("dict[str, str]", found.get("Metadata", {})).items()}
        return text, notes.get(NOTE, "")


def read_history(aws: Aws, bucket: str, key: str, count: int) -> History:
    """Return the newest ``count`` versions of a state, each one read."""
    listed = list_versions(aws, bucket, key)
    aws.client("s3")

    def look(each: Mapping[str, Any]) -> Version:
        text, note = read_version(aws, bucket, key, each["VersionId"])
        try:
            state, fault = parse_state(text), ""
        except ValueError as error:
            state, fault = None, str(error)
        when = cast("datetime", each["LastModified"])
        return Version(each["VersionId"], when, each["Size"], each["IsLatest"], state, fault, note)

    with ThreadPoolExecutor(8) as pool:
        return History(tuple(pool.map(look, listed.versions[:count])), listed.deleted)


@contextlib.contextmanager
def locked(aws: Aws, bucket: str, key: str, operation: str) -> Generator[None]:
    """Hold the lock that Terraform takes on a state (Terraform: S3 backend, `use_lockfile`).

    Raises LockedError where somebody has it. Killed meanwhile, `inv unlock` releases it.
    """
    lock, name = f"{key}.tflock", aws.target.name
    mine = {
        "ID": str(uuid.uuid4()),
        "Operation": operation,
        "Info": "",
        "Who": who_am_i(),
        "Version": "",
        "Created": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "Path": f"{bucket}/{key}",
    }
    if not aws.put_new(bucket, lock, mine):
        raise _refusal(aws.read_text(bucket, lock) or "", name)
    try:
        yield
    finally:
        aws.delete_key(bucket, lock)


def find_refusal(aws: Aws, bucket: str, key: str) -> RefusedError | None:
    """Return the error that a lock on a state would raise, or None where there is none."""
    lock = f"{key}.tflock"
    text = aws.read_text(bucket, lock) if lock in aws.list_keys(bucket, lock) else None
    return _refusal(text, aws.target.name) if text is not None else None


def _refusal(text: str, environment: str) -> RefusedError:
    try:
        held = json.loads(text)
        return LockedError(StateLock(held["ID"], held["Who"], held["Created"], held["Operation"]), environment)
    except (ValueError, KeyError, TypeError):
        return unreadable_lock(environment)


def put_state(aws: Aws, bucket: str, key: str, text: str, note: str) -> str:
    """Write a state as the newest version and return that version's id."""
    with aws.explained(key):
        answer = aws.client("s3").put_object(
            Bucket=bucket,
            Key=key,
            Body=text.encode(),
            ContentType="application/json",
            ServerSideEncryption="AES256",
            Metadata={NOTE: note.encode("ascii", "replace").decode()},
        )
    return cast("str", answer.get("VersionId", ""))

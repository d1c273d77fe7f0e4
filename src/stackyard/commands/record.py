"""Write the record of a release, and read the last one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from stackyard.commands.session import Session
from stackyard.commands.wanted import Wanted
from stackyard.releases import Release, last_number, release_key, release_prefix, release_tags
from stackyard.tools.holding import who_am_i


def record(session: Session, wanted: Wanted, summary: str, *, changed: bool) -> int:
    """Write the release's record and return its number; the last one's where nothing changed."""
    target = session.target
    number = last_number(session.aws.list_keys(target.state_bucket, release_prefix(target)))
    unrecorded = session.layout.unrecorded(target.name)
    if not (changed or unrecorded.exists()) and number and _recorded(session, number) == wanted.digests:
        return number
    while True:
        number += 1
        revision = wanted.revision
        release = Release(
            number=number,
            environment=target.name,
            digests=dict(wanted.digests),
            commit=revision.commit if revision else "",
            dirty=revision.dirty if revision else True,
            who=who_am_i(),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            summary=summary,
            images=wanted.tags,
        )
        if session.aws.put_new(target.state_bucket, release_key(target, number), release.record()):
            session.aws.tag_images(target.image_repository, release_tags(release))
            unrecorded.unlink(missing_ok=True)
            return number


def _recorded(session: Session, number: int) -> Mapping[str, str]:
    """Return the digests of a release's record."""
    text = session.aws.read_text(session.target.state_bucket, release_key(session.target, number))
    try:
        return cast("dict[str, dict[str, str]]", json.loads(text or ""))["digests"]
    except (ValueError, KeyError, TypeError):
        return {}

"""Bring back what a backup holds: states where the bucket has none that is better, records that it lacks.

The bucket itself is made where it is gone. For an environment that is ``moved`` to another region only what outlives a
region is known again; all else is made anew by the next bootstrap and deploy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stackyard.backups import MANIFEST, About, find_damage, read_manifest, state_name
from stackyard.commands.session import Session
from stackyard.commands.state import Restored, Wished, restore, state_key
from stackyard.errors import MissingError, RefusedError
from stackyard.releases import release_prefix
from stackyard.states import keep_global
from stackyard.words import plural


@dataclass(frozen=True, slots=True)
class Revived:
    """What was brought back from a backup."""

    about: About
    bucket_made: bool
    states: tuple[Restored, ...]
    records: tuple[str, ...]
    """Keys of the records that the bucket lacked."""


def revive(session: Session, folder: Path, *, moved: bool, yes: bool, dry_run: bool = False) -> Revived:
    """Bring back a backup of the session's environment. Raises StackyardError."""
    target, screen, aws = session.target, session.screen, session.aws
    about, files = read_backup(folder, target.name)
    _check_place(session, about, moved=moved)
    aws.check_caller()
    made = not aws.has_bucket(target.state_bucket)
    if made and dry_run:
        screen.note(f"would make the bucket {target.state_bucket} and restore the backup of {about.when}")
        return Revived(about, made, (), ())
    if made:
        aws.create_bucket(target.state_bucket)
        screen.note(f"created the state bucket {target.state_bucket}")
    typed = f"restore --env {target.name} --from {folder}{' --moved' if moved else ''}"
    states: list[Restored] = []
    for stack in ("bootstrap", "app"):
        text = files.get(state_name(stack))
        if text is not None and _is_wanted(session, stack):
            kept = keep_global(text) if moved else text
            wished = Wished(text=kept, origin=f"the backup of {about.when}", typed=typed)
            states.append(restore(session, wished, stack=stack, yes=yes, dry_run=dry_run))
    records = _bring_records(session, files, dry_run=dry_run)
    screen.note(f"{plural(len(records), 'release record')} brought back")
    screen.say(f"next: {_next_step(session, made=made or moved)}", "bold")
    return Revived(about, made, tuple(states), records)


def _next_step(session: Session, *, made: bool) -> str:
    name = session.target.name
    return f"inv bootstrap --env {name} && inv deploy --env {name}" if made else f"inv plan --env {name}"


def read_backup(folder: Path, environment: str) -> tuple[About, Mapping[str, str]]:
    """Return what a backup says of itself and its files, checked. Raises MissingError, RefusedError for a damaged one.

    ``folder`` is what `inv backup` named, or the environment's own in it.
    """
    place = folder / environment if (folder / environment).is_dir() else folder
    try:
        about, sums = read_manifest((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = str(error) if isinstance(error, ValueError) else f"there is no {MANIFEST}"
        raise MissingError(
            f"{place} is no backup of {environment}", why, command=f"ls {folder}   # or: inv backup --env {environment}"
        ) from error
    files = {name: _read(place / name) for name in sums}
    if damaged := find_damage(sums, files):
        raise RefusedError(f"the backup {place} is damaged", "; ".join(damaged), fix="Take another one.")
    return about, {name: text for name, text in files.items() if text is not None}


def _read(file: Path) -> str | None:
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:
        return None


def _check_place(session: Session, about: About, *, moved: bool) -> None:
    """Refuse a backup of something else. Raises RefusedError."""
    target = session.target
    here, there = (target.name, target.account, target.region), (about.environment, about.account, about.region)
    if here[:2] != there[:2]:
        raise RefusedError(
            "this is a backup of something else",
            f"of {about.environment} in account {about.account}, not {target.name} in {target.account}",
            fix="In another account nothing is left that a state knows: bootstrap and deploy there.",
            command=f"inv bootstrap --env {target.name}",
        )
    if not moved and here != there:
        raise RefusedError(
            f"the backup is of {about.region}, and {target.name} is in {target.region}",
            "what runs there cannot be known here",
            fix="With --moved only what belongs to no region is taken over.",
            command=f"inv restore --env {target.name} --from FOLDER --moved",
        )
    if moved and here == there:
        raise RefusedError(
            f"{target.name} is in {target.region} as its backup was",
            "it was not moved, and would forget all that runs",
            command=f"inv restore --env {target.name} --from FOLDER",
        )


def _is_wanted(session: Session, stack: str) -> bool:
    """Tell whether a state is to be restored: the bootstrap's, which environments share, only where there is none."""
    key = state_key(session, stack)
    return stack == "app" or key not in session.aws.list_keys(session.target.state_bucket, key)


def _bring_records(session: Session, files: Mapping[str, str], *, dry_run: bool) -> tuple[str, ...]:
    """Write the records that the bucket lacks; return their keys."""
    target, aws = session.target, session.aws
    prefix = release_prefix(target)
    there = set(aws.list_keys(target.state_bucket, prefix))
    brought: list[str] = []
    for name, text in files.items():
        key = f"{prefix}{name.removeprefix('releases/')}"
        if not name.startswith("releases/") or key in there:
            continue
        if not dry_run:
            aws.put_text(target.state_bucket, key, text)
        brought.append(key)
    return tuple(brought)

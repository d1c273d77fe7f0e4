"""``inv state-history``, ``inv state-restore``: the versions of a state that the bucket keeps, and one brought back.

A restore observes (the versions, the caller), decides (`stackyard.states`), asks where the environment is protected,
and writes the chosen version as the newest, under Terraform's own lock and a serial above all others. What was current
stays, a version before. Nothing that runs is touched; the next plan shows in what the two differ.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from stackyard.commands import record
from stackyard.commands.confirm import ask_if_protected
from stackyard.commands.session import Session
from stackyard.errors import MissingError, RefusedError, StackyardError
from stackyard.states import (
    FORMAT,
    Difference,
    History,
    State,
    compare_states,
    find_version,
    next_serial,
    parse_state,
    tell_who,
    with_serial,
)
from stackyard.tools.holding import who_am_i
from stackyard.words import plural

STACKS = ("app", "bootstrap")
LOOKED_AT = 20
"""Versions that a history reads; the bucket keeps as many, and all of the last 90 days (infra/bootstrap)."""


def state_key(session: Session, stack: str) -> str:
    """Return where a stack's state lies in the bucket. Raises MissingError for a stack that there is not."""
    if stack not in STACKS:
        raise MissingError(f"there is no stack {stack}", f"there are {', '.join(STACKS)}")
    return f"app/{session.target.name}/terraform.tfstate" if stack == "app" else "bootstrap/terraform.tfstate"


@dataclass(frozen=True, slots=True)
class Row:
    """One version as it is shown."""

    version: str
    when: str
    """UTC, ISO 8601."""
    serial: int | None
    resources: int | None
    who: str
    """Whose release it was written for, or what a restore said of it; empty where nobody knows."""
    current: bool
    fault: str
    """Why it is no state; empty for a whole one."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What a bucket keeps of one state, newest first."""

    environment: str
    stack: str
    deleted: str
    """Since when there is no current one; empty where there is."""
    versions: tuple[Row, ...]


def history(session: Session, *, stack: str = "app", count: int = LOOKED_AT) -> Versions:
    """Return the versions of a state that the bucket keeps. Raises StackyardError."""
    target, key = session.target, state_key(session, stack)
    session.aws.check_caller()
    found = _read(session, key, count)
    who = _tell_who(session, found) if stack == "app" else {each.id: each.note for each in found.versions}
    rows = tuple(
        Row(
            each.id,
            each.when.astimezone(UTC).isoformat(timespec="seconds"),
            each.state.serial if each.state else None,
            len(each.state.addresses) if each.state else None,
            who[each.id],
            each.current,
            each.fault,
        )
        for each in found.versions
    )
    deleted = found.deleted.astimezone(UTC).isoformat(timespec="seconds") if found.deleted else ""
    return Versions(target.name, stack, deleted, rows)


def show_history(session: Session, found: Versions) -> None:
    """Print it as a table; * is what Terraform reads."""
    rows = [
        [
            ("* " if each.current else "  ") + ("-" if each.serial is None else str(each.serial)),
            each.when[:19].replace("T", " "),
            each.fault or plural(each.resources or 0, "resource"),
            each.who or "-",
            each.version,
        ]
        for each in found.versions
    ]
    session.screen.table(["  SERIAL", "WHEN (UTC)", "HOLDS", "WHO", "VERSION"], rows)
    if found.deleted:
        session.screen.warn(f"the state was deleted at {found.deleted[:19].replace('T', ' ')}")


def _read(session: Session, key: str, count: int) -> History:
    from stackyard.tools.stateversions import read_history  # noqa: PLC0415  (botocore takes 65 ms)

    return read_history(session.aws, session.target.state_bucket, key, count)


def _tell_who(session: Session, found: History) -> dict[str, str]:
    """Say who wrote each; broken records and notes of releases are no reason to show nothing."""
    try:
        releases, underway = record.read_history(session), record.find_underway(session)
    except StackyardError as error:
        session.screen.warn(f"who wrote them is not known: {error}")
        return {each.id: each.note for each in found.versions}
    return tell_who(found.versions, releases.values(), underway)


@dataclass(frozen=True, slots=True)
class Wished:
    """Which version is to be restored; by default the newest whole one that is not current."""

    id: str = ""
    serial: int | None = None
    text: str = ""
    """A state from elsewhere, which goes before both."""
    origin: str = ""
    """Where that is from."""
    typed: str = ""
    """The task that asked for it, as it was typed; empty where its id and serial say it all."""


def begin_anew(environment: str) -> Wished:
    """Return an empty state, for an environment of which nothing runs any more."""
    lineage = str(uuid.uuid4())
    return Wished(
        text=json.dumps({"version": FORMAT, "serial": 0, "lineage": lineage, "outputs": {}, "resources": []}),
        origin="an empty state",
        typed=f"state-restore --env {environment} --empty",
    )


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to."""

    environment: str
    stack: str
    done: bool
    """False after ``--dry-run``."""
    source: str
    serial: int
    kept: str
    """The id of the version that was current before and can be restored the same way; empty where there was none."""
    forgotten: tuple[str, ...]
    known_again: tuple[str, ...]


def restore(session: Session, wished: Wished, *, stack: str = "app", yes: bool, dry_run: bool = False) -> Restored:
    """Bring a version of a state back. Raises StackyardError."""
    target, screen, key = session.target, session.screen, state_key(session, stack)
    doing = f"state-restore --env {target.name}" + (f" --stack {stack}" if stack != "app" else "")
    with session.changing(doing):
        with screen.stage(f"look at the state of {target.name}"):
            session.aws.check_caller()
            found = _read(session, key, LOOKED_AT * 5)
            text, source = _choose(session, key, found, wished)
            current = found.current
            _refuse_unkept(session, found)
            state, difference = parse_state(text), _compare(found, text)
            serial = next_serial(found, text)
            screen.note(f"{source} ({state.words()}) becomes serial {serial}")
            _tell_difference(session, difference)
        done = Restored(
            target.name,
            stack,
            not dry_run,
            source,
            serial,
            current.id if current else "",
            difference.forgotten,
            difference.known_again,
        )
        if not dry_run:
            ask_if_protected(session, yes=yes, command=f"inv {_again(doing, wished)} --yes")
            with screen.stage("restore"):
                _write(session, key, found, with_serial(text, serial), source)
    return done


def _again(doing: str, wished: Wished) -> str:
    if wished.typed:
        return wished.typed
    serial = "" if wished.serial is None else f" --serial {wished.serial}"
    return doing + (f" --version {wished.id}" if wished.id else serial)


def _choose(session: Session, key: str, found: History, wished: Wished) -> tuple[str, str]:
    """Return the text to restore and where it is from. Raises MissingError, RefusedError for what is no state."""
    from stackyard.tools.stateversions import read_version  # noqa: PLC0415  (botocore takes 65 ms)

    name = session.target.name
    look = f"inv state-history --env {name}"
    if wished.text:
        return wished.text, wished.origin
    if not wished.id and wished.serial is None and found.current and found.current.state:
        raise RefusedError(
            f"the state of {name} is whole",
            f"serial {found.current.serial} is current; an older one comes back by its serial or version",
            command=look,
        )
    version = find_version(found, version=wished.id, serial=wished.serial)
    if version is None:
        what = f"version {wished.id}" if wished.id else f"serial {wished.serial}"
        if not wished.id and wished.serial is None:
            raise MissingError(
                f"the bucket keeps no whole version of the state of {name}",
                f"s3://{session.target.state_bucket}/{key}",
                fix="Bring back a backup's.",
                command=f"inv restore --env {name} --from FOLDER",
            )
        raise MissingError(f"the state of {name} has no {what}", "or it is no whole state", command=look)
    if version.state is None:
        raise RefusedError(f"version {version.id} of the state of {name} is no state", version.fault, command=look)
    text, _ = read_version(session.aws, session.target.state_bucket, key, version.id)
    return text, f"serial {version.serial} of {version.when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _compare(found: History, text: str) -> Difference:
    """Compare with the current version or, where it is no state or gone, the newest that is one."""
    newest = found.newest_whole()
    return compare_states(newest.state if newest else None, parse_state(text))


def _tell_difference(session: Session, difference: Difference) -> None:
    for words, addresses in (
        ("goes on running, and Terraform forgets it", difference.forgotten),
        ("is known again", difference.known_again),
    ):
        for address in addresses:
            session.screen.note(f"{address} {words}")


def _refuse_unkept(session: Session, found: History) -> None:
    """Refuse where a bucket would not keep what is overwritten: its versions have no ids then."""
    if found.current is not None and found.current.id == "null":
        raise RefusedError(
            f"the bucket {session.target.state_bucket} keeps no versions",
            "what is current now would be lost",
            command=f"inv bootstrap --env {session.target.name}",
        )


def _write(session: Session, key: str, seen: History, text: str, source: str) -> None:
    """Write a state under Terraform's lock, and read it again. Raises RefusedError where it changed meanwhile."""
    from stackyard.tools.stateversions import list_versions, locked, put_state  # noqa: PLC0415  (botocore takes 65 ms)

    aws, bucket, name = session.aws, session.target.state_bucket, session.target.name
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with locked(aws, bucket, key, "OperationTypeRestore"):
        listed = list_versions(aws, bucket, key)
        current = next((each["VersionId"] for each in listed.versions if each["IsLatest"]), None)
        if current != (seen.current.id if seen.current else None):
            raise RefusedError(
                f"the state of {name} was changed meanwhile",
                "nothing was restored",
                command=f"inv state-history --env {name}",
            )
        put_state(aws, bucket, key, text, f"{who_am_i()} restored {source} at {now}")
        written = _parse(aws.read_text(bucket, key) or "")
    if written != parse_state(text):
        raise RefusedError(
            f"the state of {name} is not what was written", "look again", command=f"inv state-history --env {name}"
        )


def _parse(text: str) -> State | None:
    try:
        return parse_state(text)
    except ValueError:
        return None

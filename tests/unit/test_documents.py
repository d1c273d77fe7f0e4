"""What tasks print for programs is what their schemas say, whatever it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import pytest

import tasks
from stackyard.commands.api_key import ShownKey
from stackyard.commands.backup import BackedUp
from stackyard.commands.bootstrap import Bootstrapped
from stackyard.commands.cost import Assumed, cost
from stackyard.commands.destroy import Destroyed
from stackyard.commands.diff import Compared
from stackyard.commands.docker_push import Pushed
from stackyard.commands.doctor import Check
from stackyard.commands.drift import Drifted
from stackyard.commands.github import facts, role
from stackyard.commands.github_report import Reported
from stackyard.commands.github_setup import Request, set_up
from stackyard.commands.lock import Locked
from stackyard.commands.mend import Finding
from stackyard.commands.plan import Report
from stackyard.commands.prices import Refreshed
from stackyard.commands.releases import Listing
from stackyard.commands.remove_service import record_removed
from stackyard.commands.reviving import Revived
from stackyard.commands.services import Row
from stackyard.commands.session import Session
from stackyard.commands.state import Restored, Versions
from stackyard.commands.status import Status
from stackyard.commands.trace import Traced
from stackyard.commands.wanted import Deployed
from stackyard.documents import DOCUMENTS
from stackyard.loglines import Line
from stackyard.project import find_target
from stackyard.removal import Removal
from stackyard.testing import Printed, ScriptedRunner
from tests.printed import find_faults, read_schema
from tests.unit.folder import Folder

TASKS = cast("dict[str, Any]", tasks.namespace.tasks)  # Invoke's tasks have no types


def as_list(each: object) -> list[object]:
    """Put one into a list, as a task prints several."""
    return [asdict(cast("Any", each))]


MADE: dict[str, tuple[type[Any], Callable[[Any], object]]] = {
    "api-key": (ShownKey, asdict),
    "backup": (BackedUp, asdict),
    "bootstrap": (Bootstrapped, asdict),
    "deploy": (Deployed, asdict),
    "destroy": (Destroyed, asdict),
    "diff": (Compared, Compared.record),
    "docker-push": (Pushed, as_list),
    "doctor": (Check, as_list),
    "drift": (Drifted, asdict),
    "github-report": (Reported, asdict),
    "lock": (Locked, Locked.record),
    "logs": (Line, Line.record),
    "mend": (Finding, as_list),
    "plan": (Report, Report.record),
    "prices": (Refreshed, Refreshed.record),
    "promote": (Deployed, asdict),
    "releases": (Listing, Listing.record),
    "remove-service": (Removal, lambda each: record_removed(each, dry_run=True)),
    "restore": (Revived, asdict),
    "rollback": (Deployed, asdict),
    "services": (Row, as_list),
    "state-history": (Versions, asdict),
    "state-restore": (Restored, asdict),
    "status": (Status, Status.record),
}
"""By task: what its command returns, and how that becomes data."""


def make(kind: Any, *, full: bool) -> Any:
    """Make a value of a type, by its types alone: with one of everything in it, or with as little as may be."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return cast("Any", kind)(**{each.name: make(hints[each.name], full=full) for each in fields(kind)})
    if origin in {Union, UnionType}:
        return make(inner[0], full=full) if full else None
    if origin in {dict, Mapping}:
        return {make(inner[0], full=full): make(inner[1], full=full)} if full else {}
    if origin in {list, tuple, frozenset, Sequence}:
        some = inner if origin is tuple and Ellipsis not in inner else inner[: int(full)]
        made = [make(each, full=full) for each in some]
        return made if origin is Sequence else cast("Any", origin)(made)
    return inner[0 if full else -1] if origin is Literal else VALUES[kind][full]


VALUES: dict[Any, tuple[object, object]] = {
    str: ("", "text"),
    int: (0, 3),
    float: (0.0, 1.5),
    bool: (False, True),
    Decimal: (Decimal(0), Decimal("1.5")),
    Any: (None, {"of": ["whatever", 1]}),
    object: (None, {"of": ["whatever", 1]}),
}


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("task", MADE)
def test_what_a_command_returns_is_what_the_schema_says(task: str, full: bool) -> None:
    """With one of everything in it, and with nulls and nothing; through JSON."""
    kind, turn = MADE[task]
    document = json.loads(json.dumps(turn(make(kind, full=full)), default=str))
    assert find_faults(task, document) == []


def test_a_cost_is_what_its_schema_says(folder: Folder, printed: Printed) -> None:
    """Reckoned from settings."""
    folder.service("api", "kind: lambda\n")
    session = Session(folder.root, "dev", printed.screen, ScriptedRunner())
    document = cost(session, Assumed(requests="1000,api=2000000")).record()
    assert document["lines"]
    assert find_faults("cost", json.loads(json.dumps(document))) == []


def test_what_workflows_are_told_is_what_the_schemas_say(folder: Folder, printed: Printed) -> None:
    """Facts, a role, and the repository's settings before they are made."""
    runner = ScriptedRunner()
    assert find_faults("github-facts", facts(folder.root, runner)) == []
    assert find_faults("github-role", role(find_target(folder.read_project(), "dev"), "plan")) == []
    done = set_up(folder.root, printed.screen, runner, Request(reviewers=("sam",)))
    assert done
    assert find_faults("github-setup", [asdict(each) for each in done]) == []


def test_a_trace_is_what_its_schema_says() -> None:
    """Of one line, and more."""
    line = make(Line, full=True)
    document = Traced("x", ["api"], [line, line]).record()
    assert find_faults("trace", json.loads(json.dumps(document))) == []


def test_every_task_with_json_has_a_schema() -> None:
    """And no other."""
    printing = {name for name, task in TASKS.items() if any(each.name == "json" for each in task.get_arguments())}
    assert set(DOCUMENTS) == printing
    for task in DOCUMENTS:
        assert cast("dict[str, str]", read_schema(task).schema)["title"].startswith(f"inv {task} --json")


def test_a_document_that_lacks_something_or_has_more_is_told() -> None:
    """So the tests that lean on this see what they are there for."""
    whole = {"released": ["x"]}
    assert find_faults("unlock", whole) == []
    assert find_faults("unlock", {}) == ["$: 'released' is a required property"]
    assert len(find_faults("unlock", {**whole, "more": 1})) == 1
    assert find_faults("unlock", {"released": [1]}) == ["$.released[0]: 1 is not of type 'string'"]

"""What tasks print for programs is what their schemas say, whatever it is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tasks
from stackyard.commands.add_service import Added
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

ROOT = Path(__file__).resolve().parents[2]
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
"""By task: what its command returns, and how that becomes data. Each is made up by its types, nulls and all."""


@pytest.mark.parametrize("task", MADE)
def test_what_a_command_returns_is_what_the_schema_says(task: str) -> None:
    """Whatever is in it, and through JSON."""
    made, turn = MADE[task]

    @settings(max_examples=25)
    @given(st.from_type(made))
    def holds(returned: object) -> None:
        document = json.loads(json.dumps(turn(returned), default=str))
        assert find_faults(task, document) == []

    holds()


def test_every_task_with_json_has_a_schema() -> None:
    """And no other."""
    printing = {name for name, task in TASKS.items() if any(each.name == "json" for each in task.get_arguments())}
    assert set(DOCUMENTS) == printing
    for task in DOCUMENTS:
        assert read_schema(task).schema["title"].startswith(f"inv {task} --json")


def test_a_document_that_lacks_something_or_has_more_is_told() -> None:
    """So the tests that lean on this see what they are there for."""
    whole = {"released": ["x"]}
    assert find_faults("unlock", whole) == []
    assert find_faults("unlock", {}) == ["$: 'released' is a required property"]
    assert len(find_faults("unlock", {**whole, "more": 1})) == 1
    assert find_faults("unlock", {"released": [1]}) == ["$.released[0]: 1 is not of type 'string'"]

"""Terraform's JSON stream, as Terraform 1.11.4 wrote it (recorded/), read into what the screen and the errors need."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackyard.tools.tfevents import (
    Applied,
    Change,
    Diagnostic,
    Event,
    Failed,
    Waiting,
    count_steps,
    find_lock,
    parse_event,
    plain_action,
    short_address,
)

RECORDED = Path(__file__).with_name("recorded")


def recorded(name: str) -> list[Event]:
    lines = (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(parse_event, lines) if event]


def diagnostics(name: str) -> list[Diagnostic]:
    return [event for event in recorded(name) if isinstance(event, Diagnostic)]


def test_a_plans_changes_are_read() -> None:
    """Every kind of change that there is, with its reason; refreshes and summaries are nobody's concern."""
    *changes, warning = recorded("plan")
    assert changes == [
        Change("terraform_data.forgotten", "remove", "delete_because_no_resource_config"),
        Change("terraform_data.replaced", "replace", "cannot_update"),
        Change('terraform_data.gone["a"]', "delete", "delete_because_no_resource_config"),
        Change("terraform_data.imported", "import"),
        Change("terraform_data.new", "move"),
        Change("terraform_data.fails", "create"),
        Change("terraform_data.kept", "update"),
    ]
    assert isinstance(warning, Diagnostic)
    assert warning.severity == "warning"
    assert plain_action([change for change in changes if isinstance(change, Change)]) == (
        "1 to create, 1 to import, 1 to change, 1 to replace, 1 to destroy, 1 to rename, 1 to forget"
    )


def test_an_applys_progress_is_read() -> None:
    """What is done, in plain words, and what is waited for; a provisioner's output is left out."""
    events = recorded("apply")
    assert Applied("terraform_data.kept", "changed", 0) in events
    assert Applied('terraform_data.gone["a"]', "destroyed", 0) in events
    assert Applied("terraform_data.slow", "created", 12) in events
    assert Waiting("terraform_data.slow", 10) in events
    assert len(events) == 7


def test_what_an_apply_will_say_is_counted_in_its_plan() -> None:
    """So that a bar of the one ends full with the other: a replacement is said twice, a new name never."""
    changes = [event for event in recorded("plan") if isinstance(event, Change)]
    done = [event for event in recorded("apply") if isinstance(event, Applied)]
    without_slow = [event for event in done if event.address != "terraform_data.slow"]
    assert count_steps(changes) == len(without_slow) == 5
    assert count_steps([Change("data.x.y", "read")]) == 1
    assert count_steps([]) == 0


def test_a_failed_resource_is_told_as_it_happens() -> None:
    """With what was tried; why comes at the end, in the diagnostics."""
    failed = [event for event in recorded("failed") if isinstance(event, Failed)]
    assert failed == [Failed('module.unit["api"].terraform_data.this["key"]', "create", 0)]
    line = '{"type": "apply_errored", "hook": {"resource": {"addr": "x.y"}, "action": "%s", "elapsed_seconds": 3}}'
    assert parse_event(line % "update") == Failed("x.y", "change", 3)
    assert parse_event(line % "delete") == Failed("x.y", "destroy", 3)


def test_a_failure_is_written_with_its_place() -> None:
    """Summary, resource, file and line, then Terraform's own sentence."""
    [precondition] = diagnostics("precondition")
    assert precondition.text() == "Resource precondition failed\n  on main.tf line 7\nNot three."
    [failed] = diagnostics("failed")
    assert failed.text() == (
        'local-exec provisioner error\n  with module.unit["api"].terraform_data.this["key"]\n'
        "  on unit/main.tf line 3\nError running command 'exit 3': exit status 3. Output: "
    )


def test_the_holder_of_a_lock_is_found() -> None:
    """Id, who, what and since when; none in another error."""
    lock = find_lock(diagnostics("locked"))
    assert lock is not None
    assert (lock.id, lock.who) == ("0f955b9c-ee0b-9338-749c-f5ab4ee26590", "ada@laptop")
    assert (lock.operation, lock.created) == ("OperationTypeApply", "2026-11-23 08:05:20.470769877 +0000 UTC")
    assert find_lock(diagnostics("stale")) is None
    assert find_lock(diagnostics("failed")) is None
    assert find_lock([]) is None


def test_a_lock_that_says_nothing_of_itself_is_no_lock_of_anybody() -> None:
    """Then Terraform's own words are all there is."""
    assert find_lock([Diagnostic("Error acquiring the state lock", "access denied")]) is None


@pytest.mark.parametrize(
    "line", ["", "plain words", "12", "null", "[]", '"text"', "{}", '{"type": "log"}', '{"type": 1}']
)
def test_a_line_of_another_shape_is_left_out(line: str) -> None:
    """A provider may print what it likes."""
    assert parse_event(line) is None


def test_no_changes_has_words() -> None:
    """Reads are no changes."""
    assert plain_action([]) == "no changes"
    assert plain_action([Change("data.x.y", "read")]) == "no changes"


@pytest.mark.parametrize(
    ("address", "short"),
    [
        ('module.lambda_service["api"].aws_iam_role.this', "api: aws_iam_role"),
        ('module.lambda_service["order-desk"].aws_lambda_alias.live', "order-desk: aws_lambda_alias.live"),
        ("module.api_gateway.aws_api_gateway_stage.this", "api-gateway: aws_api_gateway_stage"),
        ("module.api_gateway[0].aws_api_gateway_stage.this", "api-gateway: aws_api_gateway_stage"),
        ("module.api_gateway.aws_api_gateway_usage_plan.this[0]", "api-gateway: aws_api_gateway_usage_plan[0]"),
        ("aws_s3_bucket.state", "aws_s3_bucket.state"),
        ("module.api_gateway.data.aws_region.this", "api-gateway: data.aws_region"),
        ("module.a.module.b.aws_x.y", "module.a.module.b.aws_x.y"),
    ],
)
def test_an_address_is_said_briefly(address: str, short: str) -> None:
    """The service first; what is not understood is left as it is."""
    assert short_address(address) == short

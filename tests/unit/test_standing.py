"""How the rollouts of Lambda, App Runner, ECS and CodeDeploy are judged from what AWS says."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.manifest import Rollout
from stackyard.tools.codedeploy import parse_appspec, render_appspec
from stackyard.tools.ecsrollout import Tasks, is_prepared, render_configuration, render_load_balancer
from stackyard.tools.standing import (
    judge_app_runner,
    judge_ecs,
    judge_function,
    judge_service_deployment,
    judge_shift,
    tell_stopped,
)

NEW, OLD = "arn:aws:ecs:eu-west-1:111111111111:task-definition/acme-dev-desk:2", "…/acme-dev-desk:1"
DIGEST = f"sha256:{'1' * 64}"


@pytest.mark.parametrize(
    ("facts", "done"),
    [
        ({}, True),
        ({"State": "Active", "LastUpdateStatus": "Successful"}, True),
        ({"State": "Inactive", "LastUpdateStatus": "Successful"}, True),
        ({"State": "Pending", "StateReason": "The function is being created."}, False),
        ({"State": "Active", "LastUpdateStatus": "InProgress"}, False),
    ],
)
def test_a_function_is_done_when_lambda_has_its_image_ready(facts: dict[str, str], done: bool) -> None:
    """An idle one is."""
    standing = judge_function(facts)
    assert (standing.done, standing.failed) == (done, "")


def test_a_function_fails_in_lambdas_words() -> None:
    """For the making and for the change, each with its own reason."""
    made = judge_function({"State": "Failed", "StateReason": "No such image", "StateReasonCode": "ImageDeleted"})
    assert made.failed == "No such image (ImageDeleted)"
    changed = {"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": "ImageAccessDenied"}
    assert judge_function(changed).failed == "Lambda gives no reason (ImageAccessDenied)"


def runner(status: str, digest: str = DIGEST) -> dict[str, Any]:
    """Return an App Runner service."""
    image = {"ImageRepository": {"ImageIdentifier": f"acme@{digest}"}}
    return {"Status": status, "SourceConfiguration": image}


def test_app_runner_is_done_when_its_last_operation_is() -> None:
    """And when it runs the image that is wanted; while it works, it says at what."""
    update = {"Type": "UPDATE_SERVICE", "Status": "SUCCEEDED"}
    assert judge_app_runner(runner("RUNNING"), update, DIGEST).done
    working = judge_app_runner(runner("OPERATION_IN_PROGRESS"), update | {"Status": "IN_PROGRESS"}, DIGEST)
    assert (working.done, working.failed, working.words) == (False, "", "App Runner: update service under way")
    back = judge_app_runner(runner("OPERATION_IN_PROGRESS"), update | {"Status": "ROLLBACK_IN_PROGRESS"}, DIGEST)
    assert back.words == "App Runner: update service under way, going back"


@pytest.mark.parametrize(
    ("service", "ended", "words"),
    [
        (
            runner("RUNNING"),
            "ROLLBACK_SUCCEEDED",
            "ended in ROLLBACK_SUCCEEDED, which was rolled back; the service is R",
        ),
        (
            runner("CREATE_FAILED"),
            "FAILED",
            "App Runner's UPDATE_SERVICE ended in FAILED; the service is CREATE_FAILED",
        ),
        (runner("RUNNING", "sha256:other"), "SUCCEEDED", "App Runner runs sha256:other"),
    ],
)
def test_app_runner_that_runs_again_may_have_gone_back(service: dict[str, Any], ended: str, words: str) -> None:
    """Terraform takes RUNNING for success."""
    assert words in judge_app_runner(service, {"Type": "UPDATE_SERVICE", "Status": ended}, DIGEST).failed


def ecs(*deployments: dict[str, Any]) -> dict[str, Any]:
    """Return an ECS service, its first deployment the primary one."""
    return {
        "deployments": [
            {"status": "ACTIVE" if number else "PRIMARY", "desiredCount": 2, **each}
            for number, each in enumerate(deployments)
        ]
    }


def test_ecs_is_done_when_the_new_deployment_is_complete() -> None:
    """Until then the tasks are counted."""
    under_way = ecs(
        {"taskDefinition": NEW, "rolloutState": "IN_PROGRESS", "runningCount": 1, "failedTasks": 1},
        {"taskDefinition": OLD, "rolloutState": "COMPLETED", "runningCount": 2},
    )
    standing = judge_ecs(under_way, NEW)
    assert (standing.done, standing.failed) == (False, "")
    assert standing.words == "ECS: 1 of 2 new tasks running, 1 failed to start, 2 old to go"
    assert judge_ecs(ecs({"taskDefinition": NEW, "rolloutState": "COMPLETED", "runningCount": 2}), NEW).done


def test_ecs_that_went_back_has_failed() -> None:
    """While the failed deployment is still told of, in its words; after that, by what the primary one runs."""
    reason = "tasks failed to start: deployment circuit breaker: rolled back"
    back = {"taskDefinition": OLD, "rolloutState": "IN_PROGRESS"}
    failed = {"taskDefinition": NEW, "rolloutState": "FAILED", "rolloutStateReason": reason}
    assert judge_ecs(ecs(back, failed), NEW).failed == reason
    assert judge_ecs(ecs(back), NEW).failed.startswith("ECS went back to acme-dev-desk:1:")
    assert judge_ecs({}, NEW).failed.startswith("ECS went back to nothing:")


def test_stopped_tasks_say_why_once_each() -> None:
    """Only those of the new task definition, with exit codes and the containers' own reasons."""
    one = {
        "taskDefinitionArn": NEW,
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "desk", "exitCode": 137, "reason": "OutOfMemoryError"}, {"name": "quiet"}],
    }
    other = {"taskDefinitionArn": OLD, "stoppedReason": "Scaling activity"}
    told = tell_stopped([one, other, dict(one), {"taskDefinitionArn": NEW, "stopCode": "TaskFailedToStart"}], NEW)
    assert told == ["Essential container in task exited; desk: exit code 137, OutOfMemoryError", "TaskFailedToStart"]


def stopped(code: str, message: str, **more: Any) -> dict[str, Any]:
    """Return a CodeDeploy deployment that did not end well."""
    return {"status": "Stopped", "errorInformation": {"code": code, "message": message}, **more}


def test_codedeploy_tells_its_percentage() -> None:
    """And is done when it says so."""
    assert judge_shift({"status": "InProgress"}, None, (), 12.5).words == "CodeDeploy: 12.5 %"
    assert judge_shift({"status": "Queued"}, None, (), 0).words == "CodeDeploy: queued"
    assert judge_shift({"status": "Succeeded"}, None, (), 100).done


def test_codedeploy_that_goes_back_is_waited_for() -> None:
    """Until then nobody knows what serves."""
    alarmed = stopped("ALARM_ACTIVE", "… Activated alarms: <api has errors>")
    back = judge_shift(alarmed, {"status": "InProgress"}, (), 10)
    assert (back.done, back.failed, back.words) == (
        False,
        "",
        "CodeDeploy: going back (the alarm api has errors went off)",
    )
    assert judge_shift(alarmed, {"status": "Succeeded"}, (), 0).failed == "the alarm api has errors went off"
    assert judge_shift(alarmed, {"status": "Failed"}, (), 0).failed.endswith("; going back failed, too")


def test_codedeploy_names_the_event_that_failed() -> None:
    """With what it says about it; a stop by hand is called that."""
    event = {"lifecycleEventName": "BeforeAllowTraffic", "status": "Failed", "diagnostics": {"message": "no answer"}}
    target = {"lambdaTarget": {"lifecycleEvents": [{"lifecycleEventName": "Install", "status": "Succeeded"}, event]}}
    failed = stopped("HOOK_EXECUTION_FAILURE", "a hook failed", status="Failed")
    assert (
        judge_shift(failed, None, [target], 0).failed == "BeforeAllowTraffic failed: no answer (HOOK_EXECUTION_FAILURE)"
    )
    assert judge_shift(stopped("MANUAL_STOP", "by its user"), None, (), 0).failed == "somebody stopped it"
    assert judge_shift({"status": "Failed"}, None, (), 0).failed == "CodeDeploy gives no reason (Failed)"


def test_what_codedeploy_is_told_can_be_read_again() -> None:
    """And what others told it is no error."""
    content = render_appspec("acme-dev-api", "3", "4")
    assert parse_appspec({"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}) == ("3", "4")
    assert parse_appspec({"string": {"content": content}}) == ("3", "4")
    for other in ({}, {"string": {"content": "version: 0.0"}}, {"s3Location": {"bucket": "b"}}):
        assert parse_appspec(other) == ("", "")


def deployment(status: str, stage: str = "", percent: float = 0, **more: Any) -> dict[str, Any]:
    """Return a service deployment of ECS's."""
    target = {"requestedTaskCount": 2, "runningTaskCount": 1, "requestedProductionTrafficWeight": percent}
    return {"status": status, "lifecycleStage": stage, "targetServiceRevision": target, **more}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (deployment("PENDING"), "ECS: 0 of 0 new tasks running"),
        (deployment("IN_PROGRESS", "PRE_SCALE_UP"), "ECS: making ready"),
        (deployment("IN_PROGRESS", "SCALE_UP"), "ECS: 1 of 2 new tasks running"),
        (deployment("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT", 2.5), "ECS: 2.5 %"),
        (deployment("IN_PROGRESS", "BAKE_TIME", 100), "ECS: 100 %, the old tasks are kept"),
        (deployment("IN_PROGRESS", "CLEAN_UP", 100), "ECS: taking the old tasks away"),
        (deployment("ROLLBACK_IN_PROGRESS", statusReason="why"), "ECS: going back (why)"),
        (deployment("STOP_REQUESTED"), "ECS: going back (ECS gives no reason)"),
    ],
)
def test_a_service_deployment_says_what_the_new_tasks_get(facts: dict[str, Any], words: str) -> None:
    """Nothing is decided before it has ended."""
    if facts["status"] == "PENDING":
        del facts["targetServiceRevision"]
    standing = judge_service_deployment(facts)
    assert (standing.words, standing.done, standing.failed) == (words, False, "")


@pytest.mark.parametrize(
    ("facts", "failed"),
    [
        (
            deployment("ROLLBACK_SUCCESSFUL", alarms={"triggeredAlarmNames": ["a b", "c"]}, statusReason="?"),
            "the alarm a b, c went off",
        ),
        (
            deployment("ROLLBACK_FAILED", deploymentCircuitBreaker={"status": "TRIGGERED"}, statusReason="3 failed"),
            "the new tasks did not become healthy: 3 failed; going back failed, too",
        ),
        (deployment("ROLLBACK_SUCCESSFUL", rollback={"reason": "asked"}, statusReason="?"), "asked"),
        (deployment("STOPPED"), "ECS gives no reason"),
    ],
)
def test_a_service_deployment_that_went_back_says_why(facts: dict[str, Any], failed: str) -> None:
    """By the alarm's name where one went off; ECS's own words otherwise."""
    assert judge_service_deployment(facts).failed == failed
    assert judge_service_deployment(deployment("SUCCESSFUL")).done


def test_a_deployment_is_told_all_of_its_strategy() -> None:
    """Whatever the service was told before; a rollback and a service that comes all at once take no steps."""
    always = {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    }
    canary = Rollout(strategy="canary", percent=7, interval=3, alarms=["x"])
    watched = {"alarms": {"alarmNames": ["x"], "enable": True, "rollback": True}}
    assert render_configuration(canary) == always | watched | {
        "strategy": "CANARY",
        "bakeTimeInMinutes": 0,
        "canaryConfiguration": {"canaryPercent": 7.0, "canaryBakeTimeInMinutes": 3},
    }
    assert render_configuration(canary, at_once=True) == always | watched | {"strategy": "ROLLING"}
    assert render_configuration(Rollout()) == always | {"strategy": "ROLLING"}
    assert render_configuration(Rollout(strategy="blue-green", interval=9)) == always | {
        "strategy": "BLUE_GREEN",
        "bakeTimeInMinutes": 9,
    }
    linear = render_configuration(Rollout(strategy="linear", percent=20, interval=4))
    assert linear["linearConfiguration"] == {"stepPercent": 20.0, "stepBakeTimeInMinutes": 4}


def test_ecs_is_ready_when_it_knows_this_way_and_no_other() -> None:
    """A listener that was made again is another one."""
    names = ("container", "target_group_arn", "second_group_arn", "listener_arn", "role_arn")
    details = {name: name for name in names}
    known = render_load_balancer(details)
    plain = {name: value for name, value in known.items() if name != "advancedConfiguration"}
    assert is_prepared(Tasks("td", "ROLLING", (known,)), details)
    assert not is_prepared(Tasks("td", "ROLLING", (plain,)), details)
    assert not is_prepared(Tasks("td", "ROLLING", ()), details)
    assert not is_prepared(Tasks("td", "ROLLING", (known,)), details | {"listener_arn": "another"})

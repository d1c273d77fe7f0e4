"""Judge how the rollout of a service stands from what AWS says of it, for the kinds that Kubernetes does not run. Pure.

What a cluster says is judged by `stackyard.tools.rollout`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from stackyard.tools.rollout import Standing

Facts = Mapping[str, Any]  # what AWS answers has no types

_ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


def judge_function(facts: Facts) -> Standing:
    """Judge a version of a function by its configuration (Lambda: Lambda function states)."""
    state, update = facts.get("State", "Active"), facts.get("LastUpdateStatus", "Successful")
    if "Failed" in {state, update}:
        reason = facts.get("StateReason") if state == "Failed" else facts.get("LastUpdateStatusReason")
        code = facts.get("StateReasonCode") if state == "Failed" else facts.get("LastUpdateStatusReasonCode")
        return Standing("failed", failed=f"{reason or 'Lambda gives no reason'} ({code or state})")
    words = "Lambda makes the image ready"
    # A function that nobody called for weeks is Inactive, and starts with the next call.
    return Standing(words, done=state in {"Active", "Inactive"} and update == "Successful")


def judge_app_runner(service: Facts, operation: Facts, digest: str) -> Standing:
    """Judge an App Runner service by its description and its last operation (App Runner API: OperationSummary)."""
    status, ended = service["Status"], operation.get("Status", "SUCCEEDED")
    words = f"App Runner: {operation.get('Type', 'operation').lower().replace('_', ' ')} under way"
    if status == "OPERATION_IN_PROGRESS" or ended in {"PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
        return Standing(f"{words}, going back" if ended == "ROLLBACK_IN_PROGRESS" else words)
    if status != "RUNNING" or ended != "SUCCEEDED":
        undone = ", which was rolled back" if ended == "ROLLBACK_SUCCEEDED" else ""
        kind = operation.get("Type", "operation")
        return Standing(words, failed=f"App Runner's {kind} ended in {ended}{undone}; the service is {status}")
    image = service["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"]
    if not image.endswith(f"@{digest}"):
        return Standing(words, failed=f"App Runner runs {image.partition('@')[2] or image}")
    return Standing("running", done=True)


def judge_ecs(service: Facts, task_definition: str) -> Standing:
    """Judge an ECS service by its deployments (Amazon ECS API: Deployment).

    A deployment that the circuit breaker or an alarm ended is followed by one with the task definition before it.
    """
    deployments = cast("Sequence[Facts]", service.get("deployments") or ())
    ours = [each for each in deployments if each["taskDefinition"] == task_definition]
    failed = next((each for each in ours if each.get("rolloutState") == "FAILED"), None)
    primary = next((each for each in deployments if each["status"] == "PRIMARY"), None)
    if failed is not None:
        return Standing("failed", failed=failed.get("rolloutStateReason") or "ECS gives no reason")
    if primary is None or primary["taskDefinition"] != task_definition:
        runs = primary["taskDefinition"].rpartition("/")[2] if primary else "nothing"
        return Standing("failed", failed=f"ECS went back to {runs}: the new tasks did not become healthy")
    wanted, running = primary.get("desiredCount", 0), primary.get("runningCount", 0)
    words = f"ECS: {running} of {wanted} new task{'' if wanted == 1 else 's'} running"
    bad = primary.get("failedTasks", 0)
    words = f"{words}, {bad} failed to start" if bad else words
    old = sum(each.get("runningCount", 0) for each in deployments if each is not primary)
    words = f"{words}, {old} old to go" if old else words
    return Standing(words, done=primary.get("rolloutState") == "COMPLETED")


_STAGES = {
    "RECONCILE_SERVICE": "making ready",
    "PRE_SCALE_UP": "making ready",
    "CLEAN_UP": "taking the old tasks away",
}


def judge_service_deployment(deployment: Facts) -> Standing:
    """Judge a service deployment of ECS (Amazon ECS API: ServiceDeployment).

    Its words name the part of the requests that the new tasks get.
    """
    status, stage = deployment["status"], deployment.get("lifecycleStage") or ""
    target = cast("Facts", deployment.get("targetServiceRevision") or {})
    percent = float(target.get("requestedProductionTrafficWeight") or 0)
    if status == "SUCCESSFUL":
        return Standing("ECS: 100 %", done=True)
    if status in {"PENDING", "IN_PROGRESS"}:
        if stage in _STAGES:
            return Standing(f"ECS: {_STAGES[stage]}")
        if percent == 0:
            running, wanted = target.get("runningTaskCount", 0), target.get("requestedTaskCount", 0)
            return Standing(f"ECS: {running} of {wanted} new task{'' if wanted == 1 else 's'} running")
        kept = ", the old tasks are kept" if stage == "BAKE_TIME" else ""
        return Standing(f"ECS: {percent:g} %{kept}")
    why = _why_undone(deployment)
    if status in {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "STOP_REQUESTED"}:
        return Standing(f"ECS: going back ({why})")
    ended = "" if status in {"ROLLBACK_SUCCESSFUL", "STOPPED"} else "; going back failed, too"
    return Standing("ECS: 0 %", failed=f"{why}{ended}")


def _why_undone(deployment: Facts) -> str:
    alarms = cast("Facts", deployment.get("alarms") or {})
    breaker = cast("Facts", deployment.get("deploymentCircuitBreaker") or {})
    undone = cast("Facts", deployment.get("rollback") or {})
    told = str(undone.get("reason") or deployment.get("statusReason") or "ECS gives no reason")
    gone_off = cast("Sequence[str]", alarms.get("triggeredAlarmNames") or ())
    if gone_off:
        return f"the alarm {', '.join(gone_off)} went off"
    if breaker.get("status") == "TRIGGERED":
        return f"the new tasks did not become healthy: {told}"
    return told


def tell_stopped(tasks: Sequence[Facts], task_definition: str) -> list[str]:
    """Say why tasks of a task definition stopped, one line a reason."""
    told: list[str] = []
    for task in tasks:
        if task.get("taskDefinitionArn") != task_definition:
            continue
        parts = [str(task.get("stoppedReason") or task.get("stopCode") or "stopped without a reason")]
        for container in cast("Sequence[Facts]", task.get("containers") or ()):
            code = container.get("exitCode")
            words = [f"exit code {code}" if code is not None else "", str(container.get("reason") or "")]
            if any(words):
                parts.append(f"{container['name']}: {', '.join(filter(None, words))}")
        told.append("; ".join(parts))
    return list(dict.fromkeys(told))


def judge_shift(deployment: Facts, undoing: Facts | None, targets: Sequence[Facts], percent: float) -> Standing:
    """Judge a CodeDeploy deployment (CodeDeploy API: DeploymentInfo).

    Args:
        deployment: The deployment.
        undoing: The deployment by which CodeDeploy takes it back, where there is one.
        targets: Its targets; looked at where it failed.
        percent: Of all requests, what the new version gets.

    """
    status = deployment["status"]
    if status == "Succeeded":
        return Standing("CodeDeploy: 100 %", done=True)
    if status not in _ENDED:
        return Standing(f"CodeDeploy: {percent:g} %" if status == "InProgress" else f"CodeDeploy: {status.lower()}")
    why = _cause(deployment, targets)
    if undoing is not None and undoing["status"] not in _ENDED:
        return Standing(f"CodeDeploy: going back ({why})")
    if undoing is not None and undoing["status"] != "Succeeded":
        why = f"{why}; going back {undoing['status'].lower()}, too"
    return Standing("CodeDeploy: 0 %", failed=why)


def _cause(deployment: Facts, targets: Sequence[Facts]) -> str:
    error = cast("Facts", deployment.get("errorInformation") or {})
    code, message = error.get("code", ""), error.get("message", "")
    if code == "ALARM_ACTIVE":
        named = re.search(r"<(.+)>", message)
        return f"the alarm {named[1]} went off" if named else f"an alarm went off: {message}"
    if code == "MANUAL_STOP":
        return "somebody stopped it"
    for target in targets:
        for event in cast(
            "Sequence[Facts]", cast("Facts", target.get("lambdaTarget") or {}).get("lifecycleEvents") or ()
        ):
            if event.get("status") == "Failed":
                told = cast("Facts", event.get("diagnostics") or {}).get("message") or message
                return f"{event['lifecycleEventName']} failed: {told} ({code or 'no code'})"
    return f"{message or 'CodeDeploy gives no reason'} ({code or deployment['status']})"

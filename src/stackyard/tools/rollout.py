"""Judge how the rollout of a Deployment stands from what the cluster says of it and of its pods. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

UNSCHEDULABLE = 300.0
"""Seconds that a pod may wait for a node: Auto Mode starts one only when a pod has no place."""

_HOPELESS = {
    "ImagePullBackOff": "the image cannot be pulled",
    "InvalidImageName": "the image's name is none",
    "CreateContainerConfigError": "the container's settings are not there",
    "CreateContainerError": "the container cannot be made",
    "RunContainerError": "the container cannot be started",
}
_RESTARTS = 2
"""A process may fail once, because what it needs was not there yet."""

Object = Mapping[str, Any]  # what a cluster answers has no types


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rollout stands. ``failed`` is why it cannot end well; ``pod`` and ``container`` are where to look then."""

    words: str
    done: bool = False
    failed: str = ""
    pod: str = ""
    container: str = ""


def judge(deployment: Object, pods: Sequence[Object], waited: Mapping[str, float]) -> Standing:
    """Judge a rollout.

    Args:
        deployment: The Deployment as the cluster has it.
        pods: Pods that its selector finds, of older rollouts too.
        waited: Seconds since a pod was first seen without a node, by its name.

    """
    status = _mapping(deployment, "status")
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return Standing("the cluster has not looked at it yet")
    newer = [pod for pod in pods if _is_of(pod, deployment)]
    words = _words(deployment, status, newer)
    for pod in newer:
        if trouble := _trouble(pod, words, waited):
            return trouble
    conditions: dict[str, Object] = {each["type"]: each for each in status.get("conditions", [])}
    refused = conditions.get("ReplicaFailure", {})
    if refused.get("status") == "True":
        return Standing(words, failed=f"pods are refused: {refused.get('message', '')}")
    if conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        pod, container = _unready(newer)
        why = "no progress within the time that the Deployment gives it (ProgressDeadlineExceeded)"
        return Standing(words, failed=why, pod=pod, container=container)
    wanted = deployment["spec"].get("replicas", 1)
    counts = [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    return Standing(words, done=counts == [wanted] * 3)


def _words(deployment: Object, status: Object, newer: Sequence[Object]) -> str:
    wanted = deployment["spec"].get("replicas", 1)
    ready = sum(_is_ready(pod) for pod in newer)
    old = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    words = f"{ready} of {wanted} new pod{'' if wanted == 1 else 's'} ready"
    return f"{words}, {old} old to go" if old > 0 else words


def _is_of(pod: Object, deployment: Object) -> bool:
    """Say whether a pod is made from the Deployment's present template and not already on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    template = deployment["spec"]["template"]
    wanted = _mapping(template, "metadata", "annotations")
    has = _mapping(pod, "metadata", "annotations")
    images = [[each["image"] for each in spec["containers"]] for spec in (pod["spec"], template["spec"])]
    return images[0] == images[1] and wanted.items() <= has.items()


def _trouble(pod: Object, words: str, waited: Mapping[str, float]) -> Standing | None:
    name = pod["metadata"]["name"]
    for state in _mapping(pod, "status").get("containerStatuses", []):
        waiting = _mapping(state, "state", "waiting")
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        if reason in _HOPELESS:
            return Standing(words, failed=_join(f"{_HOPELESS[reason]} ({reason})", message), pod=name)
        if reason == "CrashLoopBackOff" and state.get("restartCount", 0) >= _RESTARTS:
            ended = _mapping(state, "lastState", "terminated")
            code = f", last with exit code {ended['exitCode']}" if "exitCode" in ended else ""
            kind = f" ({ended['reason']})" if ended.get("reason") not in {None, "Error"} else ""
            why = f"the process ends again and again{code}{kind} (CrashLoopBackOff)"
            return Standing(words, failed=why, pod=name, container=state["name"])
    for condition in _mapping(pod, "status").get("conditions", []):
        placed = condition["type"] != "PodScheduled" or condition["status"] == "True"
        if not placed and condition.get("reason") == "Unschedulable" and waited.get(name, 0) >= UNSCHEDULABLE:
            why = f"no node takes the pod since {waited[name]:.0f} s (Unschedulable)"
            return Standing(words, failed=_join(why, condition.get("message", "")), pod=name)
    return None


def waits_for_node(pod: Object) -> bool:
    """Say whether a pod has no node."""
    conditions = _mapping(pod, "status").get("conditions", [])
    return any(each["type"] == "PodScheduled" and each["status"] == "False" for each in conditions)


def _unready(pods: Sequence[Object]) -> tuple[str, str]:
    for pod in pods:
        for state in _mapping(pod, "status").get("containerStatuses", []):
            if not state.get("ready"):
                return pod["metadata"]["name"], state["name"]
    return "", ""


def _is_ready(pod: Object) -> bool:
    conditions = _mapping(pod, "status").get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _mapping(here: Object, *names: str) -> Object:
    for name in names:
        here = cast("Object", here.get(name) or {})
    return here


def _join(why: str, message: str) -> str:
    return f"{why}: {message}" if message else why

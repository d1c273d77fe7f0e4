"""How a rollout is judged from what a cluster says."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.tools.rollout import UNSCHEDULABLE, judge, waits_for_node

NEW, OLD = "repository@sha256:2", "repository@sha256:1"


def deployment(*conditions: dict[str, str], observed: int = 7, **counts: int) -> dict[str, Any]:
    """Return a Deployment as the cluster has it."""
    template = {"metadata": {"annotations": {"checksum/settings": "a"}}, "spec": {"containers": [{"image": NEW}]}}
    return {
        "metadata": {"generation": 7},
        "spec": {"replicas": 2, "template": template},
        "status": {"observedGeneration": observed, "conditions": list(conditions), **counts},
    }


def pod(*, image: str = NEW, settings: str = "a", ready: bool = False, **status: Any) -> dict[str, Any]:
    """Return a pod."""
    conditions = status.pop("conditions", [{"type": "Ready", "status": str(ready)}])
    metadata = {"name": "web-1", "annotations": {"checksum/settings": settings, "added/by": "a webhook"}}
    return {
        "metadata": metadata,
        "spec": {"containers": [{"image": image}]},
        "status": {"conditions": conditions, **status},
    }


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    """Return a pod whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    return pod(containerStatuses=[{"name": "web", "ready": False, "state": state, **more}])


DONE = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {**DONE, "replicas": 3},
        {**DONE, "updatedReplicas": 1},
        {**DONE, "availableReplicas": 1},
    ],
)
def test_it_is_done_when_all_pods_are_new_and_there_and_no_other(counts: dict[str, int]) -> None:
    """Anything less is not yet."""
    assert judge(deployment(**DONE), [pod(ready=True)] * 2, {}).done
    standing = judge(deployment(**counts), [], {})
    assert not standing.done
    assert not standing.failed


def test_what_the_cluster_says_of_the_release_before_is_no_answer() -> None:
    """Right after the apply its status is still that of the last rollout, good or bad."""
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    standing = judge(deployment(late, observed=6, **DONE), [waiting("ImagePullBackOff")], {})
    assert not standing.done
    assert not standing.failed


def test_progress_is_told_in_words() -> None:
    """New pods that are ready, of how many, and old ones that still go."""
    pods = [pod(ready=True), pod(), pod(image=OLD, ready=True)]
    assert judge(deployment(replicas=2, updatedReplicas=2), pods, {}).words == "1 of 2 new pods ready"
    counts = {"replicas": 3, "updatedReplicas": 1}
    assert judge(deployment(**counts), pods[2:], {}).words == "0 of 2 new pods ready, 2 old to go"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ImagePullBackOff", "the image cannot be pulled (ImagePullBackOff): told by the node"),
        ("CreateContainerConfigError", "the container's settings are not there (CreateContainerConfigError): told by"),
        ("RunContainerError", "the container cannot be started (RunContainerError)"),
    ],
)
def test_what_cannot_get_better_ends_it(reason: str, words: str) -> None:
    """With the node's own words."""
    standing = judge(deployment(), [waiting(reason, "told by the node")], {})
    assert standing.failed.startswith(words)
    assert standing.pod == "web-1"


@pytest.mark.parametrize("reason", ["ContainerCreating", "ErrImagePull", "PodInitializing", ""])
def test_what_may_get_better_does_not(reason: str) -> None:
    """A pull is tried again before it is given up."""
    assert not judge(deployment(), [waiting(reason)], {}).failed


def test_a_process_may_fail_once() -> None:
    """The second restart ends it, with its exit code, and names the container whose lines to show."""
    ended: dict[str, Any] = {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
    assert not judge(deployment(), [waiting("CrashLoopBackOff", restartCount=1, **ended)], {}).failed
    standing = judge(deployment(), [waiting("CrashLoopBackOff", restartCount=2, **ended)], {})
    why = "the process ends again and again, last with exit code 137 (OOMKilled) (CrashLoopBackOff)"
    assert (standing.failed, standing.pod, standing.container) == (why, "web-1", "web")


@pytest.mark.parametrize("older", [{"image": OLD}, {"settings": "b"}])
def test_trouble_of_the_release_before_is_not_this_ones(older: dict[str, Any]) -> None:
    """Its pods are told apart by image and settings."""
    states = [{"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]
    assert not judge(deployment(), [pod(containerStatuses=states, **older)], {}).failed


def test_a_pod_on_its_way_out_is_none() -> None:
    """What it says does not count."""
    going = waiting("ImagePullBackOff")
    going["metadata"]["deletionTimestamp"] = "2026-11-23T00:00:00Z"
    assert not judge(deployment(), [going], {}).failed


def test_a_pod_without_a_node_is_waited_for_a_while() -> None:
    """Nodes are started for such pods; when none came, the scheduler's words say why."""
    words = "0/3 nodes are available: 3 Insufficient memory."
    placed = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words}
    pending = pod(conditions=[placed])
    assert waits_for_node(pending)
    assert not waits_for_node(pod())
    assert not judge(deployment(), [pending], {"web-1": UNSCHEDULABLE - 1}).failed
    standing = judge(deployment(), [pending], {"web-1": UNSCHEDULABLE})
    assert standing.failed == f"no node takes the pod since 300 s (Unschedulable): {words}"


def test_refused_pods_end_it() -> None:
    """Because of a quota or of what the namespace allows: there is no pod to look at."""
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    assert judge(deployment(condition), [], {}).failed == "pods are refused: exceeded quota"


def test_a_passed_deadline_names_the_pod_that_is_not_ready() -> None:
    """So that its last lines can be shown."""
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    running = pod(containerStatuses=[{"name": "web", "ready": False, "state": {"running": {}}}])
    standing = judge(deployment(late), [running], {})
    assert "ProgressDeadlineExceeded" in standing.failed
    assert (standing.pod, standing.container) == ("web-1", "web")

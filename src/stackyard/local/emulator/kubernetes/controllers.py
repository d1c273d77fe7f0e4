"""What becomes of applied objects: Deployments that are valid are available at once, with their pods.

A rollout fails as it would on AWS when ECR has no such image, when the ConfigMap or the ServiceAccount is not there,
and when a test asks for it: the variable ``EMULATED_ROLLOUT`` in the service's ConfigMap names how.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stackyard.local.emulator.kubernetes.api import ApiServer, Object

ASKED = "EMULATED_ROLLOUT"
RUNNING = "emulator.stackyard/running"
"""Key in a Deployment's status: the template of the pods that are ready, their number, and the templates before."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, and what its container printed now and in the run before."""

    live: Object
    lines: list[str]
    previous: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """Why the pods of a template do not become ready. ``waiting`` is their containers' reason."""

    waiting: str = ""
    message: str = ""
    refused: str = ""
    unschedulable: str = ""
    late: bool = False


def settle(server: ApiServer) -> None:
    """Bring every Deployment to where its controllers would bring it."""
    for key, stored in server.objects.items():
        if key[1] == "Deployment":
            _scale(server, stored.live)
            stored.live["status"] = _status(server, stored.live)


def pods(server: ApiServer, namespace: str) -> list[Pod]:
    """Return the pods of a namespace."""
    found: list[Pod] = []
    for (_, kind, place, _), stored in server.objects.items():
        if kind == "Deployment" and place == namespace:
            found += _pods(server, stored.live)
    return found


def replica_sets(server: ApiServer, namespace: str) -> list[Object]:
    """Return the ReplicaSets of a namespace: of what is wanted, of what runs and of what ran before."""
    found: list[Object] = []
    for (_, kind, place, name), stored in server.objects.items():
        if kind == "Deployment" and place == namespace:
            wanted = stored.live["spec"]["template"]
            running: Object = stored.live["status"].get(RUNNING) or {"template": wanted, "history": []}
            templates = [wanted, running["template"], *running["history"]]
            for digest, template in {_digest(template): template for template in templates}.items():
                metadata = {
                    "name": f"{name}-{digest}",
                    "namespace": namespace,
                    "labels": template["metadata"]["labels"],
                }
                found.append({"metadata": metadata, "spec": {"template": template}})
    return found


def _digest(template: Object) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


def _scale(server: ApiServer, deployment: Object) -> None:
    """Be the autoscaler: it acts, and from then on owns the number, when it is out of its bounds."""
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    autoscaler = server.find("autoscaling/v2", "HorizontalPodAutoscaler", namespace, name)
    if autoscaler is None:
        return
    spec, now = autoscaler["spec"], deployment["spec"]["replicas"]
    wanted = min(max(now, spec.get("minReplicas", 1)), spec["maxReplicas"])
    if wanted != now:
        stored = server.objects["apps/v1", "Deployment", namespace, name]
        stored.applied["kube-controller-manager"] = {"spec": {"replicas": wanted}}
        deployment["spec"]["replicas"] = wanted
        deployment["metadata"]["generation"] += 1
        stored.metadata["generation"] = deployment["metadata"]["generation"]


def _fate(server: ApiServer, deployment: Object) -> Fate | None:
    """Return why a Deployment's template comes to nothing, or None; what runs already goes on."""
    status: Object = deployment.get("status") or {}
    running: Object = status.get(RUNNING) or {}
    if running.get("template") == deployment["spec"]["template"]:
        return None
    namespace, spec = deployment["metadata"]["namespace"], deployment["spec"]["template"]["spec"]
    (container, *_) = spec["containers"]
    account = spec.get("serviceAccountName", "default")
    if account != "default" and server.find("v1", "ServiceAccount", namespace, account) is None:
        return Fate(
            refused=f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        )
    if not server.has_image(container["image"]):
        return Fate(waiting="ImagePullBackOff", message=f'Back-off pulling image "{container["image"]}"')
    asked = ""
    for source in container.get("envFrom", []):
        name = source.get("configMapRef", {}).get("name", "")
        settings = server.find("v1", "ConfigMap", namespace, name)
        if settings is None:
            return Fate(waiting="CreateContainerConfigError", message=f'configmap "{name}" not found')
        data: dict[str, str] = settings.get("data") or {}
        asked = data.get(ASKED, asked)
    return {
        "": None,
        "CrashLoopBackOff": Fate(waiting="CrashLoopBackOff", message="back-off 40s restarting failed container"),
        "Unschedulable": Fate(unschedulable="0/3 nodes are available: 3 Insufficient memory."),
        "ProgressDeadlineExceeded": Fate(late=True),
    }[asked]


def _status(server: ApiServer, deployment: Object) -> Object:
    fate, template = _fate(server, deployment), deployment["spec"]["template"]
    wanted: int = deployment["spec"]["replicas"]
    before: Object = deployment.get("status") or {}
    status: Object = {"observedGeneration": deployment["metadata"]["generation"]}
    if fate is None:
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), wanted)
        conditions = [_condition("Available"), _condition("Progressing", "NewReplicaSetAvailable")]
        history = _history(deployment, before.get(RUNNING))
        done = {"template": template, "replicas": wanted, "history": history}
        return {**status, **counts, "conditions": conditions, RUNNING: done}
    running: Object | None = before.get(RUNNING)
    old: int = running["replicas"] if running else 0
    new = 0 if fate.refused else 1
    counts = {"replicas": old + new, "updatedReplicas": new, "unavailableReplicas": new}
    if old:
        counts |= {"readyReplicas": old, "availableReplicas": old}
    reason = "ProgressDeadlineExceeded" if fate.late else "ReplicaSetUpdated"
    conditions = [_condition("Progressing", reason, status="False" if fate.late else "True")]
    if fate.refused:
        name = deployment["metadata"]["name"]
        conditions.append(_condition("ReplicaFailure", "FailedCreate", f'pods "{name}-" is forbidden: {fate.refused}'))
    return {**status, **counts, "conditions": conditions, **({RUNNING: running} if running else {})}


def _history(deployment: Object, running: Object | None) -> list[Object]:
    """Return the templates that a Deployment could go back to, as many as it wants to keep, the last one first."""
    if running is None:
        return []
    older: list[Object] = [running["template"], *running["history"]]
    limit: int = deployment["spec"].get("revisionHistoryLimit", 10)
    return [each for each in older if each != deployment["spec"]["template"]][:limit]


def _pods(server: ApiServer, deployment: Object) -> list[Pod]:
    status, template = deployment["status"], deployment["spec"]["template"]
    running = status.get(RUNNING)
    old = running["replicas"] if running else 0
    found = [_pod(deployment, running["template"], number, None) for number in range(old)]
    fate = _fate(server, deployment)
    if fate and not fate.refused:
        found.append(_pod(deployment, template, 0, fate))
    return found


def _pod(deployment: Object, template: Object, number: int, fate: Fate | None) -> Pod:
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    digest = _digest(template)
    metadata = template.get("metadata", {})
    live: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{digest}-{number:05}",
            "namespace": namespace,
            "labels": {**metadata.get("labels", {}), "pod-template-hash": digest},
            "annotations": metadata.get("annotations", {}),
        },
        "spec": template["spec"],
        "status": _pod_status(template, fate),
    }
    said = [f'{{"event": "started", "service": "{name}"}}']
    if fate and fate.waiting == "CrashLoopBackOff":
        crashed = ["Traceback (most recent call last):", f"RuntimeError: {ASKED} asked for this"]
        return Pod(live, [], [*said, *crashed])
    return Pod(live, said if fate is None or fate.late else [])


def _pod_status(template: Object, fate: Fate | None) -> Object:
    container: Any = template["spec"]["containers"][0]
    if fate and fate.unschedulable:
        placed = _condition("PodScheduled", "Unschedulable", fate.unschedulable, status="False")
        return {"phase": "Pending", "conditions": [placed]}
    ready = fate is None
    state: Object = {"running": {}}
    more: Object = {"restartCount": 0}
    if fate and fate.waiting:
        state = {"waiting": {"reason": fate.waiting, "message": fate.message}}
    if fate and fate.waiting == "CrashLoopBackOff":
        more = {"restartCount": 3, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    return {
        "phase": "Running" if not (fate and fate.waiting) else "Pending",
        "conditions": [_condition("PodScheduled"), _condition("Ready", status=str(ready))],
        "containerStatuses": [{"name": container["name"], "ready": ready, "state": state, **more}],
    }


def _condition(kind: str, reason: str = "", message: str = "", *, status: str = "True") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}

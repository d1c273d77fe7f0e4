"""Render the Kubernetes objects of one ``eks`` service, and those that its cluster needs: facts in, objects out.

Owns every choice that stands in an object. Knows no cluster and no client: what it returns is what JSON holds, and is
sent as that, so no value is ever part of a text that somebody parses.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stackyard.errors import ConfigError

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
Manifest = dict[str, Json]
"""One Kubernetes object, as JSON has it."""

PORT = 8080
USER = 10001
SETTINGS_HASH = "checksum/settings"
"""The pod annotation that tells pods with other settings apart."""

DRAIN = 30
"""Seconds that a pod goes on serving after it was told to end. The load balancer goes on sending for a while."""
REQUEST = 29
"""Seconds that a request can take: API Gateway gives up then (Amazon API Gateway quotas)."""
SPARE = 6

_LABEL = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_-]*@sha256:[0-9a-f]{64}")
_APP = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*")
_TARGET_GROUP = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[A-Za-z0-9-]+/[0-9a-f]+"
)


@dataclass(frozen=True, slots=True)
class EksService:
    """What the objects of one service are made from."""

    name: str
    namespace: str
    project: str
    environment: str
    """The environment's name, like ``dev``."""
    image: str
    """By digest."""
    app: str
    """The ASGI application, as uvicorn takes it: ``web.app:app``."""
    cpu: int
    """1024 is one vCPU."""
    memory: int
    """MiB."""
    min: int
    max: int
    variables: Mapping[str, str]
    """The process's environment."""
    target_group_arn: str
    nodes: Literal["auto", "managed"]

    def __post_init__(self) -> None:
        """Raise ConfigError for what Kubernetes would refuse, or take for something else."""
        for what, value, pattern in (
            ("name", self.name, _LABEL),
            ("namespace", self.namespace, _LABEL),
            ("project", self.project, _LABEL),
            ("environment", self.environment, _LABEL),
            ("image", self.image, _IMAGE),
            ("app", self.app, _APP),
            ("target group", self.target_group_arn, _TARGET_GROUP),
        ):
            if not pattern.fullmatch(value):
                raise ConfigError(f"service {self.name!r}", f"its {what} cannot be {value!r} in Kubernetes")
        for name, value in self.variables.items():
            if not _VARIABLE.fullmatch(name):
                raise ConfigError(f"service {self.name!r}", f"{name!r} cannot be a variable of its environment")
            if "\0" in value or _unsendable(value):
                why = f"the value of {name} has characters that no process can get"
                raise ConfigError(f"service {self.name!r}", why)
        if not 1 <= self.min <= self.max:
            raise ConfigError(f"service {self.name!r}", f"it cannot scale from {self.min} to {self.max}")


def render(service: EksService) -> tuple[Manifest, ...]:
    """Render a service's objects in the order in which they are to be applied.

    The Service and its TargetGroupBinding come before the Deployment: pods get the gate that makes them wait for the
    load balancer only when both are there. The Deployment has no ``replicas``: they are the autoscaler's
    (`render_first_size`).
    """
    return (
        _namespace(service),
        _object(service, "v1", "ServiceAccount", {"automountServiceAccountToken": False}),
        _settings(service),
        _service(service),
        _target_group_binding(service),
        _deployment(service),
        _autoscaler(service),
        _disruption_budget(service),
    )


def render_first_size(service: EksService) -> Manifest:
    """Render the size that a new Deployment begins with, to be applied under a field manager of its own.

    Whoever applies a field and then leaves it out removes it, unless another owns it too; a Deployment would fall back
    to one pod at the second deploy (Kubernetes: Server-Side Apply, "Transferring ownership").
    """
    metadata: Json = {"name": service.name, "namespace": service.namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": service.min}}


def render_cluster(nodes: Literal["auto", "managed"]) -> tuple[Manifest, ...]:
    """Render what a cluster needs before its first service: with Auto Mode a pool of Graviton nodes.

    The built-in pool for ordinary pods is amd64 only (Amazon EKS: Enable or Disable Built-in NodePools).
    """
    if nodes == "managed":
        return ()
    wanted: dict[str, list[Json]] = {
        "kubernetes.io/arch": ["arm64"],
        "karpenter.sh/capacity-type": ["on-demand"],
        "eks.amazonaws.com/instance-category": ["c", "m", "r"],
    }
    requirements: list[Json] = [{"key": key, "operator": "In", "values": values} for key, values in wanted.items()]
    pool: Manifest = {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "graviton", "labels": {"app.kubernetes.io/managed-by": "stackyard"}},
        "spec": {
            "template": {
                "spec": {
                    "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"},
                    "requirements": requirements,
                }
            },
            "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "1m"},
            # What a runaway autoscaler can cost at most.
            "limits": {"cpu": "100", "memory": "400Gi"},
        },
    }
    return (pool,)


def settings_hash(variables: Mapping[str, str]) -> str:
    """Return the hash of a process's environment, in hex."""
    return hashlib.sha256(json.dumps(variables, sort_keys=True).encode()).hexdigest()


def _unsendable(value: str) -> bool:
    # A lone surrogate has no UTF-8, so neither JSON on the wire nor an environment can hold it.
    return any("\ud800" <= character <= "\udfff" for character in value)


def _selector(service: EksService) -> dict[str, Json]:
    return {"app.kubernetes.io/name": service.name, "app.kubernetes.io/instance": service.namespace}


def _labels(service: EksService) -> dict[str, Json]:
    return {
        **_selector(service),
        "app.kubernetes.io/version": service.image.rpartition(":")[2][:12],
        "app.kubernetes.io/component": "service",
        "app.kubernetes.io/part-of": service.project,
        "app.kubernetes.io/managed-by": "stackyard",
        "environment": service.environment,
    }


def _metadata(service: EksService) -> dict[str, Json]:
    return {"name": service.name, "namespace": service.namespace, "labels": _labels(service)}


def _object(service: EksService, api: str, kind: str, rest: Mapping[str, Json]) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": _metadata(service), **rest}


def _settings_name(service: EksService) -> str:
    return f"{service.name}-{settings_hash(service.variables)[:10]}"


def _settings(service: EksService) -> Manifest:
    # A new one for each change: pods of the release before that start during a rollout, or after a failed one, must
    # find their own settings, and not the ones that it failed with.
    metadata: Json = {**_metadata(service), "name": _settings_name(service)}
    data: Json = dict(sorted(service.variables.items()))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "immutable": True, "data": data}


def _namespace(service: EksService) -> Manifest:
    gate = {"auto": "eks.amazonaws.com", "managed": "elbv2.k8s.aws"}[service.nodes]
    labels: dict[str, Json] = {
        "app.kubernetes.io/part-of": service.project,
        "app.kubernetes.io/managed-by": "stackyard",
        "environment": service.environment,
        "pod-security.kubernetes.io/enforce": "restricted",
        f"{gate}/pod-readiness-gate-inject": "enabled",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": service.namespace, "labels": labels}}


def _service(service: EksService) -> Manifest:
    port: Json = {"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}
    spec: Json = {"type": "ClusterIP", "selector": _selector(service), "ports": [port]}
    return _object(service, "v1", "Service", {"spec": spec})


def _target_group_binding(service: EksService) -> Manifest:
    # Auto Mode's own takes no `networking`: Terraform opens the way (Amazon EKS: Use Service Annotations to configure
    # Network Load Balancers).
    api = {"auto": "eks.amazonaws.com/v1", "managed": "elbv2.k8s.aws/v1beta1"}[service.nodes]
    spec: Json = {
        "targetGroupARN": service.target_group_arn,
        "targetType": "ip",
        "serviceRef": {"name": service.name, "port": PORT},
    }
    return _object(service, api, "TargetGroupBinding", {"spec": spec})


def _deployment(service: EksService) -> Manifest:
    spec: Json = {
        "selector": {"matchLabels": _selector(service)},
        "revisionHistoryLimit": 5,
        # A node may have to be started, and the load balancer to see the pod healthy.
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
        "template": {
            "metadata": {
                "labels": _labels(service),
                "annotations": {SETTINGS_HASH: settings_hash(service.variables)},
            },
            "spec": _pod(service),
        },
    }
    return _object(service, "apps/v1", "Deployment", {"spec": spec})


def _pod(service: EksService) -> Json:
    where: dict[str, Json] = {"kubernetes.io/arch": "arm64"}
    if service.nodes == "auto":
        where["eks.amazonaws.com/compute-type"] = "auto"
    spread: list[Json] = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": _selector(service)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]
    return {
        "serviceAccountName": service.name,
        "automountServiceAccountToken": False,
        # Variables like WEB_PORT for every Service of the namespace would stand among the service's own.
        "enableServiceLinks": False,
        "nodeSelector": where,
        "topologySpreadConstraints": spread,
        "terminationGracePeriodSeconds": DRAIN + REQUEST + SPARE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(service)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}}],
    }


def _container(service: EksService) -> Json:
    # No limit on CPU: what is free may be used, and a start is quicker for it.
    resources: Json = {
        "requests": {"cpu": f"{max(1, service.cpu * 1000 // 1024)}m", "memory": f"{service.memory}Mi"},
        "limits": {"memory": f"{service.memory}Mi"},
    }
    return {
        "name": service.name,
        "image": service.image,
        "args": [service.app],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "envFrom": [{"configMapRef": {"name": _settings_name(service)}}],
        "resources": resources,
        # Two minutes to start; only then the others begin.
        "startupProbe": _probe("/liveness", period=2, failures=60),
        "livenessProbe": _probe("/liveness", period=10, failures=3),
        "readinessProbe": _probe("/readiness", period=5, failures=2),
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  (the container's own)
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _probe(path: str, *, period: int, failures: int) -> Json:
    get: Json = {"path": path, "port": "http"}
    return {"httpGet": get, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures}


def _autoscaler(service: EksService) -> Manifest:
    cpu: Json = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    spec: Json = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.name},
        "minReplicas": service.min,
        "maxReplicas": service.max,
        "metrics": [{"type": "Resource", "resource": cpu}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
    }
    return _object(service, "autoscaling/v2", "HorizontalPodAutoscaler", {"spec": spec})


def _disruption_budget(service: EksService) -> Manifest:
    # In terms of what may be missing: a single pod that must always be there would keep its node for ever.
    spec: Json = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": _selector(service)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return _object(service, "policy/v1", "PodDisruptionBudget", {"spec": spec})

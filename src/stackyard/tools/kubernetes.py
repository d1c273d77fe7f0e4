"""Speak to the Kubernetes API of a cluster: apply objects, wait for a rollout, take a service away, say what runs.

Owns the official client, which is imported when the first call is made. Knows no object's content: `kinds.manifests`
renders them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from stackyard.errors import MissingError, RefusedError, StackyardError, ToolError
from stackyard.tools.rollout import judge, waits_for_node

if TYPE_CHECKING:
    from stackyard.tools.clusters import ClusterAccess

MANAGER = "stackyard"
"""The field manager under which everything is applied: what it stops naming is removed."""
FIRST = "stackyard-first"
"""The field manager of what an object begins with and somebody else changes later."""
LOG_LINES = 20

_NAMESPACE = "app.kubernetes.io/part-of={},environment={},app.kubernetes.io/managed-by=stackyard"
_TOKEN_SECONDS = 600
_TIMEOUTS = (5, 30)
"""Seconds to connect, and to answer."""
_PATIENCE = 30
"""Seconds in which a server that is busy, or a webhook that has only been installed, may come to."""

_RESOURCES = {
    ("v1", "Namespace"): "/api/v1/namespaces",
    ("v1", "ServiceAccount"): "/api/v1/namespaces/{}/serviceaccounts",
    ("v1", "ConfigMap"): "/api/v1/namespaces/{}/configmaps",
    ("v1", "Service"): "/api/v1/namespaces/{}/services",
    ("v1", "Pod"): "/api/v1/namespaces/{}/pods",
    ("apps/v1", "Deployment"): "/apis/apps/v1/namespaces/{}/deployments",
    ("apps/v1", "ReplicaSet"): "/apis/apps/v1/namespaces/{}/replicasets",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    ("policy/v1", "PodDisruptionBudget"): "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    ("eks.amazonaws.com/v1", "TargetGroupBinding"): "/apis/eks.amazonaws.com/v1/namespaces/{}/targetgroupbindings",
    ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding"): "/apis/elbv2.k8s.aws/v1beta1/namespaces/{}/targetgroupbindings",
    ("karpenter.sh/v1", "NodePool"): "/apis/karpenter.sh/v1/nodepools",
}

Object = Mapping[str, Any]  # an object of Kubernetes, as JSON has it


@dataclass(frozen=True, slots=True)
class Applied:
    """An object that was applied; ``created`` says that it was not there before."""

    kind: str
    name: str
    created: bool


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a Deployment runs."""

    digest: str
    environment: Mapping[str, str]
    wanted: int
    ready: int


class Cluster:
    """The Kubernetes API of one EKS cluster."""

    def __init__(self, access: ClusterAccess, *, pause: float = 1.0) -> None:
        """``pause`` is how long to wait, in seconds, before looking again."""
        self.access, self.pause = access, pause
        self._token, self._token_from, self._reached = "", float("-inf"), False

    def apply(self, objects: Sequence[Object], *, first: Sequence[Object] = ()) -> list[Applied]:
        """Apply objects in their order, server-side; what somebody else set in the same fields is taken over.

        ``first`` is applied too where the object was not there before, and left to others from then on.
        Raises MissingError when the cluster does not answer, let us in, or know a kind.
        """
        new = [each for each in first if self._get(each["apiVersion"], each["kind"], *_names(each)) is None]
        applied = [self._apply(each, MANAGER) for each in objects]
        for each in new:
            self._apply(each, FIRST)
        return applied

    def wait_for_rollout(
        self, namespace: str, name: str, timeout: float, on_progress: Callable[[str], None] = lambda _words: None
    ) -> None:
        """Wait until a Deployment's newest pods have replaced the others, ``timeout`` in seconds.

        Then deletes the settings that no release can come back to.
        Raises ToolError with the reason, and with the container's last lines as its detail, as soon as it is clear
        that they will not.
        """
        began, since, said = time.monotonic(), dict[str, float](), ""
        while True:
            deployment = self._get("apps/v1", "Deployment", namespace, name)
            if deployment is None:
                raise _failed(namespace, name, "there is no such Deployment")
            selector = _selector(deployment)
            pods = self._list("v1", "Pod", namespace, selector)
            now = time.monotonic()
            since = {pod: since.get(pod, now) for pod in (_names(each)[1] for each in pods if waits_for_node(each))}
            standing = judge(deployment, pods, {pod: now - first for pod, first in since.items()})
            if standing.words != said:
                on_progress(said := standing.words)
            if standing.done:
                self._forget_settings(namespace, selector, _settings_of(deployment))
                return
            if not standing.failed and now - began < timeout:
                time.sleep(self.pause)
                continue
            why = standing.failed or f"after {timeout:.0f} s {standing.words}"
            raise _failed(namespace, name, why, self._last_lines(namespace, standing.pod, standing.container))

    def find_deployed(self, namespace: str, name: str) -> Deployed | None:
        """Return what a Deployment runs, or None where there is none."""
        deployment = self._get("apps/v1", "Deployment", namespace, name)
        if deployment is None:
            return None
        environment: dict[str, str] = {}
        for settings in _settings_of(deployment):
            environment |= (self._get("v1", "ConfigMap", namespace, settings) or {}).get("data") or {}
        return Deployed(
            digest=deployment["spec"]["template"]["spec"]["containers"][0]["image"].partition("@")[2],
            environment=environment,
            wanted=deployment["spec"].get("replicas", 1),
            ready=_status(deployment).get("readyReplicas", 0),
        )

    def find_services(self, project: str, environment: str) -> list[str]:
        """List the namespaces that hold services of ours."""
        found = self._list("v1", "Namespace", "", _NAMESPACE.format(project, environment))
        return sorted(_names(each)[1] for each in found)

    def delete_service(self, namespace: str, timeout: float) -> bool:
        """Delete a service's namespace and all in it; False where it is not there.

        Waits until it is gone, ``timeout`` in seconds: its pods leave the target group on the way, which Terraform can
        only then delete. Raises RefusedError for a namespace that is not ours, ToolError when it stays.
        """
        there = self._get("v1", "Namespace", "", namespace)
        if there is None:
            return False
        labels: dict[str, str] = there["metadata"].get("labels") or {}
        if labels.get("app.kubernetes.io/managed-by") != MANAGER:
            raise RefusedError(f"namespace {namespace}", "Stackyard did not make it, and does not delete it")
        if not there["metadata"].get("deletionTimestamp"):
            self._call("DELETE", _path("v1", "Namespace", "", namespace))
        began = time.monotonic()
        while (left := self._get("v1", "Namespace", "", namespace)) is not None:
            if time.monotonic() - began > timeout:
                conditions: list[dict[str, str]] = _status(left).get("conditions") or []
                words = "; ".join(each.get("message", "") for each in conditions if each.get("status") == "True")
                command = f"kubectl get all,targetgroupbindings --namespace {namespace}"
                raise ToolError(
                    f"namespace {namespace}", f"still there after {timeout:.0f} s: {words}", command=command
                )
            time.sleep(self.pause)
        return True

    def prune(self, project: str, environment: str, keep: Sequence[str], timeout: float) -> Iterator[str]:
        """Delete every service of ours whose namespace is not in ``keep``; yields each when it is gone."""
        for namespace in self.find_services(project, environment):
            if namespace not in keep and self.delete_service(namespace, timeout):
                yield namespace

    @cached_property
    def _client(self) -> Any:  # the official client is generated, half of it without types
        from kubernetes import client

        plain = self.access.endpoint.startswith("http://")
        configuration = client.Configuration(
            host=self.access.endpoint.rstrip("/"),
            ca_cert_data=None if plain else self.access.certificate,
            # The embedded AWS is on this machine.
            no_proxy="*" if plain else None,
            retries=0,
        )
        return client.ApiClient(configuration)

    def _apply(self, each: Object, manager: str) -> Applied:
        path = _path(each["apiVersion"], each["kind"], *_names(each))
        query = urlencode({"fieldManager": manager, "force": "true"})
        try:
            code, _ = self._call("PATCH", f"{path}?{query}", json.dumps(each).encode())
        except _NotFoundError as error:
            if error.about_kind:
                raise _unknown_kind(self.access.name, each) from error
            raise
        return Applied(each["kind"], _names(each)[1], code == 201)

    def _get(self, api: str, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        try:
            return self._json("GET", _path(api, kind, namespace, name))
        except _NotFoundError:
            return None

    def _list(self, api: str, kind: str, namespace: str, selector: str) -> list[dict[str, Any]]:
        path = _RESOURCES[api, kind].format(quote(namespace, safe=""))
        return self._json("GET", f"{path}?{urlencode({'labelSelector': selector})}")["items"]

    def _forget_settings(self, namespace: str, selector: str, running: set[str]) -> None:
        sets = self._list("apps/v1", "ReplicaSet", namespace, selector)
        kept = running.union(*(_settings_of(each) for each in sets))
        for name in (_names(each)[1] for each in self._list("v1", "ConfigMap", namespace, selector)):
            if name not in kept:
                self._call("DELETE", _path("v1", "ConfigMap", namespace, name))

    def _last_lines(self, namespace: str, pod: str, container: str) -> str:
        if not container:
            return ""
        path = f"{_path('v1', 'Pod', namespace, pod)}/log"
        # A container that waits for its next start has its words in the one before.
        for previous in ("true", "false"):
            query = {"container": container, "tailLines": LOG_LINES, "previous": previous}
            try:
                _, body = self._call("GET", f"{path}?{urlencode(query)}")
            except StackyardError:
                continue
            if body.strip():
                return body.decode("utf-8", "replace").rstrip()
        return ""

    def _json(self, method: str, path: str) -> Any:
        return json.loads(self._call(method, path)[1])

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Make a call and return its status and body. Every one of ours may be made again; patience comes with it."""
        began = time.monotonic()
        while True:
            status, answer = self._try(method, path, body)
            if 0 < status < 400:
                self._reached = True
                return status, answer
            busy = (
                status in {429, 502, 503, 504} or b"failed calling webhook" in answer or (not status and self._reached)
            )
            if not busy or time.monotonic() - began > _PATIENCE:
                raise _explain(self.access.name, method, path, status, answer)
            time.sleep(self.pause)

    def _try(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Make a call once; status 0 means that there was no answer, and the body says why."""
        import urllib3.exceptions

        headers = {"Accept": "application/json, text/plain", "Authorization": f"Bearer {self._bearer()}"}
        if body is not None:
            headers["Content-Type"] = "application/apply-patch+yaml"
        url = f"{self.access.endpoint.rstrip('/')}{path}"
        try:
            answer = self._client.call_api(method, url, headers, body, _request_timeout=_TIMEOUTS)
            return answer.status, answer.read()
        except urllib3.exceptions.HTTPError as error:
            return 0, str(error).encode()

    def _bearer(self) -> str:
        if time.monotonic() - self._token_from > _TOKEN_SECONDS:
            self._token, self._token_from = self.access.token(), time.monotonic()
        return self._token


class _NotFoundError(ToolError):
    """What was asked for is not there; ``about_kind`` says that not even its kind is."""

    about_kind = False


def _explain(cluster: str, method: str, path: str, status: int, answer: bytes) -> StackyardError:
    if not status:
        fix = "With `eks: {public_endpoint: false}` only machines inside the VPC reach it."
        return MissingError(f"cluster {cluster} does not answer", answer.decode("utf-8", "replace"), fix=fix)
    try:
        words = json.loads(answer).get("message") or ""
    except (ValueError, AttributeError):
        words = answer.decode("utf-8", "replace")[:500]
    what = f"cluster {cluster}, {method} {path.partition('?')[0]}"
    if status == 404:
        error = _NotFoundError(what, words)
        error.about_kind = "could not find the requested resource" in words or words.startswith("404 page")
        return error
    # An admission webhook's no is a 403 too; this is what the access rules say.
    if status == 401 or (status == 403 and " cannot " in words):
        return MissingError(
            f"no right to do this in cluster {cluster}",
            words or f"{method} {path}: {status}",
            fix="Only the deploy role and the cluster's administrators get in; `infra/modules/eks-cluster` says who.",
        )
    return ToolError(what, words or f"status {status}")


def _unknown_kind(cluster: str, each: Object) -> MissingError:
    fix = ""
    if each["apiVersion"].startswith("elbv2.k8s.aws/"):
        fix = "Install the AWS Load Balancer Controller: infra/modules/eks-cluster/README.md has the two lines."
    return MissingError(f"cluster {cluster}", f"it knows no {each['kind']} ({each['apiVersion']})", fix=fix)


def _failed(namespace: str, name: str, why: str, lines: str = "") -> ToolError:
    command = f"kubectl describe pods --namespace {namespace}"
    fix = "What ran before goes on serving."
    return ToolError(f"service {name} was not rolled out", why, fix=fix, command=command, detail=lines)


def _path(api: str, kind: str, namespace: str, name: str) -> str:
    return f"{_RESOURCES[api, kind].format(quote(namespace, safe=''))}/{quote(name, safe='')}"


def _selector(deployment: Object) -> str:
    labels: dict[str, str] = deployment["spec"]["selector"]["matchLabels"]
    return ",".join(f"{key}={value}" for key, value in labels.items())


def _settings_of(each: Object) -> set[str]:
    """Return the names of the ConfigMaps that a Deployment's, or a ReplicaSet's, pods take their environment from."""
    sources: list[Object] = each["spec"]["template"]["spec"]["containers"][0].get("envFrom") or []
    return {source["configMapRef"]["name"] for source in sources if "configMapRef" in source}


def _status(each: Object) -> dict[str, Any]:
    return each.get("status") or {}


def _names(each: Object) -> tuple[str, str]:
    return each["metadata"].get("namespace", ""), each["metadata"]["name"]

"""One cluster's API server, in memory: server-side apply, reading and deleting, and what it refuses.

Only what `stackyard.tools.kubernetes` uses. What becomes of the objects is `controllers`' to say.
"""

from __future__ import annotations

import copy
import http
import itertools
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stackyard.local.emulator.kubernetes import controllers
from stackyard.local.emulator.kubernetes.schema import Kind, find_kind, missing_fields, unknown_fields

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[a-z0-9.]+))/(?P<version>v[a-z0-9]+)(?:/namespaces/(?P<namespace>[^/]+))??"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>log))?)?"
)
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_APPLY = "application/apply-patch+yaml"

Object = dict[str, Any]  # an object of Kubernetes, as JSON has it


@dataclass(frozen=True, slots=True)
class Request:
    """A request, the path without what leads to the cluster."""

    method: str
    path: str
    query: Mapping[str, str]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "application/json"

    @property
    def reason(self) -> str:
        """The words beside the status."""
        return http.HTTPStatus(self.status).phrase


class Refused(Exception):  # noqa: N818  (an answer, not a fault of ours)
    """The request is refused; the answer is a Status object, as Kubernetes gives it."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def answer(self) -> Answer:
        """Return the answer."""
        status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": self.code}
        return Answer(self.code, json.dumps({**status, "reason": self.reason, "message": self.message}).encode())


@dataclass(slots=True)
class Stored:
    """An object: what each field manager applied, the last one last, and what the server made of it."""

    kind: Kind
    metadata: Object
    applied: dict[str, Object] = field(default_factory=dict[str, Object])
    live: Object = field(default_factory=dict[str, Any])
    seen_going: bool = False
    """Whether somebody saw it between its deletion and its end."""


Key = tuple[str, str, str, str]
"""API, kind, namespace, name."""


class ApiServer:
    """The API of one cluster. Not for threads: whoever calls it holds a lock."""

    def __init__(self, has_image: Callable[[str], bool], has_target_group: Callable[[str], bool]) -> None:
        """The two say whether AWS has what objects name."""
        self.has_image, self._has_target_group = has_image, has_target_group
        self.objects: dict[Key, Stored] = {}
        self._versions = itertools.count(1)

    def handle(self, request: Request) -> Answer:
        """Answer a request. Raises Refused."""
        kind, namespace, name, sub = _route(request.path)
        if request.method == "GET" and kind.name == "Pod":
            return self._pods(namespace, name, sub, request.query)
        if request.method == "GET" and kind.name == "ReplicaSet" and not name:
            return _json(200, _as_list(kind, controllers.replica_sets(self, namespace), request.query))
        if request.method == "GET":
            return _json(200, self._read(kind, namespace, name) if name else self._list(kind, namespace, request.query))
        if request.method == "PATCH" and name and kind.name not in {"Pod", "ReplicaSet"}:
            return self._apply(kind, namespace, name, request)
        if request.method == "DELETE" and name and kind.name == "Namespace":
            return _json(200, self._delete_namespace(name))
        if request.method == "DELETE" and name and kind.name == "ConfigMap":
            gone = self._read(kind, namespace, name)
            del self.objects[kind.api, kind.name, namespace, name]
            return _json(200, gone)
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def find(self, api: str, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object as it is."""
        stored = self.objects.get((api, kind, namespace, name))
        return stored.live if stored else None

    def _apply(self, kind: Kind, namespace: str, name: str, request: Request) -> Answer:
        body, manager = _parse(request), request.query.get("fieldManager", "")
        if not manager:
            why = "fieldManager: Required value: is required for apply patch"
            raise Refused(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {why}')
        _check_identity(body, kind, namespace, name)
        if wrong := unknown_fields(kind, body):
            who = f"{namespace}/{name}; {kind.api}, Kind={kind.name}"
            raise Refused(500, "InternalError", f"failed to create typed patch object ({who}): {wrong[0]}")
        self._check_namespace(kind, namespace, name)
        key = (kind.api, kind.name, namespace, name)
        there = self.objects.get(key)
        stored = copy.deepcopy(there) if there else Stored(kind, _new_metadata(namespace, name))
        if there and request.query.get("force") != "true":
            _check_conflicts(there, manager, body)
        stored.applied = {each: own for each, own in stored.applied.items() if each != manager} | {manager: body}
        before = stored.live
        self._build(stored)
        self._check(stored, before)
        self.objects[key] = stored
        if stored.live.get("spec") != before.get("spec"):
            stored.metadata["generation"] = stored.metadata.get("generation", 0) + 1
        if stored.live != before:
            stored.metadata["resourceVersion"] = str(next(self._versions))
        self._build(stored)
        controllers.settle(self)
        return _json(200 if there else 201, self.objects[key].live)

    def _build(self, stored: Stored) -> None:
        """Make the object from what was applied; its status is the controllers' and stays."""
        live: Object = {}
        for body in stored.applied.values():
            live = _merged(live, body)
        live["metadata"] = _merged(live["metadata"], stored.metadata)
        if stored.kind.name == "Deployment":
            live["spec"].setdefault("replicas", 1)
        if "status" in stored.live:
            live["status"] = stored.live["status"]
        stored.live = live

    def _check(self, stored: Stored, before: Object) -> None:
        kind, live = stored.kind, stored.live
        what = f'{kind.name} "{live["metadata"]["name"]}" is invalid'
        if missing := missing_fields(kind, live):
            raise Refused(422, "Invalid", f"{what}: {missing[0]}: Required value")
        if before.get("immutable") and before.get("data") != live.get("data"):
            raise Refused(422, "Invalid", f"{what}: data: Forbidden: field is immutable when `immutable` is set")
        if kind.name == "Deployment":
            selector = live["spec"]["selector"].get("matchLabels", {})
            labels = live["spec"]["template"].get("metadata", {}).get("labels", {})
            if not selector or not selector.items() <= labels.items():
                why = "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"
                raise Refused(422, "Invalid", f"{what}: {why}")
            if before and before["spec"]["selector"] != live["spec"]["selector"]:
                raise Refused(422, "Invalid", f"{what}: spec.selector: Invalid value: field is immutable")
        if kind.name == "TargetGroupBinding" and not self._has_target_group(arn := live["spec"]["targetGroupARN"]):
            webhook = f'admission webhook "mtargetgroupbinding.{kind.api.partition("/")[0]}" denied the request'
            raise Refused(403, "Forbidden", f"{webhook}: TargetGroupNotFound: Target groups '{arn}' not found")

    def _check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        there = self.objects.get(("v1", "Namespace", "", namespace))
        if there is None:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        if "deletionTimestamp" in there.metadata:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise Refused(403, "Forbidden", f'{kind.plural} "{name}" is forbidden: {why}')

    def _read(self, kind: Kind, namespace: str, name: str) -> Object:
        stored = self.objects.get((kind.api, kind.name, namespace, name))
        if stored is not None and "deletionTimestamp" in stored.metadata:
            # Somebody who waits for its end sees it go, as with a real cluster, and only then not any more.
            if stored.seen_going:
                del self.objects[kind.api, kind.name, namespace, name]
                stored = None
            else:
                stored.seen_going = True
        if stored is None:
            group = "" if "/" not in kind.api else "." + kind.api.partition("/")[0]
            raise Refused(404, "NotFound", f'{kind.plural}{group} "{name}" not found')
        return stored.live

    def _list(self, kind: Kind, namespace: str, query: Mapping[str, str]) -> Object:
        found = [
            stored.live
            for (api, name, place, _), stored in self.objects.items()
            if (api, name) == (kind.api, kind.name) and namespace in {"", place}
        ]
        return _as_list(kind, found, query)

    def _pods(self, namespace: str, name: str, sub: str, query: Mapping[str, str]) -> Answer:
        pods = controllers.pods(self, namespace)
        if not name:
            return _json(200, _as_list(Kind("v1", "Pod", "pods", ""), [pod.live for pod in pods], query))
        pod = next((pod for pod in pods if pod.live["metadata"]["name"] == name), None)
        if pod is None:
            raise Refused(404, "NotFound", f'pods "{name}" not found')
        if not sub:
            return _json(200, pod.live)
        if query.get("container") != pod.live["spec"]["containers"][0]["name"]:
            raise Refused(400, "BadRequest", f"container {query.get('container')} is not valid for pod {name}")
        lines = pod.previous if query.get("previous") == "true" else pod.lines
        if lines is None:
            raise Refused(400, "BadRequest", f'previous terminated container in pod "{name}" not found')
        wanted = lines[-int(query.get("tailLines", "0")) :]
        return Answer(200, "".join(f"{line}\n" for line in wanted).encode(), "text/plain")

    def _delete_namespace(self, name: str) -> Object:
        stored = self.objects.get(("v1", "Namespace", "", name))
        if stored is None:
            raise Refused(404, "NotFound", f'namespaces "{name}" not found')
        for key in [key for key in self.objects if key[2] == name]:
            del self.objects[key]
        stored.metadata["deletionTimestamp"] = _now()
        self._build(stored)
        stored.live["status"] = {"phase": "Terminating"}
        return stored.live


def _route(path: str) -> tuple[Kind, str, str, str]:
    match = _PATH.fullmatch(path)
    if match:
        api = "/".join(filter(None, (match["group"], match["version"])))
        kind = find_kind(api, match["plural"])
        namespace = match["namespace"] or ""
        if kind and (kind.namespaced or not namespace) and (match["sub"] is None or kind.name == "Pod"):
            return kind, namespace, match["name"] or "", match["sub"] or ""
    raise Refused(404, "NotFound", "the server could not find the requested resource")


def _parse(request: Request) -> Object:
    if request.content_type != _APPLY:
        why = f"the body of the request was in an unknown format - accepted media types include: {_APPLY}"
        raise Refused(415, "UnsupportedMediaType", why)
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise Refused(400, "BadRequest", f"error decoding YAML: {error}") from error
    if not isinstance(body, dict):
        raise Refused(400, "BadRequest", "error decoding YAML: not an object")
    return body  # pyright: ignore[reportUnknownVariableType]  (JSON: what it holds is looked at next)


def _check_identity(body: Object, kind: Kind, namespace: str, name: str) -> None:
    metadata: Object = body.get("metadata") or {}
    if (body.get("apiVersion"), body.get("kind")) != (kind.api, kind.name):
        raise Refused(
            400, "BadRequest", f"{body.get('kind')} in version {body.get('apiVersion')} cannot be handled here"
        )
    if metadata.get("name") != name:
        raise Refused(400, "BadRequest", "the name of the object does not match the name on the URL")
    if metadata.get("namespace", namespace) != namespace:
        raise Refused(400, "BadRequest", "the namespace of the object does not match the namespace on the URL")
    if not _NAME.fullmatch(name):
        why = f'metadata.name: Invalid value: "{name}": a lowercase RFC 1123 label must consist of lower case'
        raise Refused(422, "Invalid", f"{kind.name} \"{name}\" is invalid: {why} alphanumeric characters or '-'")


def _check_conflicts(there: Stored, manager: str, body: Object) -> None:
    wanted = dict(_leaves(body))
    for other, own in there.applied.items():
        theirs = dict(_leaves(own))
        conflicts = [path for path, value in wanted.items() if other != manager and theirs.get(path, value) != value]
        if conflicts:
            many = "conflict" if len(conflicts) == 1 else "conflicts"
            raise Refused(
                409, "Conflict", f'Apply failed with {len(conflicts)} {many}: {many} with "{other}": {conflicts[0]}'
            )


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]  (JSON)
            yield from _leaves(inner, f"{path}.{name}")
    else:
        yield path, value


def _merged(one: Any, other: Any) -> Any:
    """Merge two objects; where both say something the other one holds. Lists are taken whole."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return copy.deepcopy(other)
    both: Object = {**one}
    for name, value in other.items():  # pyright: ignore[reportUnknownVariableType]  (JSON)
        both[name] = _merged(both.get(str(name)), value)  # pyright: ignore[reportUnknownArgumentType]  (JSON)
    return both


def _as_list(kind: Kind, found: list[Object], query: Mapping[str, str]) -> Object:
    wanted = dict(each.split("=", 1) for each in query.get("labelSelector", "").split(",") if each)
    items = [each for each in found if wanted.items() <= (each["metadata"].get("labels") or {}).items()]
    return {"apiVersion": kind.api, "kind": f"{kind.name}List", "metadata": {}, "items": items}


def _new_metadata(namespace: str, name: str) -> Object:
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "uid": str(uuid.uuid4()), "creationTimestamp": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(status: int, value: Object) -> Answer:
    return Answer(status, json.dumps(value).encode())

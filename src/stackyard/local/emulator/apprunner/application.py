"""App Runner's WSGI application: JSON 1.0 in, an operation, JSON out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from stackyard.local.emulator.apprunner.backend import AppRunner
from stackyard.local.emulator.apprunner.errors import (
    AppRunnerError,
    InvalidRequestError,
    UnknownOperationError,
)
from stackyard.local.emulator.apprunner.records import AUTO_SCALING, OBSERVABILITY, VPC_CONNECTOR
from stackyard.local.emulator.apprunner.shapes import Json, check

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIEnvironment

Operation = Callable[[AppRunner, Json], Json]

OPERATIONS: dict[str, Operation] = {
    "CreateService": AppRunner.create_service,
    "DescribeService": AppRunner.describe_service,
    "ListServices": AppRunner.list_services,
    "UpdateService": AppRunner.update_service,
    "DeleteService": AppRunner.delete_service,
    "PauseService": AppRunner.pause_service,
    "ResumeService": AppRunner.resume_service,
    "StartDeployment": AppRunner.start_deployment,
    "ListOperations": AppRunner.list_operations,
    "TagResource": AppRunner.tag_resource,
    "UntagResource": AppRunner.untag_resource,
    "ListTagsForResource": AppRunner.list_tags,
}
for _kind in (AUTO_SCALING, VPC_CONNECTOR, OBSERVABILITY):
    _of_kind: dict[str, Operation] = {
        f"Create{_kind.name}": lambda backend, request, kind=_kind: backend.create_configuration(kind, request),
        f"Describe{_kind.name}": lambda backend, request, kind=_kind: backend.describe_configuration(kind, request),
        f"Delete{_kind.name}": lambda backend, request, kind=_kind: backend.delete_configuration(kind, request),
        f"List{_kind.name}s": lambda backend, request, kind=_kind: backend.list_configurations(kind, request),
    }
    OPERATIONS.update(_of_kind)


class Application:
    """App Runner of one account, every region."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._regions: dict[str, AppRunner] = {}
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            status, answer = "200 OK", self._answer(environ)
        except AppRunnerError as error:
            status, answer = "400 Bad Request", {"__type": error.code, "Message": str(error)}
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
        start_response(status, [*headers, ("x-amzn-RequestId", str(uuid4()))])
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> Json:
        name = str(environ["HTTP_X_AMZ_TARGET"]).removeprefix("AppRunner.")
        if name not in OPERATIONS:
            raise UnknownOperationError(f"the embedded AWS does not offer App Runner's {name}")
        stream = cast("InputStream", environ["wsgi.input"])
        try:
            sent: object = json.loads(stream.read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        except ValueError as error:
            raise InvalidRequestError(f"the request is not JSON: {error}") from error
        request = check(name, sent)
        region = _region(environ)
        with self._one_at_a_time:
            backend = self._regions.get(region) or self._regions.setdefault(region, AppRunner(self._account, region))
            return OPERATIONS[name](backend, request)


def _region(environ: Mapping[str, object]) -> str:
    """Return the region that the request was signed for."""
    scope = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2].partition(",")[0].split("/")
    if len(scope) != 5:
        raise InvalidRequestError("the request is not signed for a region")
    return scope[2]

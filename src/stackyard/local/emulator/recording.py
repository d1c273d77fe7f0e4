"""Write down each call of the embedded AWS as AWS describes it: operation, parameters, who called, what came of it.

For whoever has to say which rights a program needs. Left out are values that AWS's description calls sensitive, bodies,
and all of an answer but the ids in it. Knows nothing of IAM: which right a call needs is for the reader of the file.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from botocore import parsers
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SCOPE = re.compile(r"Credential=([^/,]+)/\d+/[^/]*/([a-z0-9-]+)/aws4_request")
_MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
"""What a signature calls a service -> what botocore calls its description, where these differ."""
_ID = re.compile(r"(id|arn)s?$", re.IGNORECASE)

# Shapes of botocore and moto have no types, nor has what they describe.
Json = dict[str, Any]


def recorded(application: WSGIApplication, file: Path) -> WSGIApplication:
    """Return the application; every signed request that it answers becomes a line of ``file``, as JSON.

    A line has ``service`` (as signed for), ``operation`` (None where AWS describes no such request, and ``request``
    tells its method and path), ``agent``, ``status``, ``parameters`` and ``answer``.
    """
    lock = threading.Lock()

    def write(entry: Json) -> None:
        line = json.dumps(entry, default=str) + "\n"
        with lock, file.open("a", encoding="utf-8") as lines:
            lines.write(line)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        signed = _SCOPE.search(str(environ.get("HTTP_AUTHORIZATION", "")))
        if signed is None:
            return application(environ, start_response)
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(sent)
        copy = {**environ, "wsgi.input": io.BytesIO(sent)}
        began: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            began.append((status, headers))
            return start_response(status, headers, *rest)

        body = b"".join(application(environ, cast("StartResponse", start)))
        (_, headers), code = began[-1], int(began[-1][0].split(" ")[0])
        entry: Json = {"service": signed[2], "operation": None, "agent": str(environ.get("HTTP_USER_AGENT", ""))}
        write({**entry, "status": code, **_describe(signed[2], copy, code, headers, body)})
        return [body]

    return answer


def _describe(service: str, environ: WSGIEnvironment, status: int, headers: list[tuple[str, str]], body: bytes) -> Json:
    request = Request(environ)
    try:
        operation, labels = _router(_MODELS.get(service, service)).match(request)
    except (HTTPException, NotImplementedError):
        return {"request": f"{request.method} {request.path}"}
    model = get_service_model(_MODELS.get(service, service))
    protocol = determine_request_protocol(model, request.content_type)
    parse = PROTOCOL_PARSERS[protocol](operation)
    parameters: Json = parse.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": b"" if service == "s3" else request.get_data(),
            "url_path": request.path,
            "url_params": labels,
        }
    )
    described: Json = {"operation": operation.name, "parameters": _shown(operation.input_shape, parameters)}
    if status < 300 and operation.output_shape is not None and not operation.has_streaming_output:
        read = cast("Any", parsers).create_parser(protocol)
        plain: Json = {"status_code": status, "headers": dict(headers), "body": body}
        described["answer"] = _ids(cast("object", read.parse(plain, operation.output_shape)))
    return described


@cache
def _router(model: str) -> Any:  # moto's have no types
    return get_service_router(model)


def _shown(shape: Any, value: Any) -> Any:
    """Leave out what must not be shown, or is long."""
    if shape is None or value is None:
        return value
    match shape.type_name:
        case "structure":
            members = {name: (shape.members[name], each) for name, each in value.items() if name in shape.members}
            return {
                name: _shown(member, each)
                for name, (member, each) in members.items()
                if member.type_name != "blob" and "sensitive" not in member.metadata
            }
        case "list":
            return [_shown(shape.member, each) for each in value]
        case "map":
            return {name: _shown(shape.value, each) for name, each in value.items()}
        case _:
            return value


def _ids(value: object) -> Any:
    """Leave of an answer what names things."""
    match value:
        case dict():
            members = {name: _ids(each) for name, each in cast("Json", value).items() if name != "ResponseMetadata"}
            return {name: each for name, each in members.items() if each and (_ID.search(name) or _holds_more(each))}
        case list():
            return [each for each in map(_ids, cast("list[object]", value)) if each]
        case _:
            return value


def _holds_more(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_more, cast("list[object]", value))))

"""HTTP proxy integrations, compiled once a deployment: which server, which path there, which headers on the way.

Sources: "HTTP integrations for REST APIs", "Request and response parameter mapping" (what ``requestParameters`` may
say), "Using API Gateway stage variables" (their place in an integration's address), "Amazon API Gateway important
notes" (parameters are decoded, and encoded again on their way out).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, quote_plus, urlsplit

from pydantic import JsonValue

from stackyard.errors import ConfigError
from stackyard.local.gateway.context import VARIABLES
from stackyard.local.gateway.event import parse_query

if TYPE_CHECKING:
    from stackyard.local.gateway.exchange import Exchange

Source: TypeAlias = "Callable[[Exchange], str]"

RESERVED = frozenset(
    {b"content-length", b"host", b"transfer-encoding", b"x-amzn-apigateway-api-id", b"x-amzn-trace-id"}
)
"""Headers of a call that no mapping may set: the gateway's own."""

_IN_PATH = "/:@!$&'()*+,;=~"
_PLAIN = re.compile(r"[A-Za-z0-9/._~:@!$&'()*+,;=-]*")
_PLACE = re.compile(r"\{([^{}]*)\}")
_VARIABLE = re.compile(r"\$\{stageVariables\.([^}]*)\}")
_PARAMETER = re.compile(r"integration\.request\.(header|path|querystring)\.([A-Za-z0-9._$-]+)")
_REQUEST = re.compile(r"method\.request\.(header|path|querystring)\.([A-Za-z0-9._$-]+)")
_UNSAFE = re.compile(r"[^\t\x20-\x7e\x80-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """Where a method's requests go on: the server's address, and how to make the request line and headers for it.

    ``verb`` is None where the request's own is used. ``path`` is made of plain pieces and of what is filled in between.
    """

    server: str
    host: bytes
    verb: bytes | None
    path: tuple[str | Source, ...]
    query: tuple[tuple[str, Source], ...]
    headers: tuple[tuple[bytes, Source], ...]
    mapped: frozenset[bytes]

    def render(self, exchange: Exchange) -> str:
        """Return path and query of the call that an exchange becomes."""
        target = "".join([each if isinstance(each, str) else _encode(each(exchange)) for each in self.path])
        query = exchange.query
        if ";" in query:
            query = query.replace(";", "&")
        for name, source in self.query:
            if value := source(exchange):
                query = f"{query}&{name}={quote_plus(value)}" if query else f"{name}={quote_plus(value)}"
        if query:
            return f"{target}{'&' if '?' in target else '?'}{query}"
        return target


def compile_target(integration: Mapping[str, JsonValue], variables: Mapping[str, str], place: str) -> HttpTarget:
    """Compile an integration of type ``http_proxy``. Raises ConfigError that names ``place`` and what is wrong."""
    template = str(integration.get("uri", ""))
    uri = _VARIABLE.sub(lambda found: _variable(found[1], variables, place), template)
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "{" in parts.netloc:
        raise _error(place, f"its uri {uri!r} is no http:// or https:// address")
    server = f"{parts.scheme}://{parts.netloc}"
    sources = _mappings(integration.get("requestParameters"), variables, place)
    default = {"http": ":80", "https": ":443"}[parts.scheme]
    verb = str(integration.get("httpMethod") or "ANY").upper()
    headers = tuple((name.lower().encode(), each) for name, each in sources["header"].items())
    mapped = frozenset(name for name, _ in headers)
    if taken := mapped & RESERVED:
        raise _error(place, f"requestParameters sets {min(taken).decode()}, which is the gateway's own")
    return HttpTarget(
        server=server,
        host=parts.netloc.removesuffix(default).encode(),
        verb=None if verb == "ANY" else verb.encode(),
        path=_template(uri.removeprefix(server).partition("#")[0], sources["path"], place),
        query=tuple((quote_plus(name), each) for name, each in sources["querystring"].items()),
        headers=headers,
        mapped=mapped,
    )


def _template(text: str, sources: Mapping[str, Source], place: str) -> tuple[str | Source, ...]:
    found: list[str | Source] = []
    for at, piece in enumerate(_PLACE.split(text if text.startswith("/") else f"/{text}")):
        if at % 2 == 0:
            found.append(piece)
        elif piece in sources:
            found.append(sources[piece])
        else:
            raise _error(place, f"its uri names {{{piece}}}, which no integration.request.path.{piece} fills in")
    return tuple(each for each in found if each)


def _mappings(declared: JsonValue, variables: Mapping[str, str], place: str) -> dict[str, dict[str, Source]]:
    """Return what is filled in from where, by kind (header, path, querystring) and name."""
    found: dict[str, dict[str, Source]] = {"header": {}, "path": {}, "querystring": {}}
    if declared is None:
        return found
    if not isinstance(declared, dict):
        raise _error(place, f"its requestParameters must be a mapping, found {declared!r:.80}")
    for name, value in declared.items():
        parameter = _PARAMETER.fullmatch(name)
        if parameter is None:
            raise _error(place, f"its requestParameters has a key that is none: {name!r}")
        found[parameter[1]][parameter[2]] = _source(str(value), variables, f"{place}, {name}")
    return found


def _source(text: str, variables: Mapping[str, str], place: str) -> Source:
    """Compile one value of ``requestParameters``."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return _constant(text[1:-1])
    kind, _, name = text.partition(".")
    if kind == "stageVariables":
        return _constant(_variable(name, variables, place))
    if kind == "context" and name in VARIABLES:
        return VARIABLES[name]
    if (found := _REQUEST.fullmatch(text)) is not None:
        return {"header": _header, "path": _path, "querystring": _querystring}[found[1]](found[2])
    raise _error(place, f"{text!r} cannot be mapped here")


def _constant(value: str) -> Source:
    return lambda _exchange: value


def _header(name: str) -> Source:
    key = name.lower().encode()
    return lambda exchange: (exchange.request.header(key) or b"").decode("utf-8", "surrogateescape")


def _path(name: str) -> Source:
    def look(exchange: Exchange) -> str:
        parameters = exchange.match.parameters if exchange.match else None
        return parameters.get(name, "") if parameters else ""

    return look


def _querystring(name: str) -> Source:
    def look(exchange: Exchange) -> str:
        values = parse_query(exchange.query)
        return values[name][-1] if values and name in values else ""

    return look


def header_value(value: str) -> bytes:
    """Return a mapped value as it may stand in a header: no line ends, and bytes as UTF-8."""
    return _UNSAFE.sub("", value).encode("utf-8", "surrogateescape")


def _encode(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quote(value, safe=_IN_PATH, errors="surrogateescape")


def _variable(name: str, variables: Mapping[str, str], place: str) -> str:
    if name not in variables:
        raise _error(place, f"there is no stage variable {name!r}")
    return variables[name]


def _error(place: str, why: str) -> ConfigError:
    return ConfigError(f"the OpenAPI document, {place}", why)

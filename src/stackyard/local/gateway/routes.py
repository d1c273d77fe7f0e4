"""From an OpenAPI document to "which method is meant", at a cost that does not grow with the number of services.

Owns API Gateway's rules for matching paths. The document is the only source of routes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import unquote

from pydantic import JsonValue

from stackyard.errors import ConfigError
from stackyard.local.gateway.integration import HttpTarget, compile_target
from stackyard.local.gateway.mock import MockTarget, compile_mock

ANY = "x-amazon-apigateway-any-method"
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
INTEGRATION = "x-amazon-apigateway-integration"
BINARY = "x-amazon-apigateway-binary-media-types"

_DEFAULT_TIMEOUT = 29.0
_FUNCTION = re.compile(r"arn:[^:]+:apigateway:[^:]*:lambda:path/2015-03-31/functions/(?P<arn>.+)/invocations")


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one resource: what answers (function by ARN, server, nobody), timeout in s, if it wants a key."""

    resource: str
    resource_id: str
    target: str | HttpTarget | MockTarget
    timeout: float
    needs_key: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A method and the path parameters that the request gave it."""

    method: Method
    parameters: dict[str, str] | None


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    parameter: _Node | None = None
    greedy: _Node | None = None
    name: str = ""
    methods: dict[str, Method] = field(default_factory=dict[str, Method])


class Router:
    """The routes of one API."""

    def __init__(self, openapi: Mapping[str, JsonValue], variables: Mapping[str, str] | None = None) -> None:
        """Compile the document's paths; ``variables`` are the stage's. Raises ConfigError for what cannot be served."""
        self._root = _Node()
        self._exact: dict[str, _Node] = {}
        self.resources: list[str] = []
        self.methods: list[tuple[str, Method]] = []
        paths = _mapping(openapi.get("paths") or {}, "paths")
        compiler = _Compiler(openapi, variables or {})
        for path in paths:
            operations = _mapping(paths[path], f"paths.{path}")
            node = self._add(path)
            node.methods = {
                "*" if name == ANY else name.upper(): compiler.method(path, name, operation)
                for name, operation in operations.items()
                if name == ANY or name.upper() in METHODS
            }
            self.resources.append(path)
            self.methods += node.methods.items()
            if "{" not in path:
                self._exact[path] = node

    def _add(self, path: str) -> _Node:
        node = self._root
        for segment in path.strip("/").split("/") if path != "/" else []:
            if segment.startswith("{") and segment.endswith("+}"):
                node.greedy = node.greedy or _Node(name=segment[1:-2])
                node = node.greedy
            elif segment.startswith("{"):
                node.parameter = node.parameter or _Node(name=segment[1:-1])
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        return node

    def match(self, verb: str, path: str) -> Match | None:
        """Return what a request means: exact before ``{parameter}`` before ``{greedy+}``, or None.

        ``path`` is as sent, without the stage. A slash at the end makes no difference.
        """
        node = self._exact.get(path)
        parameters: dict[str, str] | None = None
        if node is None or not node.methods:
            if len(path) > 1 and path.endswith("/"):
                path = path[:-1]
            segments = path[1:].split("/") if path != "/" else []
            values: list[tuple[str, str]] = []
            node = _descend(self._root, segments, 0, values)
            if node is None:
                return None
            parameters = {name: unquote(value) for name, value in values} or None
        method = node.methods.get(verb)
        if method is None and verb in METHODS:
            method = node.methods.get("*")
        return Match(method, parameters) if method is not None else None


def _descend(node: _Node, segments: list[str], at: int, values: list[tuple[str, str]]) -> _Node | None:
    """Return the most specific node for the rest of the path; what it binds is left in ``values``."""
    if at == len(segments):
        return node if node.methods else None
    segment = segments[at]
    if (child := node.literals.get(segment)) is not None and (found := _descend(child, segments, at + 1, values)):
        return found
    if node.parameter is not None and segment:
        values.append((node.parameter.name, segment))
        if found := _descend(node.parameter, segments, at + 1, values):
            return found
        values.pop()
    if node.greedy is not None and node.greedy.methods:
        values.append((node.greedy.name, "/".join(segments[at:])))
        return node.greedy
    return None


class _Compiler:
    """What is the same for all methods of a document."""

    def __init__(self, openapi: Mapping[str, JsonValue], variables: Mapping[str, str]) -> None:
        self._openapi = openapi
        self._variables = variables
        self._everywhere = _wants_key(openapi.get("security"), openapi)

    def method(self, path: str, name: str, operation: JsonValue) -> Method:
        place = f"paths.{path}.{name}"
        described = _mapping(operation, place)
        integration = _mapping(described.get(INTEGRATION), f"{place}.{INTEGRATION}")
        millis = integration.get("timeoutInMillis")
        security = described.get("security")
        return Method(
            resource=path,
            resource_id=hashlib.sha256(path.encode()).hexdigest()[:6],
            target=self._target(integration, place),
            timeout=millis / 1000 if isinstance(millis, int | float) else _DEFAULT_TIMEOUT,
            needs_key=self._everywhere if security is None else _wants_key(security, self._openapi),
        )

    def _target(self, integration: Mapping[str, JsonValue], place: str) -> str | HttpTarget | MockTarget:
        kind = str(integration.get("type", "")).lower()
        if kind == "http_proxy":
            return compile_target(integration, self._variables, place)
        if kind == "mock":
            return compile_mock(integration, place)
        found = _FUNCTION.fullmatch(str(integration.get("uri", "")))
        if kind != "aws_proxy" or found is None:
            raise ConfigError(
                f"the OpenAPI document, {place}",
                f"an integration of type {integration.get('type')!r} to {integration.get('uri')!r} "
                "cannot be served here",
                fix="The local gateway serves integrations of types aws_proxy (Lambda), http_proxy and mock.",
            )
        return found["arn"]


def _wants_key(security: JsonValue, openapi: Mapping[str, JsonValue]) -> bool:
    """Return whether a security requirement names a scheme that is an API key without an authorizer."""
    if not isinstance(security, list):
        return False
    components = openapi.get("components")
    declared = components.get("securitySchemes") if isinstance(components, dict) else None
    schemes = declared if isinstance(declared, dict) else {}
    for requirement in security:
        for name in requirement if isinstance(requirement, dict) else ():
            scheme = schemes.get(name)
            if isinstance(scheme, dict) and scheme.get("type") == "apiKey":
                return True
    return False


def binary_types(openapi: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return the media types whose bodies are bytes and travel as base64."""
    found = openapi.get(BINARY)
    return tuple(str(each).lower() for each in found) if isinstance(found, list) else ()


def _mapping(value: JsonValue, place: str) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise ConfigError(f"the OpenAPI document, {place}", f"must be a mapping, found {value!r:.80}")
    return cast("Mapping[str, JsonValue]", value)

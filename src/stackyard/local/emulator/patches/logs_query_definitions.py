"""CloudWatch Logs keeps saved queries.

moto has none of the three calls, so that ``aws_cloudwatch_query_definition`` cannot be made. No upstream issue was
found.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs.responses import LogsResponse as Response

_QUERIES = "stackyard_queries"
"""The attribute of moto's backend in which queries are kept by id: they end with it."""


def apply() -> None:
    """Add the calls that make, list and delete saved queries."""

    def put_query_definition(self: Response) -> str:
        given: dict[str, Any] = _asked(self)
        number = given.setdefault("queryDefinitionId", str(uuid.uuid4()))
        given.pop("clientToken", None)
        _queries(self)[number] = {**given, "lastModified": int(time.time() * 1000)}
        return json.dumps({"queryDefinitionId": number})

    def describe_query_definitions(self: Response) -> str:
        prefix: str = _asked(self).get("queryDefinitionNamePrefix") or ""
        found = [each for each in _queries(self).values() if each["name"].startswith(prefix)]
        return json.dumps({"queryDefinitions": sorted(found, key=lambda each: each["name"])})

    def delete_query_definition(self: Response) -> str:
        if _queries(self).pop(_asked(self)["queryDefinitionId"], None) is None:
            raise JsonRESTError("ResourceNotFoundException", "The specified query definition does not exist.")
        return json.dumps({"success": True})

    for call in (put_query_definition, describe_query_definitions, delete_query_definition):
        setattr(Response, call.__name__, call)


def _asked(request: Response) -> dict[str, Any]:
    return json.loads(request.body)


def _queries(request: Response) -> dict[str, dict[str, Any]]:
    """Return the queries of the caller's account and region, to be read and changed."""
    backend: Any = request.logs_backend
    kept: dict[str, dict[str, Any]] | None = getattr(backend, _QUERIES, None)
    queries = {} if kept is None else kept
    setattr(backend, _QUERIES, queries)
    return queries

"""What schemathesis is told beyond its own checks (`SCHEMATHESIS_HOOKS`). A case's operation may be of any kind."""

from __future__ import annotations

from typing import Any

import schemathesis

from stackyard.local.gateway.routes import METHODS
from tests.fuzz.client import find_leak


@schemathesis.check
def says_nothing_of_its_insides(
    _context: schemathesis.CheckContext, response: schemathesis.Response, _case: schemathesis.Case[Any]
) -> None:
    """A refusal tells neither where the service runs nor which exception it met."""
    headers = [(name, value) for name, values in response.headers.items() for value in values]
    assert response.status_code < 400 or not find_leak(response.text, headers), response.text


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType]  (it takes functions of any kind)
def filter_case(_context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out verbs like TRACE and QUERY: API Gateway itself answers them, with 403 where 405 is looked for."""
    return case.method.upper() in METHODS

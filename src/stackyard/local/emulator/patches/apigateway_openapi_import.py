"""An API that was made from an OpenAPI document must be what the document says.

moto fails with an internal error for a MOCK integration (it has no ``uri``), names the method for "any" after the
document's key, leaves out whether a method needs a key and over which VPC link an integration goes, and keeps types in
the document's lower case, where AWS answers in upper case. Imported integrations came with getmoto/moto#9511; no issue
about what they lack was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.apigateway.models import APIGatewayBackend, Integration, Method, RestAPI

# A document is JSON of the caller's making: Any until looked at.
Json = dict[str, Any]

_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_METHODS = {"any", "delete", "get", "head", "options", "patch", "post", "put"}


def apply() -> None:
    """Wrap ``put_rest_api`` and an integration's ``to_json``."""
    original, to_json = APIGatewayBackend.put_rest_api, Integration.to_json

    def put_rest_api(
        self: APIGatewayBackend,
        function_id: str,
        api_doc: Json,
        fail_on_warnings: bool,  # noqa: FBT001  (moto's own signature)
        mode: str = "merge",
    ) -> RestAPI:
        paths: Json = {path: _readable(operations) for path, operations in api_doc.get("paths", {}).items()}
        api = original(self, function_id, {**api_doc, "paths": paths}, fail_on_warnings, mode)
        for method, operation in _methods(api, paths):
            _complete(method, operation, api_doc)
        return api

    def whole_json(self: Integration) -> Json:
        connection: str | None = getattr(self, "connection_id", None)
        return {**to_json(self), **({"connectionId": connection} if connection else {})}

    APIGatewayBackend.put_rest_api = put_rest_api
    Integration.to_json = whole_json


def _readable(operations: Json) -> Json:
    """Return a path's operations in the words that moto understands, without what is no operation."""
    plain = {("any" if name == _ANY else name): operation for name, operation in operations.items()}
    return {name: _with_integration(operation) for name, operation in plain.items() if name in _METHODS}


def _with_integration(operation: Json) -> Json:
    integration: Json | None = operation.get(_INTEGRATION)
    if integration is None:
        return operation
    upper = {key: str(integration[key]).upper() for key in ("type", "passthroughBehavior") if key in integration}
    return {**operation, _INTEGRATION: {"uri": "", "httpMethod": "", **integration, **upper}}


def _methods(api: RestAPI, paths: Json) -> Iterator[tuple[Method, Json]]:
    """Yield what was made of each operation, with the operation."""
    for resource in api.resources.values():
        operations: Json = paths.get(resource.get_path(), {})
        for name, operation in operations.items():
            yield resource.resource_methods[name.upper()], operation


def _complete(method: Method, operation: Json, document: Json) -> None:
    schemes: Json = document.get("components", {}).get("securitySchemes", {})
    names = [name for requirement in operation.get("security", ()) for name in requirement]
    method.api_key_required = any(schemes.get(name, {}).get("type") == "apiKey" for name in names)
    method.authorization_type = method.authorization_type or "NONE"
    integration: Any = method.method_integration  # moto's type has no connection_id
    if integration is not None:
        integration.uri = integration.uri or None
        integration.connection_id = operation[_INTEGRATION].get("connectionId")

"""The ``$context`` of a request, by the names that API Gateway gives its variables.

Source: "Variables for data transformations for API Gateway". Those that this gateway cannot know (authorizers, client
certificates, WAF) are absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from stackyard.local.gateway.event import hostname, request_time

if TYPE_CHECKING:
    from stackyard.local.gateway.exchange import Exchange

VARIABLES: Mapping[str, Callable[[Exchange], str]] = {
    "accountId": lambda each: each.office.place.account,
    "apiId": lambda each: each.office.place.api_id,
    "deploymentId": lambda each: each.office.place.deployment_id,
    "domainName": lambda each: hostname(each.header(b"host")),
    "extendedRequestId": lambda each: each.ids.extended,
    "httpMethod": lambda each: each.request.method.decode("latin-1"),
    "identity.sourceIp": lambda each: each.request.client,
    "identity.userAgent": lambda each: each.header(b"user-agent"),
    "path": lambda each: each.path,
    "protocol": lambda each: "HTTP/" + each.request.version,
    "requestId": lambda each: each.ids.request,
    "requestTime": lambda each: request_time(each.request.started),
    "requestTimeEpoch": lambda each: str(int(each.request.started * 1000)),
    "resourceId": lambda each: each.match.method.resource_id if each.match else "",
    "resourcePath": lambda each: each.match.method.resource if each.match else "",
    "stage": lambda each: each.office.place.stage,
}

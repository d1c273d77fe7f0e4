"""Calls to sibling services, through the same gateway that everyone uses.

Owns addresses, time limits and the headers that keep one request's ids together. The rest is httpx, which is imported
when a client is made, never before: it would cost every cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import propagate

from servicekit.context import current_request
from servicekit.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx


def service_client(
    path: str,
    settings: Settings | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
) -> httpx.AsyncClient:
    """Return a client whose URLs start at a sibling's public path, like ``/worker``.

    Each call passes the ids of the request being served on. Make one client and keep it: it holds connections.

    Args:
        path: Public path of the sibling.
        settings: Where SERVICE_URL_BASE is taken from; the environment when not given.
        headers: Sent with each call, such as an API key.
        timeout: Seconds to wait for each part of an answer. Connecting gets two, and one more try.

    Raises SettingsError when SERVICE_URL_BASE (the gateway's address with its stage) is not set.

    """
    import httpx  # noqa: PLC0415  see the module's docstring

    base = (settings or Settings.from_environ()).service_url_base
    if base is None:
        raise SettingsError("SERVICE_URL_BASE: is not set; it is the address of the gateway, with the stage")

    async def pass_ids_on(request: httpx.Request) -> None:
        current = current_request()
        ids = dict(current.passed_on) if current else {}
        propagate.inject(ids)
        for name, value in ids.items():
            request.headers.setdefault(name, value)

    return httpx.AsyncClient(
        base_url=base.rstrip("/") + "/" + path.strip("/"),
        headers=dict(headers or {}),
        timeout=httpx.Timeout(timeout, connect=2.0, pool=2.0),
        transport=httpx.AsyncHTTPTransport(retries=1),
        event_hooks={"request": [pass_ids_on]},
    )

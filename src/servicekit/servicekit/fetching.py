"""One bounded GET of a small JSON document, for what a service must ask before it can answer.

Owns its limits: seconds for the whole of it, bytes, no redirect. The standard library's client in a thread, because
httpx would cost each cold start 40 ms of CPU for two requests an hour. A proxy that the environment names is used.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 1024 * 1024
"""Bytes of a document at the most; the key sets of the large identity providers have about 10 kB."""

_LATE = "did not answer within {:g} s"


class FetchError(Exception):
    """Why a document could not be had, in words that follow its address; ``status`` where there was an answer."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def fetch_json(url: str, seconds: float) -> object:
    """Return the JSON document at an absolute http or https address. Blocks, for ``seconds`` at the most.

    Raises FetchError.
    """
    connection, target = _connect(url, seconds)
    line: socket.socket | None = None
    late = threading.Event()

    def cut() -> None:
        late.set()
        if line is not None:
            # Closing would not wake the thread that reads.
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        connection.connect()
        # Kept, because the connection lets go of it when an answer begins.
        line = connection.sock
        connection.request("GET", target, headers={"Accept": "application/json", "Connection": "close"})
        with connection.getresponse() as answer:
            if answer.status != 200:
                raise FetchError(f"was answered with HTTP {answer.status}", answer.status)
            body = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        late_too = late.is_set() or isinstance(error, TimeoutError)
        raise FetchError(_LATE.format(seconds) if late_too else f"could not be asked: {type(error).__name__}") from None
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise FetchError(_LATE.format(seconds))
    if len(body) > LARGEST:
        raise FetchError(f"is larger than {LARGEST} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise FetchError("is not JSON") from None


def _connect(url: str, seconds: float) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection that is not open yet, and what to ask it for."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    proxy = next(_proxies(parts.scheme, host), None)
    if proxy is None:
        if secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=context), target
        return http.client.HTTPConnection(host, parts.port, timeout=seconds), target
    via, port = proxy
    if not secure:
        return http.client.HTTPConnection(via, port, timeout=seconds), url
    tunnel = http.client.HTTPSConnection(via, port, timeout=seconds, context=ssl.create_default_context())
    tunnel.set_tunnel(host, parts.port or 443)
    return tunnel, target


def _proxies(scheme: str, host: str) -> Iterator[tuple[str, int]]:
    address = getproxies().get(scheme)
    if address and not proxy_bypass(host):
        parts = urlsplit(address if "//" in address else f"//{address}")
        if parts.hostname:
            yield parts.hostname, parts.port or 80

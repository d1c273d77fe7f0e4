"""Ask an address whether it answers; nothing more than verifying a deploy needs."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 1 << 20
"""Bytes that are read of an answer; what the gateway says of 100 services is a tenth of that."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``status`` 0 means that there was none, and ``text`` says why."""

    status: int
    text: str


def get(url: str, timeout: float, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask for an address, ``timeout`` in seconds. Addresses on this machine never go through a proxy."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    local = url.startswith(("http://127.0.0.1", "http://localhost"))
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310  (the scheme is checked above)
    try:
        with opener.open(request, timeout=timeout) as response:
            return Answer(response.status, response.read(LONGEST).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(LONGEST).decode("utf-8", "replace"))
    except OSError as error:
        return Answer(0, str(error))

"""Who may ask for what is this machine's own: its tools, and the console's page in a browser on it.

Keeps out pages of other origins, names that were made to point here (DNS rebinding) and what such a page embeds.
Sources: "Fetch Metadata Request Headers" (W3C), "Origin" (RFC 6454).
"""

from __future__ import annotations

from stackyard.local.gateway.message import Request

_OURS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_WITHIN = frozenset({b"", b"none", b"same-origin"})


def is_ours(request: Request, bound: str, *, page: bool = False) -> bool:
    """Return whether a request names this machine as its host and does not come from another origin.

    ``bound`` is the address that the gateway listens on. A ``page`` may be followed to from anywhere: a link shows
    it to the person who clicked, and to nobody else.
    """
    host = _text(request, b"host").lower()
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    if name not in _OURS and name != bound:
        return False
    origin = request.header(b"origin")
    if origin is not None and origin.decode("latin-1").lower() != f"http://{host}":
        return False
    if (request.header(b"sec-fetch-site") or b"") in _WITHIN:
        return True
    return page and _text(request, b"sec-fetch-mode") == "navigate" and _text(request, b"sec-fetch-dest") == "document"


def _text(request: Request, name: bytes) -> str:
    return (request.header(name) or b"").decode("latin-1")

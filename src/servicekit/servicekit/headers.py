"""What every answer tells browsers, unless it says so itself.

Owns the headers' values and to which answers each belongs. Knows nothing of CORS, whose headers depend on who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Scope

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
PAGES = {
    # Not default-src: /docs has its script from a CDN, and a service's own pages what they need.
    "content-security-policy": "base-uri 'self'; frame-ancestors 'none'; object-src 'none'",
    "cross-origin-opener-policy": "same-origin-allow-popups",
}
DATA = {"content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
SECURE = {"strict-transport-security": "max-age=31536000"}
"""Behind https only. Without includeSubDomains: the hosts below its own are not a service's to decide on."""
PRIVATE = {"cache-control": "no-store"}
"""For answers to requests with credentials: a cache on the way must not give them to anyone else."""

_Lines = tuple[tuple[bytes, bytes], ...]


class SecurityHeaders:
    """The headers of one service, encoded once."""

    def __init__(self, changed: Mapping[str, str | None] | None = None) -> None:
        """Take the service's own values by names in any case; None leaves a header out."""
        own = {name.lower(): value for name, value in (changed or {}).items()}
        known = {name for group in (ALWAYS, PAGES, DATA, SECURE, PRIVATE) for name in group}
        extra = {name: value for name, value in own.items() if name not in known}

        def lines(*groups: Mapping[str, str | None]) -> _Lines:
            found = [(n, own.get(n, v)) for group in groups for n, v in group.items()]
            return tuple((name.encode(), value.encode("latin-1")) for name, value in found if value is not None)

        self._plain = lines(ALWAYS, extra)
        self._page = lines(ALWAYS, extra, PAGES)
        self._data = lines(ALWAYS, extra, DATA)
        self._secure, self._private = lines(SECURE), lines(PRIVATE)

    def missing(self, scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return what an answer with these headers lacks."""
        given = {name.lower(): value for name, value in headers}
        kind = given.get(b"content-type", b"")
        lines = self._page if kind.startswith(b"text/html") else self._data if b"json" in kind else self._plain
        if scope.get("scheme") == "https":
            lines += self._secure
        if self._private and any(name == b"authorization" for name, _ in scope["headers"]):
            lines += self._private
        return [line for line in lines if line[0] not in given]

"""Which heads of requests are not believed, though a parser could read them: where a body ends must not be a guess.

Pure rules on top of the parser's own. Source: RFC 9112, sections 3.2 (targets, one valid Host), 6.1 (transfer codings,
none in HTTP/1.0) and 11.2 (request smuggling).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stackyard.local.gateway.message import Header

TELLING = frozenset({b"content-length", b"expect", b"host", b"transfer-encoding"})
"""Headers that say where the body ends, whom it is for, and whether it comes unasked."""

FRAMES = frozenset({b"content-length", b"transfer-encoding"})

_VERSIONS = frozenset({"1.0", "1.1"})
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")


def is_doubtful(method: bytes, target: bytes, version: str, told: Sequence[Header]) -> bool:
    """Return whether a head is refused; ``told`` are its `TELLING` headers, in their order."""
    hosts = [value for lower, _, value in told if lower == b"host"]
    if version not in _VERSIONS or len(hosts) > 1 or (not hosts and version == "1.1"):
        return True
    if hosts and _HOST.fullmatch(hosts[0].strip(b" \t")) is None:
        return True
    if method != b"CONNECT" and not _is_target(method, target):
        return True
    codings = [value for lower, _, value in told if lower == b"transfer-encoding"]
    if not codings:
        return False
    return version != "1.1" or [each.strip(b" \t").lower() for each in codings] != [b"chunked"]


def _is_target(method: bytes, target: bytes) -> bool:
    if b"#" in target:
        return False
    return target.startswith(b"/") or b"://" in target or (target == b"*" and method == b"OPTIONS")


def has_body(told: Sequence[Header]) -> bool:
    """Return whether a head announces a body, maybe an empty one."""
    return any(lower in FRAMES for lower, _, _ in told)


def head_alike(told: Sequence[Header]) -> bytes:
    """Return a head that announces the same body, and says nothing else."""
    lines = [b"%b: %b\r\n" % (name, value) for lower, name, value in told if lower in FRAMES]
    return b"POST / HTTP/1.1\r\n" + b"".join(lines) + b"\r\n"

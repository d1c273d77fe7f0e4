"""The keys of one issuer: found by discovery, kept, asked for again when they may have changed.

Owns when the issuer is asked: once for however many requests wait, and never more often than tokens with made-up key
ids could make it. Knows nothing of what is done with the keys.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from servicekit.fetching import FetchError, fetch_json
from servicekit.tokens import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable

FRESH = 3600
"""Seconds after which keys are asked for again: so long an issuer's withdrawn key is believed."""
KEPT = 6 * 3600
"""Seconds that keys are used for while the issuer does not answer."""
PAUSE = 30
"""Seconds between two questions at the least, whatever the answer to the first was."""
TIMEOUT = 3.0
"""Seconds for each of the two documents: discovery, keys."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_log = logging.getLogger("servicekit.auth")


class UnavailableError(Exception):
    """The issuer's keys are not to be had; ``retry`` is in how many seconds it is asked again."""

    def __init__(self, retry: int) -> None:
        super().__init__(f"the issuer is asked again in {retry} s")
        self.retry = retry


class Issuer:
    """Where one issuer's keys come from."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time, timeout: float = TIMEOUT) -> None:
        """Take the issuer's address, as its tokens have it in ``iss``, and the seconds that each document may take.

        The clock is the wall's: Lambda stops a process between requests, and its own clock may stand still with it.
        """
        self._url, self._clock, self._timeout = url, clock, timeout
        self._keys: KeySet | None = None
        self._read = self._asked = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def keys(self, kid: str | None) -> KeySet:
        """Return the issuer's keys, asked for anew when they are old or have none of that id.

        Raises UnavailableError.
        """
        if self._keys is None or not self._is_within(self._read, FRESH) or not self._keys.find(kid):
            await self._ask()
        if self._keys is None or not self._is_within(self._read, KEPT):
            raise UnavailableError(max(1, min(PAUSE, round(self._asked + PAUSE - self._clock()))))
        return self._keys

    def _is_within(self, moment: float, seconds: float) -> bool:
        # A clock that was set back makes everything old, not young for ever.
        return 0 <= self._clock() - moment < seconds

    async def _ask(self) -> None:
        running = self._asking
        if running is None or running.done() or running.get_loop() is not asyncio.get_running_loop():
            if self._is_within(self._asked, PAUSE):
                return
            self._asked = self._clock()
            self._asking = running = asyncio.create_task(self._fetch())
        # Who asked first may go away: the others wait for the same answer.
        await asyncio.shield(running)

    async def _fetch(self) -> None:
        try:
            self._keys = await asyncio.to_thread(fetch_keys, self._url, self._timeout)
            self._read = self._clock()
        except FetchError as error:
            _log.error("the keys of the issuer %s could not be had: %s", self._url, error)


def fetch_keys(url: str, timeout: float) -> KeySet:
    """Ask an issuer for its keys: where discovery says, or at ``.well-known/jwks.json`` where it says nothing.

    Blocks, for twice ``timeout`` seconds at the most. Raises FetchError.
    """
    base = url.rstrip("/")
    address = f"{base}/.well-known/openid-configuration"
    try:
        document = fetch_json(address, timeout)
    except FetchError as error:
        if error.status != 404:
            raise FetchError(f"{address} {error}") from None
        keys = f"{base}/.well-known/jwks.json"
    else:
        keys = _discovered(url, address, document)
    try:
        return KeySet(fetch_json(keys, timeout))
    except (FetchError, ValueError) as error:
        raise FetchError(f"{keys} {error}") from None


def _discovered(url: str, address: str, document: object) -> str:
    """Return where the keys are, if the document is this issuer's (OpenID Connect Discovery 1.0, 4.3)."""
    said = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    if said.get("issuer") != url:
        raise FetchError(f"{address} is of another issuer than {url}")
    keys = said.get("jwks_uri")
    if not isinstance(keys, str) or not is_safe(keys, loopback=url.startswith("http://")):
        raise FetchError(f"{address} has no jwks_uri that is https")
    return keys


def is_safe(url: str, *, loopback: bool) -> bool:
    """Tell whether an address is https, or (where ``loopback`` is allowed) http on this very machine."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or not port_is_fine:
        return False
    return parts.scheme == "https" or (loopback and parts.scheme == "http" and parts.hostname in LOOPBACK)

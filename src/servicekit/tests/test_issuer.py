"""When an issuer is asked for its keys, and what a service does while it does not answer as it should."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from servicekit.fetching import LARGEST, FetchError, fetch_json
from servicekit.issuer import FRESH, KEPT, PAUSE, Issuer, UnavailableError, fetch_keys, is_safe
from servicekit.issuing import DISCOVERY, KEYS, LocalIssuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servicekit.issuing import Answer

JSON = {"Content-Type": "application/json"}


class Clock:
    """A clock that is set by hand; seconds."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def local() -> Iterator[LocalIssuer]:
    with LocalIssuer() as running:
        yield running


def keys_of(issuer: Issuer, kid: str | None) -> list[Any]:
    """Ask for a key in an event loop of its own, as one request of a function is served."""
    return asyncio.run(issuer.keys(kid)).find(kid)


def answering(body: object, status: int = 200, **headers: str) -> Callable[[], Answer]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda: (status, {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}, raw)


def test_requests_that_come_together_ask_once(local: LocalIssuer) -> None:
    """However many wait for the first answer, discovery and keys are read once."""

    async def all_at_once() -> None:
        issuer = Issuer(local.url)
        found = await asyncio.gather(*(issuer.keys(local.kid) for _ in range(50)))
        assert all(len(keys.find(local.kid)) == 1 for keys in found)

    asyncio.run(all_at_once())
    assert local.asked == [DISCOVERY, KEYS]


def test_who_goes_away_does_not_take_the_answer_with_him(local: LocalIssuer) -> None:
    """The client of the request that asked first hung up: the others get what it asked for."""

    async def one_leaves() -> None:
        issuer = Issuer(local.url)
        first, second = (asyncio.create_task(issuer.keys(local.kid)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert len((await second).find(local.kid)) == 1

    asyncio.run(one_leaves())
    assert local.asked == [DISCOVERY, KEYS]


def test_keys_are_kept(local: LocalIssuer) -> None:
    """Later requests, in other event loops too, ask nobody, for as long as the keys are fresh."""
    clock = Clock()
    issuer = Issuer(local.url, clock=clock)
    for _ in range(5):
        clock.now += FRESH / 6
        assert keys_of(issuer, local.kid)
    assert len(local.asked) == 2


def test_a_new_key_is_found_and_a_withdrawn_one_forgotten(local: LocalIssuer) -> None:
    """A token with a new key's id has the keys read again; without the old key among them that is worth nothing."""
    clock = Clock()
    issuer = Issuer(local.url, clock=clock)
    old = local.kid
    assert keys_of(issuer, old)
    clock.now += PAUSE
    new = local.rotate(keep=False)
    assert keys_of(issuer, old)
    assert keys_of(issuer, new)
    assert not keys_of(issuer, old)


def test_a_withdrawn_key_is_believed_for_an_hour(local: LocalIssuer) -> None:
    """Even if no token with another id comes."""
    clock = Clock()
    issuer = Issuer(local.url, clock=clock)
    old = local.kid
    assert keys_of(issuer, old)
    local.rotate(keep=False)
    clock.now += FRESH - 1
    assert keys_of(issuer, old)
    clock.now += 1
    assert not keys_of(issuer, old)


def test_made_up_ids_have_the_issuer_asked_once_in_a_while(local: LocalIssuer) -> None:
    """Two documents per pause, whatever comes."""
    clock = Clock()
    issuer = Issuer(local.url, clock=clock)
    for number in range(100):
        assert not keys_of(issuer, f"made-up-{number}")
    assert len(local.asked) == 2
    clock.now += PAUSE
    assert not keys_of(issuer, "another")
    assert len(local.asked) == 4


def test_an_issuer_that_fails_is_done_without(local: LocalIssuer) -> None:
    """Keys that are there serve on for hours, asked for again at each pause; then nobody gets in."""
    clock = Clock()
    issuer = Issuer(local.url, clock=clock)
    assert keys_of(issuer, local.kid)
    local.misbehave(DISCOVERY, answering({}, 500))
    clock.now += FRESH
    for _ in range(5):
        assert keys_of(issuer, local.kid)
    assert local.asked.count(DISCOVERY) == 2
    clock.now += KEPT - FRESH
    with pytest.raises(UnavailableError) as caught:
        keys_of(issuer, local.kid)
    assert 1 <= caught.value.retry <= PAUSE
    local.misbehave(DISCOVERY, None)
    clock.now += PAUSE
    assert keys_of(issuer, local.kid)


def test_a_clock_that_is_set_back_makes_nothing_young(local: LocalIssuer) -> None:
    """Keys from the future are read again."""
    clock = Clock()
    issuer = Issuer(local.url, clock=clock)
    assert keys_of(issuer, local.kid)
    clock.now -= 3 * KEPT
    assert keys_of(issuer, local.kid)
    assert local.asked.count(KEYS) == 2


def test_without_discovery_the_keys_are_where_they_usually_are(local: LocalIssuer) -> None:
    """At `.well-known/jwks.json`."""
    local.misbehave(DISCOVERY, answering({}, 404))
    assert keys_of(Issuer(local.url), local.kid)


def test_the_slash_at_an_issuers_end_counts(local: LocalIssuer) -> None:
    """Auth0's have one: it is part of the name, and not doubled in addresses."""
    address = {"issuer": f"{local.url}/", "jwks_uri": local.url + KEYS}
    local.misbehave(DISCOVERY, answering(address))
    assert keys_of(Issuer(f"{local.url}/"), local.kid)
    with pytest.raises(FetchError, match="is of another issuer than"):
        fetch_keys(local.url, 1)


WRONG: dict[str, tuple[str, Callable[[str], Callable[[], Answer]], str]] = {
    "a page": (DISCOVERY, lambda _: answering(b"<html>sign in</html>", Content_Type="text/html"), "is not JSON"),
    "a page instead of keys": (KEYS, lambda _: answering(b"<html>"), "is not JSON"),
    "an error": (DISCOVERY, lambda _: answering({}, 500), "was answered with HTTP 500"),
    "no keys": (KEYS, lambda _: answering({"error": "no"}), "is no JSON Web Key Set"),
    "a list": (DISCOVERY, lambda _: answering([1]), "is of another issuer"),
    "another issuer": (DISCOVERY, lambda _: answering({"issuer": "https://evil.example.com"}), "is of another issuer"),
    "keys nowhere": (DISCOVERY, lambda url: answering({"issuer": url}), "has no jwks_uri"),
    "keys in a file": (
        DISCOVERY,
        lambda url: answering({"issuer": url, "jwks_uri": "file:///etc/passwd"}),
        "has no jwks_uri that is https",
    ),
    "keys in the clear": (
        DISCOVERY,
        lambda url: answering({"issuer": url, "jwks_uri": "http://evil.example.com/keys"}),
        "has no jwks_uri that is https",
    ),
    "without a bottom": (KEYS, lambda _: answering(b"[" * 100_000), "is not JSON"),
    "too large": (KEYS, lambda _: answering(b" " * (LARGEST + 1)), f"is larger than {LARGEST} bytes"),
}


@pytest.mark.parametrize(("path", "answer", "words"), WRONG.values(), ids=WRONG)
def test_what_an_issuer_must_not_answer(
    local: LocalIssuer, path: str, answer: Callable[[str], Callable[[], Answer]], words: str
) -> None:
    """The log names the address and what was wrong with it; nobody gets in."""
    local.misbehave(path, answer(local.url))
    with pytest.raises(FetchError, match=words) as caught:
        fetch_keys(local.url, 2)
    assert str(caught.value).startswith(f"{local.url}{path} ")
    with pytest.raises(UnavailableError):
        keys_of(Issuer(local.url), local.kid)


def test_nobody_is_followed_elsewhere(local: LocalIssuer) -> None:
    """A redirect is no answer, to whatever host."""
    with LocalIssuer() as elsewhere:
        for path in (DISCOVERY, KEYS):
            local.misbehave(path, answering({}, 302, Location=elsewhere.url + path))
            with pytest.raises(FetchError, match="was answered with HTTP 302"):
                fetch_keys(local.url, 1)
            local.misbehave(path, None)
        assert elsewhere.asked == []


def test_ten_thousand_keys_are_too_many_and_a_thousand_are_not(local: LocalIssuer) -> None:
    """Reading a thousand costs little, because only the key that is asked for is built."""
    (key,) = local.published
    local.published = [{**key, "kid": f"key-{number}"} for number in range(1000)]
    begun = time.process_time()
    assert len(keys_of(Issuer(local.url), "key-999")) == 1
    assert time.process_time() - begun < 0.5
    local.published = [{**key, "kid": f"key-{number}"} for number in range(10_000)]
    with pytest.raises(UnavailableError):
        keys_of(Issuer(local.url), "key-999")


def test_a_slow_issuer_holds_up_nobody_else(local: LocalIssuer) -> None:
    """While it is waited for, the event loop goes on; and it is waited for so long and no longer."""

    def slowly() -> Answer:
        time.sleep(1)
        return 200, JSON, b"{}"

    local.misbehave(DISCOVERY, slowly)

    async def wait() -> int:
        waiting = asyncio.create_task(Issuer(local.url, timeout=0.3).keys(local.kid))
        turns = 0
        while not waiting.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(UnavailableError):
            await waiting
        return turns

    begun = time.monotonic()
    turns = asyncio.run(wait())
    assert time.monotonic() - begun < 1
    assert turns > 5


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_issuer_that_drips_is_cut_off(start: bytes) -> None:
    """Each byte comes in time, all of them would take for ever: the seconds are for the whole answer."""
    listening = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            try:
                connection.sendall(start)
                while not stopped.wait(0.02):
                    connection.sendall(b"x")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    begun = time.monotonic()
    with listening, pytest.raises(FetchError, match=r"did not answer within 0\.3 s"):
        fetch_json(f"http://127.0.0.1:{listening.getsockname()[1]}/", 0.3)
    stopped.set()
    thread.join(5)
    assert time.monotonic() - begun < 2


def test_nobody_there_is_said_as_that(local: LocalIssuer) -> None:
    """A port that nobody listens on."""
    with LocalIssuer() as gone:
        url = gone.url
    with pytest.raises(FetchError, match="could not be asked: ConnectionRefusedError"):
        fetch_json(url, 1)


def test_a_proxy_that_the_environment_names_is_used(local: LocalIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing leads out but a proxy; what NO_PROXY names is asked straight."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", local.url)
    local.misbehave("http://id.example.com/keys?a=b", answering({"from": "proxy"}))
    assert fetch_json("http://id.example.com/keys?a=b", 1) == {"from": "proxy"}
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert fetch_json(local.url + KEYS, 1) == {"keys": local.published}


@pytest.mark.parametrize(
    ("url", "loopback", "safe"),
    [
        ("https://id.example.com/a", False, True),
        ("http://127.0.0.1:9000", True, True),
        ("http://[::1]:9000", True, True),
        ("http://127.0.0.1:9000", False, False),
        ("http://127.0.0.1.evil.example.com", True, False),
        ("http://127.0.0.1@evil.example.com", True, False),
        ("https://user:password@id.example.com", False, False),
        ("https://", False, False),
        ("https://id.example.com:99999", False, False),
        ("ftp://127.0.0.1", True, False),
        ("file:///etc/passwd", True, False),
    ],
)
def test_which_addresses_are_asked(url: str, loopback: bool, safe: bool) -> None:
    """Https; on a laptop this very machine, too, and nothing that only looks like it."""
    assert is_safe(url, loopback=loopback) is safe

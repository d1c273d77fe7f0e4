"""A real issuer of tokens on loopback, for tests and laptops: discovery, keys, tokens, and ways to misbehave.

``python -m servicekit.issuing --audience shop`` runs one and prints a token. Owns keys that it makes when it starts,
and nothing that a service would trust by itself. Nothing of servicekit imports it but `servicekit.testing`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DISCOVERY, KEYS = "/.well-known/openid-configuration", "/.well-known/jwks.json"

Answer = tuple[int, "Mapping[str, str]", bytes]
"""Status, headers, body."""


class LocalIssuer:
    """An issuer of tokens on this machine. Use it in a ``with`` block; needs ``servicekit[jwt]``.

    ``variable(…)`` is what SERVICE_AUTH must be for a service to trust it, ``token(…)`` makes a token.
    """

    def __init__(self, audience: str = "test", algorithm: str = "ES256", port: int = 0) -> None:
        """Make the first key, for one of RS256, ES256, ES384 or EdDSA. Any free port will do without one."""
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.audience, self._number = audience, 0
        self._signing: dict[str, tuple[str, Any]] = {}
        self.published: list[dict[str, Any]] = []
        """The key set, as JSON Web Keys; change it as you like."""
        self._server.answer = self._answer
        self.kid = self.rotate(algorithm)

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for, in order."""
        return list(self._server.asked)

    def variable(self, *scopes: str) -> str:
        """Return what SERVICE_AUTH must be; every request needs ``scopes`` then."""
        jwt = {"issuer": self.url, "audience": [self.audience], "scopes": list(scopes)}
        return json.dumps({"jwt": jwt})

    def rotate(self, algorithm: str = "ES256", *, keep: bool = True, kid: str | None = None) -> str:
        """Sign with a new key from now on and return its id; the old ones stay published if they are to be kept."""
        key, public = _make_key(algorithm)
        self._number += 1
        self.kid = kid or f"key-{self._number}"
        self._signing[self.kid] = (algorithm, key)
        kept = self.published if keep else []
        self.published = [*kept, {**public, "kid": self.kid, "use": "sig", "alg": algorithm}]
        return self.kid

    def private_key(self, kid: str | None = None) -> Any:
        """Return a private key, the latest one by default."""
        return self._signing[kid or self.kid][1]

    def token(
        self, *scopes: str, kid: str | None = None, header: Mapping[str, Any] | None = None, **claims: object
    ) -> str:
        """Return a token that is good for five minutes.

        Args:
            scopes: What it allows, as ``scope``.
            kid: Id of the key that signs it.
            header: Further members of its header; None leaves one out.
            claims: Claims beside or instead of the usual ones; None leaves one out.

        """
        import jwt  # noqa: PLC0415  servicekit.testing has more than this

        now = int(time.time())
        usual: dict[str, object] = {
            "iss": self.url,
            "sub": "somebody",
            "aud": self.audience,
            "iat": now,
            "exp": now + 300,
            "scope": " ".join(scopes),
        }
        payload = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        algorithm, key = self._signing[kid or self.kid]
        # PyJWT adds a type where none is named, and takes a type of None for none.
        members = {"kid": kid or self.kid, **(header or {})}
        return jwt.encode(payload, key, algorithm, {n: v for n, v in members.items() if v is not None or n == "typ"})

    def misbehave(self, path: str, answer: Callable[[], Answer] | None) -> None:
        """Have a path answered by a function from now on; None goes back to how it was."""
        if answer is None:
            self._server.instead.pop(path, None)
        else:
            self._server.instead[path] = answer

    def _answer(self, path: str) -> Answer:
        json_type = {"Content-Type": "application/json"}
        if path == DISCOVERY:
            return 200, json_type, json.dumps({"issuer": self.url, "jwks_uri": self.url + KEYS}).encode()
        if path == KEYS:
            return 200, json_type, json.dumps({"keys": self.published}).encode()
        return 404, json_type, b"{}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _make_key(algorithm: str) -> tuple[Any, dict[str, Any]]:
    """Return a private key, and the public one as a JSON Web Key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415  see `LocalIssuer.token`
    from jwt.algorithms import get_default_algorithms  # noqa: PLC0415  see `LocalIssuer.token`

    key: Any
    if algorithm.startswith(("RS", "PS")):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    elif algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = ec.generate_private_key({"ES256": ec.SECP256R1, "ES384": ec.SECP384R1}[algorithm]())
    to_jwk: Any = get_default_algorithms()[algorithm].to_jwk
    return key, {n: v for n, v in json.loads(to_jwk(key.public_key())).items() if n != "key_ops"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.asked: list[str] = []
        self.instead: dict[str, Callable[[], Answer]] = {}
        self.answer: Callable[[str], Answer] = lambda _path: (404, {}, b"")


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  # how http.server means it

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        instead = self.server.instead.get(self.path)
        status, headers, body = instead() if instead else self.server.answer(self.path)
        try:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            return  # who asked has gone: that is what a slow answer is for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Say nothing."""


def main(arguments: list[str] | None = None) -> None:
    """Run an issuer until it is interrupted. Its keys, and so its tokens, are worth nothing to the next one."""
    parser = argparse.ArgumentParser(prog="python -m servicekit.issuing", description=main.__doc__)
    parser.add_argument("--port", type=int, default=9000, help="port on 127.0.0.1 (9000)")
    parser.add_argument("--audience", default="test", help="whom the tokens are for (test)")
    parser.add_argument("--subject", default="somebody", help="who has them (somebody)")
    parser.add_argument("--hours", type=float, default=12, help="how long they are good (12)")
    parser.add_argument("scopes", nargs="*", help="what they allow")
    asked = parser.parse_args(arguments)
    with LocalIssuer(asked.audience, port=asked.port) as issuer:
        token = issuer.token(*asked.scopes, sub=asked.subject, exp=int(time.time() + asked.hours * 3600))
        sys.stderr.write(f"issuer {issuer.url}, until Ctrl-C; a token for {asked.audience}:\n")
        sys.stdout.write(f"{token}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()

"""Whether a token is good: pure decisions over a token, a set of keys and what the service asks of both.

Owns which algorithms there are, and that a key has one of them, whatever the token says. PyJWT does the cryptography
and the claims. Fetches nothing: where keys come from is `servicekit.issuer`'s.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import jwt

from servicekit.claims import Claims

if TYPE_CHECKING:
    from collections.abc import Mapping

    from servicekit.claims import Rules

LEEWAY = 60
"""Seconds that two clocks may differ by."""

LONGEST = 10_240
"""Characters of a token: the header lines of a request have no more together (Amazon API Gateway quotas)."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# RFC 8725, 3.11: what is signed for another purpose (a logout, an event) is no access token. RFC 9068: "at+jwt".
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
_RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_ALGORITHMS = _RSA | set(_CURVES.values())
_PUBLIC = ("kty", "n", "e", "crv", "x", "y")
_SAME_KID = 4  # keys of one name that are tried


class TokenError(Exception):
    """Why a token is not good. For the log: callers are told no more than that."""


class KeySet:
    """The public keys of an issuer, by their ids; built into keys when they are first asked for."""

    def __init__(self, document: object) -> None:
        """Read a JSON Web Key Set (RFC 7517). Raises ValueError when it is none."""
        keys = cast("dict[str, object]", document).get("keys") if isinstance(document, dict) else None
        if not isinstance(keys, list):
            raise ValueError("is no JSON Web Key Set")
        self._found: dict[str | None, list[tuple[str, dict[str, Any]]]] = {}
        self._built: dict[str | None, list[tuple[str, jwt.PyJWK]]] = {}
        self._count = 0
        for key in cast("list[object]", keys):
            if isinstance(key, dict):
                self._add(cast("dict[str, Any]", key))

    def _add(self, key: dict[str, Any]) -> None:
        algorithm, kid = algorithm_of(key), key.get("kid")
        if algorithm is not None and (kid is None or isinstance(kid, str)):
            self._count += 1
            self._found.setdefault(kid, []).append((algorithm, key))

    def __len__(self) -> int:
        return self._count

    def find(self, kid: str | None) -> list[tuple[str, jwt.PyJWK]]:
        """Return the keys of that id, each with its algorithm. Without an id, the key if there is but one."""
        if kid is None:
            if self._count != 1:
                return []
            (kid,) = self._found
        if kid not in self._built and kid in self._found:
            self._built[kid] = [each for each in map(_build, self._found[kid][:_SAME_KID]) if each]
        return self._built.get(kid, [])


def algorithm_of(key: Mapping[str, Any]) -> str | None:
    """Return the one algorithm that a JSON Web Key is for; None for keys that sign nothing, and for secret ones."""
    operations: object = key.get("key_ops", ["verify"])
    if key.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    named = key.get("alg")
    if key.get("kty") == "RSA":
        # Entra's keys do not say: RS256 is what a JWT is signed with then (OpenID Connect Discovery, 3).
        named = "RS256" if named is None else str(named)
        return named if named in _RSA else None
    if key.get("kty") not in ("EC", "OKP"):
        return None
    follows = _CURVES.get(str(key.get("crv")))
    return follows if named in (None, follows) else None


def _build(found: tuple[str, dict[str, Any]]) -> tuple[str, jwt.PyJWK] | None:
    algorithm, key = found
    try:
        # Only what is public of it: a private key that someone published by mistake is not one here.
        return algorithm, jwt.PyJWK({name: key[name] for name in _PUBLIC if name in key}, algorithm)
    except Exception:  # noqa: BLE001  one key that cannot be read must not take the others with it
        return None


def read_kid(token: str) -> str | None:
    """Return the id of the key that a token says it is signed with, after all that its header alone can show.

    Raises TokenError.
    """
    if len(token) > LONGEST:
        raise TokenError(f"longer than {LONGEST} characters")
    if not _COMPACT.fullmatch(token):
        raise TokenError("not of the form of a signed token")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise TokenError(f"unreadable: {type(error).__name__}") from None
    algorithm: object = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise TokenError("an algorithm that is not taken")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenError("a type that is not taken")
    if "crit" in header or "b64" in header:
        raise TokenError("extensions that are not known")
    return cast("str | None", header.get("kid"))


def verify(token: str, keys: KeySet, rules: Rules) -> Claims:
    """Return what a token says, if one of the issuer's keys signed it and it says what the rules ask for.

    Scopes are left to the caller: a good token with too few of them is answered otherwise. Raises TokenError.
    """
    candidates = keys.find(read_kid(token))
    reason = "no such key"
    for algorithm, key in candidates:
        try:
            return _verify(token, algorithm, key, rules)
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
            reason = type(error).__name__
        except jwt.PyJWTError as error:
            raise TokenError(type(error).__name__) from None
    raise TokenError(reason)


def _verify(token: str, algorithm: str, key: jwt.PyJWK, rules: Rules) -> Claims:
    raw: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        issuer=rules.issuer,
        leeway=LEEWAY,
        options={"require": ["exp", "iss"], "verify_aud": False, "enforce_minimum_key_length": True},
    )
    if not _is_meant(raw, rules.audience):
        raise TokenError("for another audience")
    subject: object = raw.get("sub")
    return Claims(rules.issuer, subject if isinstance(subject, str) else None, _scopes(raw), raw)


def _is_meant(raw: Mapping[str, Any], wanted: tuple[str, ...]) -> bool:
    """Tell whether a token is for this service, and no ID token.

    Cognito's access tokens have no ``aud`` but a ``client_id``, which API Gateway's own authorizer takes in its place,
    too ("Control access to HTTP APIs with JWT authorizers"). Its ID tokens have ``aud``; ``token_use`` tells them.
    """
    if raw.get("token_use", "access") != "access":
        return False
    audience: object = raw.get("aud", raw.get("client_id"))
    found = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    return any(isinstance(each, str) and each in wanted for each in found)


def _scopes(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return a token's scopes: ``scope`` (RFC 8693; Auth0, Cognito), or ``scp`` (Entra as text, Okta as a list)."""
    for claim in ("scope", "scp"):
        value: object = raw.get(claim)
        if isinstance(value, str):
            return frozenset(value.split())
        if isinstance(value, list):
            return frozenset(each for each in cast("list[object]", value) if isinstance(each, str))
    return frozenset()

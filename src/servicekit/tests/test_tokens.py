"""Tokens that must not be taken, sent to a service that asks a real issuer; and those that must."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from servicekit.testing import LocalIssuer
from servicekit.tokens import KeySet, algorithm_of

from servicekit import Settings, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[[str], httpx.Response]
    Forge = Callable[[LocalIssuer], str]


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer("shop") as running:
        running.rotate("RS256", kid="rsa")
        running.rotate("ES256", kid="ec")
        yield running


@pytest.fixture(scope="module")
def ask(issuer: LocalIssuer) -> Ask:
    """Return a function that sends a token to a service of that issuer's."""
    return asking(issuer)


def asking(issuer: LocalIssuer) -> Ask:
    app = create_app(Settings(service_name="shop", service_auth=issuer.variable()))

    @app.get("/")
    async def index() -> str:
        return "in"

    async def get(token: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get("/", headers={"Authorization": f"Bearer {token}"})

    return lambda token: asyncio.run(get(token))


def packed(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def with_header(issuer: LocalIssuer, signature: str = "AAAA", **header: object) -> str:
    """Put another header before a good token's payload, with whatever signature."""
    return f"{packed({'typ': 'JWT', **header})}.{issuer.token().split('.')[1]}.{signature}"


def signed(issuer: LocalIssuer, payload: bytes, **header: object) -> str:
    """Have the issuer sign any bytes."""
    return jwt.PyJWS().encode(payload, issuer.private_key("ec"), "ES256", {"kid": "ec", **header})


def public_pem(issuer: LocalIssuer, kid: str) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return issuer.private_key(kid).public_key().public_bytes(serialization.Encoding.PEM, form)


def hmac_signed(key: bytes, issuer: LocalIssuer, kid: str) -> str:
    """Sign with a key's public form as if it were a shared secret; PyJWT itself would refuse to."""
    signing = f"{packed({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{issuer.token().split('.')[1]}"
    return f"{signing}.{packed(hmac.new(key, signing.encode(), hashlib.sha256).digest())}"


def stranger(issuer: LocalIssuer, **header: object) -> str:
    """A token that says all the right things, signed with a key that the issuer does not know."""
    payload = jwt.decode(issuer.token(), options={"verify_signature": False})
    members = {name: value for name, value in {"kid": "ec", **header}.items() if value is not None}
    return jwt.encode(payload, ec.generate_private_key(ec.SECP256R1()), "ES256", members)


def tampered(issuer: LocalIssuer) -> str:
    head, payload, signature = issuer.token("read", kid="rsa").split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{head}.{packed({**said, 'sub': 'admin'})}.{signature}"


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


EVIL = "https://evil.example.com/keys.json"
RIGHT: dict[str, Forge] = {
    "ES256": lambda i: i.token(kid="ec"),
    "RS256": lambda i: i.token(kid="rsa"),
    "audience among others": lambda i: i.token(aud=["other", "shop"]),
    "client_id where there is no aud": lambda i: i.token(aud=None, client_id="shop", token_use="access"),
    "expired within the leeway": lambda i: i.token(exp=time.time() - 30),
    "not yet valid within the leeway": lambda i: i.token(nbf=time.time() + 30, iat=time.time() + 30),
    "type of RFC 9068": lambda i: i.token(header={"typ": "at+jwt"}),
    "no type": lambda i: i.token(header={"typ": None}),
    "addresses of keys, which nobody follows": lambda i: i.token(header={"jku": EVIL, "x5u": EVIL}),
    "no subject": lambda i: i.token(sub=None),
}
WRONG: dict[str, Forge] = {
    "alg none": lambda i: with_header(i, "AAAA", alg="none", kid="ec"),
    "alg none without a signature": lambda i: with_header(i, "", alg="none", kid="ec"),
    "alg None": lambda i: with_header(i, "AAAA", alg="None", kid="ec"),
    "no alg": lambda i: with_header(i, "AAAA", kid="ec"),
    "alg a list": lambda i: with_header(i, "AAAA", alg=["ES256"], kid="ec"),
    "HS256 with the public key (RSA)": lambda i: hmac_signed(public_pem(i, "rsa"), i, "rsa"),
    "HS256 with the public key (EC)": lambda i: hmac_signed(public_pem(i, "ec"), i, "ec"),
    "HS256 with the published key": lambda i: hmac_signed(json.dumps(i.published[1]).encode(), i, "rsa"),
    "HS256 with nothing": lambda i: hmac_signed(b"", i, "ec"),
    "wrong key": stranger,
    "wrong key, its own along": lambda i: stranger(
        i, jwk=json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    ),
    "wrong key, at an address": lambda i: stranger(i, jku=i.url + "/evil", x5u=i.url + "/evil"),
    "another key's id": lambda i: jwt.encode({}, i.private_key("ec"), "ES256", {"kid": "rsa"}),
    "the key's other algorithm": lambda i: jwt.encode(
        jwt.decode(i.token(), options={"verify_signature": False}), i.private_key("rsa"), "PS256", {"kid": "rsa"}
    ),
    "tampered with": tampered,
    "signature cut": lambda i: i.token()[:-4],
    "signature empty": lambda i: i.token().rpartition(".")[0] + ".",
    "another audience": lambda i: i.token(aud="other"),
    "an audience that begins alike": lambda i: i.token(aud="shop.evil"),
    "no audience": lambda i: i.token(aud=None),
    "an empty audience beside client_id": lambda i: i.token(aud="", client_id="shop"),
    "no audience that is text": lambda i: i.token(aud=[{"shop": 1}, ["shop"]]),
    "an ID token of Cognito's": lambda i: i.token(token_use="id"),
    "another issuer": lambda i: i.token(iss="https://evil.example.com"),
    "an issuer with a slash more": lambda i: i.token(iss=i.url + "/"),
    "no issuer": lambda i: i.token(iss=None),
    "expired": lambda i: i.token(exp=time.time() - 90),
    "no end": lambda i: i.token(exp=None),
    "an end that is text": lambda i: i.token(exp="never"),
    "an end that is infinite": lambda i: i.token(exp=float("inf")),
    "an end that is no number": lambda i: i.token(exp=float("nan")),
    "not yet valid": lambda i: i.token(nbf=time.time() + 90),
    "made tomorrow": lambda i: i.token(iat=time.time() + 86400),
    "kid a path": lambda i: i.token(header={"kid": "../../../../etc/passwd"}),
    "kid an address": lambda i: i.token(header={"kid": EVIL}),
    "kid a query": lambda i: i.token(header={"kid": "ec' OR '1'='1"}),
    "kid a command": lambda i: i.token(header={"kid": "ec|id"}),
    "kid empty": lambda i: i.token(header={"kid": ""}),
    "kid a number": lambda i: with_header(i, alg="ES256", kid=1),
    "kid a list": lambda i: with_header(i, alg="ES256", kid=["ec"]),
    "kid with a zero byte": lambda i: i.token(header={"kid": "ec\0"}),
    "no kid, of several keys": lambda i: i.token(header={"kid": None}),
    "unknown extensions": lambda i: i.token(header={"crit": ["exp"]}),
    "extensions that are none": lambda i: i.token(header={"crit": []}),
    "payload not encoded": lambda i: with_header(i, alg="ES256", kid="ec", b64=False, crit=["b64"]),
    "a logout": lambda i: i.token(header={"typ": "logout+jwt"}),
    "a type that is no text": lambda i: with_header(i, alg="ES256", kid="ec", typ={"a": 1}),
    "a token in a token": lambda i: signed(i, i.token().encode(), cty="JWT"),
    "a payload that is a list": lambda i: signed(i, b"[1]"),
    "a payload that is no JSON": lambda i: signed(i, b"\xff{"),
    "a payload without a bottom": lambda i: signed(i, nested(3000)),
    "a header without a bottom": lambda i: f"{packed(nested(700))}.e30.AAAA",
    "encrypted": lambda _: ".".join([packed({"alg": "RSA-OAEP", "enc": "A256GCM"}), "AA", "AA", "AA", "AA"]),
    "huge": lambda i: i.token(more="x" * 10_240),
    "two parts": lambda i: i.token().rpartition(".")[0],
    "one part": lambda _: "x",
    "nothing": lambda _: "",
    "dots": lambda _: "..",
    "not base64": lambda i: i.token().replace(".", ".!", 1),
    "base64 of the other alphabet": lambda i: "+/" + i.token(),
    "padded": lambda i: i.token() + "=",
    "with a line break": lambda i: i.token().replace(".", ".%0a", 1),
    "a subject that is a number": lambda i: i.token(sub=7),
}


@pytest.mark.parametrize("forge", RIGHT.values(), ids=RIGHT)
def test_a_good_token_gets_in(issuer: LocalIssuer, ask: Ask, forge: Forge) -> None:
    """Whatever the issuer writes into it beside what counts."""
    assert ask(forge(issuer)).status_code == 200


@pytest.mark.parametrize("forge", WRONG.values(), ids=WRONG)
def test_a_bad_token_does_not(issuer: LocalIssuer, ask: Ask, forge: Forge) -> None:
    """All get the same answer, which does not say what was wrong; nothing but the issuer's two documents is read."""
    answer = ask(forge(issuer))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="shop", error="invalid_token"'
    assert answer.json()["detail"] == "The token is not valid."
    assert not [path for path in issuer.asked if ".well-known" not in path]


def test_the_issuer_is_asked_no_more_often_for_all_of_that(issuer: LocalIssuer, ask: Ask) -> None:
    """Made-up key ids do not make a service ask again and again."""
    assert ask(issuer.token()).status_code == 200
    before = len(issuer.asked)
    for number in range(50):
        assert ask(with_header(issuer, alg="ES256", kid=f"made-up-{number}")).status_code == 401
    assert len(issuer.asked) <= before + 2


def jwk(key: Any, **more: object) -> dict[str, Any]:
    """Return a published key."""
    to_jwk: Any = RSAAlgorithm.to_jwk if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm.to_jwk
    return {**json.loads(to_jwk(key.public_key())), "key_ops": ["verify"], **more}


def test_what_a_published_key_is_for() -> None:
    """One algorithm each, told by the key alone; secrets, keys for encryption and unknown curves are none."""
    assert algorithm_of({"kty": "RSA"}) == "RS256"
    assert algorithm_of({"kty": "RSA", "alg": "PS512", "use": "sig"}) == "PS512"
    assert algorithm_of({"kty": "EC", "crv": "P-384"}) == "ES384"
    assert algorithm_of({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA"}) == "EdDSA"
    none: list[dict[str, Any]] = [
        {"kty": "oct", "k": "AAAA"},
        {"kty": "oct", "k": "AAAA", "alg": "HS256"},
        {"kty": "RSA", "alg": "HS256"},
        {"kty": "RSA", "alg": "none"},
        {"kty": "RSA", "alg": ["RS256"]},
        {"kty": "RSA", "alg": "RSA-OAEP"},
        {"kty": "RSA", "use": "enc"},
        {"kty": "RSA", "key_ops": ["encrypt"]},
        {"kty": "RSA", "key_ops": 7},
        {"kty": "EC", "crv": "P-256", "alg": "ES384"},
        {"kty": "EC", "crv": "secp256k1"},
        {"kty": "EC", "crv": ["P-256"]},
        {},
    ]
    assert [algorithm_of(key) for key in none] == [None] * len(none)


@pytest.mark.parametrize("document", [None, [], "keys", {}, {"keys": {}}, {"keys": None}])
def test_what_is_no_key_set(document: object) -> None:
    """It is refused as a whole, not taken for an empty one."""
    with pytest.raises(ValueError, match="is no JSON Web Key Set"):
        KeySet(document)


def test_keys_that_cannot_be_used_do_not_take_others_with_them() -> None:
    """A broken key, a short one, one that is no object, a private one."""
    good = ec.generate_private_key(ec.SECP256R1())
    keys = KeySet(
        {
            "keys": [
                7,
                {"kty": "RSA", "kid": "broken", "n": "AQAB", "e": "!"},
                {"kty": "EC", "kid": "half", "crv": "P-256", "x": "AA"},
                jwk(good, kid=["a list"]),
                {**json.loads(ECAlgorithm.to_jwk(good)), "kid": "private", "key_ops": ["verify"]},
                jwk(good, kid="good"),
            ]
        }
    )
    assert keys.find("broken") == keys.find("half") == keys.find("a list") == []
    ((algorithm, key),) = keys.find("private")
    assert isinstance(key.key, ec.EllipticCurvePublicKey)
    assert algorithm == "ES256"
    assert len(keys.find("good")) == 1
    assert keys.find(None) == []


def test_a_short_key_is_not_taken() -> None:
    """1024 bits of RSA can be broken."""
    with LocalIssuer("shop") as issuer:
        weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  that is the point
        issuer.published = [jwk(weak, kid="weak")]
        payload = jwt.decode(issuer.token(), options={"verify_signature": False})
        with pytest.warns(jwt.InsecureKeyLengthWarning):
            token = jwt.encode(payload, weak, "RS256", {"kid": "weak"})
        assert asking(issuer)(token).status_code == 401


def test_two_keys_of_one_id_are_both_tried() -> None:
    """An issuer's carelessness does not lock its users out, and lets nobody else in."""
    with LocalIssuer("shop") as issuer:
        issuer.rotate(kid="same")
        old = issuer.token()
        issuer.rotate(kid="same")
        ask = asking(issuer)
        assert [ask(old).status_code, ask(issuer.token()).status_code] == [200, 200]
        assert ask(stranger(issuer, kid="same")).status_code == 401


def test_without_an_id_the_only_key_is_meant() -> None:
    """OpenID Connect Core 1.0, 10.1: an issuer with one key may leave it out."""
    with LocalIssuer("shop") as issuer:
        ask = asking(issuer)
        assert ask(issuer.token(header={"kid": None})).status_code == 200
        assert ask(stranger(issuer, kid=None)).status_code == 401


@pytest.mark.parametrize("algorithm", ["RS256", "ES384", "EdDSA"])
def test_each_kind_of_key(algorithm: str) -> None:
    """By the type that it is published with."""
    with LocalIssuer("shop", algorithm) as issuer:
        assert asking(issuer)(issuer.token()).status_code == 200

"""Who gets in, with which token, and what everyone else is told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from servicekit.auth import Claims, current_claims, require_scopes
from servicekit.issuing import DISCOVERY
from servicekit.testing import LocalIssuer, rest_event

from servicekit import Settings, SettingsError, adopt, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Message

CHALLENGE = 'Bearer realm="shop"'


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer("shop") as running:
        yield running


def add_routes(app: FastAPI) -> None:
    @app.get("/me")
    async def me(claims: Annotated[Claims, Depends(current_claims)]) -> dict[str, Any]:
        return {"subject": claims.subject, "scopes": sorted(claims.scopes), "plan": claims.raw.get("plan")}

    @app.post("/orders", dependencies=[require_scopes("orders:write")])
    def order() -> str:
        return "ordered"

    @app.get("/both")
    async def both(claims: Annotated[Claims, require_scopes("a", "b")]) -> str | None:
        return claims.subject

    @app.get("/open")
    async def open_to_all() -> str:
        return "open"

    @app.options("/me")
    async def options() -> str:
        return "options"


def make(auth: str, path: str = "/", **options: Any) -> FastAPI:
    settings = Settings(service_name="shop", service_environment="local", service_path=path, service_auth=auth)
    app = create_app(settings, **options)
    add_routes(app)
    return app


def ask(app: ASGIApp, path: str, token: str | None = None, method: str = "GET", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(
                method, path, headers={**({"Authorization": f"Bearer {token}"} if token else {}), **sent}
            )

    return asyncio.run(send())


def test_an_endpoint_sees_who_asks(issuer: LocalIssuer) -> None:
    """Subject, scopes and whatever else the token says."""
    answer = ask(make(issuer.variable()), "/me", issuer.token("a", "b", plan="gold"))
    assert answer.json() == {"subject": "somebody", "scopes": ["a", "b"], "plan": "gold"}


def test_without_a_token_nobody_gets_in(issuer: LocalIssuer) -> None:
    """RFC 6750, 3.1: no error code for who did not try; a problem as every other."""
    answer = ask(make(issuer.variable()), "/me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, CHALLENGE)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.pop("request_id") == answer.headers["x-request-id"]
    assert problem == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "A bearer token is needed.",
        "instance": "/me",
    }


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", "Basic dTpw", "Token {}", "Bearer{}", "Bearer {} {}", "Bearer {},Bearer {}", "{}", ""],
)
def test_what_is_no_bearer_token(issuer: LocalIssuer, value: str) -> None:
    """Another scheme, none, two in one."""
    answer = ask(make(issuer.variable()), "/me", Authorization=value.replace("{}", issuer.token()))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="invalid_token"'


def test_how_a_token_is_sent(issuer: LocalIssuer) -> None:
    """The scheme in any case; in the header only, and once only."""
    app, token = make(issuer.variable()), issuer.token()
    assert ask(app, "/me", Authorization=f"bearer {token}").status_code == 200
    assert ask(app, f"/me?access_token={token}").status_code == 401
    sent = [(b"authorization", f"Bearer {each}".encode()) for each in (token, token)]
    assert run(app, {"type": "http", "headers": sent})[0]["status"] == 401


def run(app: ASGIApp, more: dict[str, Any]) -> list[Message]:
    """Call an application as a server does and return what it sends."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect" if more["type"] == "websocket" else "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"method": "GET", "path": "/me", "root_path": "", "query_string": b"", "scheme": "http", **more}

    async def serve() -> None:
        await app(scope, receive, send)

    asyncio.run(serve())
    return sent


def test_scopes(issuer: LocalIssuer) -> None:
    """Those of the service and those of the endpoint, plain or async; the answer names what is needed (RFC 6750)."""
    app = make(issuer.variable("read"))
    assert ask(app, "/me", issuer.token("read")).status_code == 200
    assert ask(app, "/orders", issuer.token("read", "orders:write"), "POST").json() == "ordered"
    assert ask(app, "/both", issuer.token("read", "b", "a")).json() == "somebody"
    for path, method, token, needed in (
        ("/me", "GET", issuer.token("write"), "read"),
        ("/me", "GET", issuer.token("readx", "rea"), "read"),
        ("/nowhere", "GET", issuer.token(), "read"),
        ("/orders", "POST", issuer.token("read"), "orders:write read"),
        ("/both", "GET", issuer.token("read", "a"), "a b read"),
    ):
        answer = ask(app, path, token, method)
        assert answer.status_code == 403, path
        assert answer.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="{needed}"'
        assert answer.json()["detail"] == "The token lacks a scope."


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, ["a", "b"]),
        ({"scope": None, "scp": "a b"}, ["a", "b"]),
        ({"scope": None, "scp": ["a", "b c", 7]}, ["a", "b c"]),
        ({"scope": None}, []),
        ({"scope": {"a": 1}}, []),
        ({"scope": "a", "scp": "b"}, ["a"]),
    ],
)
def test_where_scopes_are_read(issuer: LocalIssuer, claims: dict[str, Any], scopes: list[str]) -> None:
    """`scope` as text (Auth0, Cognito), `scp` as text (Entra) or as a list (Okta)."""
    assert ask(make(issuer.variable()), "/me", issuer.token(**claims)).json()["scopes"] == scopes


@pytest.mark.parametrize("path", ["/", "/shop"])
def test_what_needs_no_token(issuer: LocalIssuer, path: str) -> None:
    """Health, the documentation, a browser's preflight: exactly these, wherever the service stands."""
    app, ahead = make(issuer.variable(), path), path.rstrip("/")
    for way in ("/health", "/liveness", "/readiness", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"):
        assert ask(app, ahead + way).status_code == 200, way
    preflight = {"Origin": "https://shop.example.com", "Access_Control_Request_Method": "GET"}
    assert ask(app, f"{ahead}/me", method="OPTIONS", **preflight).json() == "options"
    for way in ("/me", "/open", "/nowhere", "/docs/", "/DOCS", "/docs/x", "/health/", "/"):
        assert ask(app, ahead + way).status_code == 401, way
    for way in ("//health", "/x/../health", "/health\0", "/health;x", "/me/health", "/shop/health"):
        assert run(app, {"type": "http", "path": ahead + way, "headers": []})[0]["status"] == 401, way
    assert ask(app, f"{ahead}/me", method="OPTIONS").status_code == 401
    assert ask(app, f"{ahead}/me", method="GET", **preflight).status_code == 401


def test_a_service_says_what_else_is_public(issuer: LocalIssuer) -> None:
    """Other paths, and the documentation only if it is among them; claims are asked for there all the same."""
    app = make(issuer.variable("read"), public=["/open", "/me"])
    assert ask(app, "/open").json() == "open"
    assert ask(app, "/health").status_code == 200
    assert ask(app, "/docs").status_code == 401
    refused = ask(app, "/me")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, CHALLENGE)
    assert ask(app, "/me", issuer.token()).status_code == 403
    assert ask(app, "/me", issuer.token("read")).status_code == 200


def test_docs_have_a_way_to_authorize(issuer: LocalIssuer) -> None:
    """Every operation says in OpenAPI that it needs a token, and which scopes; public ones that they need none."""
    document = make(issuer.variable("read"), public=["/open", "/openapi.json"])
    told = ask(document, "/openapi.json").json()
    assert told["components"]["securitySchemes"]["jwt"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    assert told["security"] == [{"jwt": ["read"]}]
    assert told["paths"]["/orders"]["post"]["security"] == [{"jwt": ["orders:write"]}]
    assert told["paths"]["/open"]["get"]["security"] == []
    assert ask(document, "/openapi.json").json() == told


def test_an_issuer_that_is_away_lets_nobody_in(issuer: LocalIssuer) -> None:
    """503 with a time to come again, for whatever token; what is public works on."""
    app, token = make(issuer.variable()), issuer.token()
    issuer.misbehave(DISCOVERY, lambda: (500, {}, b""))
    answer = ask(app, "/me", token)
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert answer.json()["detail"] == "Tokens cannot be checked at the moment."
    assert issuer.url not in answer.text
    assert ask(app, "/health").status_code == 200
    assert ask(app, "/me").status_code == 401
    issuer.misbehave(DISCOVERY, None)


def test_a_key_that_changes_during_requests(issuer: LocalIssuer) -> None:
    """Tokens of the old key and of the new one, side by side: all get in."""
    with LocalIssuer("shop") as own:
        old = own.token()
        own.rotate()
        app = make(own.variable())

        async def all_of_them() -> list[int]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                tokens = [old, own.token()] * 20
                asked = (client.get("/me", headers={"Authorization": f"Bearer {token}"}) for token in tokens)
                return [answer.status_code for answer in await asyncio.gather(*asked)]

        assert set(asyncio.run(all_of_them())) == {200}
        assert len(own.asked) == 2


def test_an_adopted_application_is_guarded(issuer: LocalIssuer) -> None:
    """All of it, whatever it is made of; its documentation, too, unless it is named."""
    own = FastAPI()
    add_routes(own)
    app = adopt(own, Settings(service_name="shop", service_auth=issuer.variable()), logs=False, public=["/open"])
    assert ask(app, "/open").status_code == 200
    assert [ask(app, path).status_code for path in ("/me", "/docs", "/health")] == [401, 401, 200]
    assert ask(app, "/me", issuer.token()).status_code == 200


def test_a_function_is_guarded(
    issuer: LocalIssuer, invoke: Callable[[FastAPI, dict[str, Any]], httpx.Response]
) -> None:
    """The token is in the event's headers; the gateway changes the challenge's name on the way back."""
    app = make(issuer.variable(), "/shop")
    event = rest_event("/shop/me", service_path="/shop", headers=[("Authorization", f"Bearer {issuer.token()}")])
    assert invoke(app, event).json()["subject"] == "somebody"
    assert invoke(app, rest_event("/shop/me", service_path="/shop")).status_code == 401


def test_a_guarded_application_in_another(issuer: LocalIssuer) -> None:
    """Each asks for what it asks for: a token that is good for the outer one is not for the inner one."""
    with LocalIssuer("inner") as other:
        outer, inner = make(issuer.variable()), make(other.variable())
        outer.mount("/inner", inner)
        assert ask(outer, "/me", issuer.token()).status_code == 200
        assert ask(outer, "/inner/me", issuer.token()).status_code == 401
        assert ask(outer, "/inner/me", other.token()).status_code == 401
        assert ask(outer, "/inner/health").status_code == 401


def test_a_websocket_is_guarded(issuer: LocalIssuer) -> None:
    """Where uvicorn serves one: closed before the application hears of it."""
    app = make(issuer.variable())

    @app.websocket("/live")
    async def live(socket: Any) -> None:
        raise AssertionError("nobody may come here")

    assert run(app, {"type": "websocket", "path": "/live", "headers": []}) == [
        {"type": "websocket.close", "code": 1008}
    ]


def test_a_page_of_another_origin_can_read_the_refusal(issuer: LocalIssuer) -> None:
    """CORS is around the check, so that a browser shows a 401 as one, and a preflight needs no token."""
    cors: Any = json.dumps({"origins": ["https://shop.example.com"]})
    app = create_app(Settings(service_name="shop", service_auth=issuer.variable(), service_cors=cors))
    add_routes(app)
    refused = ask(app, "/me", Origin="https://shop.example.com")
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "https://shop.example.com"


def test_no_token_is_logged(issuer: LocalIssuer, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    """A refusal says why in the log, without a part of what was sent."""
    app = make(issuer.variable())
    for token in (issuer.token(), issuer.token()[:-4], issuer.token(aud="other")):
        ask(app, "/me", token)
        lines = log_lines()
        assert not any(part in json.dumps(lines) for part in token.split("."))
    assert [line["message"] for line in lines if line["logger"] == "servicekit.auth"] == [
        "a token was refused: for another audience"
    ]


def test_an_endpoint_that_asks_for_claims_is_never_open() -> None:
    """Without `auth` in service.yaml it fails, whoever asks."""
    app = create_app(Settings(service_name="shop"))
    add_routes(app)
    assert [ask(app, "/me").status_code, ask(app, "/open").status_code] == [500, 200]


def said(**jwt: Any) -> str:
    return json.dumps({"jwt": {"issuer": "https://id.example.com", "audience": ["shop"], **jwt}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "SERVICE_AUTH: is not JSON"),
        ("{}", "SERVICE_AUTH: jwt: Field required"),
        (said(audience=[]), "SERVICE_AUTH: jwt.audience: List should have at least 1 item"),
        (said(audience="shop"), "SERVICE_AUTH: jwt.audience: Input should be a valid list"),
        (said(more=1), "SERVICE_AUTH: jwt.more: Extra inputs are not permitted"),
        (said(issuer="http://127.0.0.1:1"), "SERVICE_AUTH: jwt.issuer: must be https, found 'http://127.0.0.1:1'"),
        (said(issuer="id.example.com"), "SERVICE_AUTH: jwt.issuer: must be https"),
    ],
)
def test_what_the_variable_must_not_say(text: str, words: str) -> None:
    """The start ends, and says why; an issuer that is not https is for a laptop."""
    with pytest.raises(SettingsError) as caught:
        create_app(Settings(service_environment="dev", service_auth=text))
    assert str(caught.value).startswith(words)


def python(program: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_a_service_without_auth_imports_none_of_it() -> None:
    """Neither PyJWT nor cryptography, nor what asks issuers: it is every cold start."""
    program = "import sys; from servicekit import create_app; create_app(); print(sorted(sys.modules))"
    loaded = python(program)
    for module in ("jwt", "cryptography", "servicekit.auth", "servicekit.issuer", "servicekit.tokens"):
        assert f"'{module}'" not in loaded
    assert "'jwt', " in python(program, SERVICE_AUTH=said())


def test_the_extra_that_is_missing_is_named() -> None:
    """A service that is told to check tokens, and cannot, does not start."""
    program = "import sys; sys.modules['jwt'] = None; from servicekit import create_app; create_app()"
    assert "SERVICE_AUTH: is set, and PyJWT is not installed; depend on servicekit[jwt]" in python(
        program, SERVICE_AUTH=said()
    )


def test_a_laptop_has_an_issuer() -> None:
    """`python -m servicekit.issuing` prints a token that a service of that issuer's takes."""
    with subprocess.Popen(
        [sys.executable, "-m", "servicekit.issuing", "--port", "0", "--audience", "shop", "--subject", "ann", "read"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        try:
            url = running.stderr.readline().split()[1].rstrip(",")
            app = make(json.dumps({"jwt": {"issuer": url, "audience": ["shop"]}}))
            answer = ask(app, "/me", running.stdout.readline().strip())
        finally:
            running.terminate()
    assert answer.json() == {"subject": "ann", "scopes": ["read"], "plan": None}

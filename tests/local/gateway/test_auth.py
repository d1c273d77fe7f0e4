"""Services that ask for a bearer token, behind the gateway, with an issuer on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from gateway_lab import Lab
from servicekit.testing import LocalIssuer

SERVICE = """
from typing import Annotated

from fastapi import Depends

from servicekit import create_app, handler as lambda_handler
from servicekit.auth import Claims, current_claims

app = create_app()


@app.get("/me")
async def me(claims: Annotated[Claims, Depends(current_claims)]) -> dict[str, str | None]:
    return {"subject": claims.subject}
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer("shop") as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, issuer: LocalIssuer) -> Iterator[Lab]:
    """A running gateway with the same service as a function and behind HTTP."""
    lab = Lab(tmp_path_factory.mktemp("guarded"))
    told = {"SERVICE_ENVIRONMENT": "local", "SERVICE_AUTH": issuer.variable("read")}
    near = {**told, "SERVICE_NAME": "near", "SERVICE_PATH": "/near"}
    lab.service("near", SERVICE + "\n\nhandler = lambda_handler(app)\n", environment=near)
    lab.server("far", SERVICE, environment={**told, "SERVICE_NAME": "far", "SERVICE_PATH": "/far"})
    lab.start()
    yield lab
    lab.stop()


def ask(lab: Lab, path: str, token: str | None = None) -> httpx.Response:
    return lab.client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})


@pytest.mark.parametrize("name", ["near", "far"])
def test_a_token_gets_through_the_gateway(guarded: Lab, issuer: LocalIssuer, name: str) -> None:
    """With the stage and without; health and documentation need none."""
    for prefix in ("", "/local"):
        assert ask(guarded, f"{prefix}/{name}/me", issuer.token("read")).json() == {"subject": "somebody"}
        for path in ("health", "docs", "openapi.json"):
            assert ask(guarded, f"{prefix}/{name}/{path}").status_code == 200


@pytest.mark.parametrize("name", ["near", "far"])
def test_a_refusal_gets_through_the_gateway(guarded: Lab, issuer: LocalIssuer, name: str) -> None:
    """401 and 403 as the service says them; the gateway gives the challenge another name, as API Gateway does."""
    challenge = f'Bearer realm="{name}"'
    for path, token, status, more in (
        ("me", None, 401, ""),
        ("none", None, 401, ""),
        ("", None, 401, ""),
        ("me", issuer.token("read", aud="other"), 401, ', error="invalid_token"'),
        ("me", issuer.token("write"), 403, ', error="insufficient_scope", scope="read"'),
    ):
        answer = ask(guarded, f"/{name}/{path}".rstrip("/"), token)
        assert answer.status_code == status
        assert answer.headers["x-amzn-remapped-www-authenticate"] == challenge + more
        assert answer.json()["status"] == status

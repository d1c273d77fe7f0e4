"""Who may ask: bearer tokens of one issuer, checked before a request reaches the application.

Owns what SERVICE_AUTH may say, which paths need no token, what callers are told when they are refused (RFC 6750), and
what an endpoint may ask of the token's claims. Imported by services with ``auth`` in their service.yaml, and by who
asks for claims; PyJWT only by the former.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from servicekit.claims import Claims, Rules
from servicekit.health import PROBES
from servicekit.problems import Problem
from servicekit.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from servicekit.issuer import Issuer

__all__ = ["Claims", "Guard", "RefusedError", "current_claims", "describe", "guard", "require_scopes"]

VARIABLE = "SERVICE_AUTH"

_CLAIMS, _GUARD = "servicekit.claims", "servicekit.guard"

_log = logging.getLogger("servicekit.auth")


class _Jwt(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    issuer: str
    audience: list[str] = Field(min_length=1)
    scopes: list[str] = Field(default_factory=list)


class _Auth(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    jwt: _Jwt


class RefusedError(Exception):
    """What a caller without the right token is answered."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


class Guard:
    """An ASGI application in front of another, which lets requests with a good token through."""

    def __init__(self, app: ASGIApp, rules: Rules, issuer: Issuer, realm: str, public: Collection[str]) -> None:
        self._app, self._rules, self._issuer, self._realm = app, rules, issuer, realm
        self._public = frozenset((*PROBES, *public))

    @property
    def scopes(self) -> frozenset[str]:
        """What every request's token must have."""
        return self._rules.scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose token is good, or that needs none; hand on what is no request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope[_GUARD] = self
        if not self._is_public(scope):
            try:
                await self.check(scope)
            except RefusedError as refused:
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                    return
                answer = Problem(refused.status, refused.detail, instance=scope["path"], headers=refused.headers)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_public(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return path.removeprefix(scope["root_path"]) in self._public or _is_preflight(scope)

    async def check(self, scope: Scope, needed: Iterable[str] = ()) -> Claims:
        """Return the claims of a request's token; ``needed`` are scopes beyond those that every request needs.

        Raises RefusedError.
        """
        # A mounted application that is guarded, too, may ask for tokens of another issuer.
        verified, claims = scope.get(_CLAIMS, (None, None))
        if verified is not self or claims is None:
            claims = await self._verify(scope)
            scope[_CLAIMS] = (self, claims)
        wanted = self._rules.scopes.union(needed)
        if not wanted <= claims.scopes:
            scopes = " ".join(sorted(wanted))
            raise self._refuse(403, "The token lacks a scope.", f'error="insufficient_scope", scope="{scopes}"')
        return claims

    async def _verify(self, scope: Scope) -> Claims:
        from servicekit.issuer import UnavailableError  # noqa: PLC0415  see the module's docstring
        from servicekit.tokens import TokenError, read_kid, verify  # noqa: PLC0415  see the module's docstring

        try:
            token = _bearer(scope)
            if token is None:
                raise self._refuse(401, "A bearer token is needed.")
            return verify(token, await self._issuer.keys(read_kid(token)), self._rules)
        except TokenError as error:
            _log.info("a token was refused: %s", error)
            raise self._refuse(401, "The token is not valid.", 'error="invalid_token"') from None
        except UnavailableError as error:
            headers = {"Retry-After": str(error.retry)}
            raise RefusedError(503, "Tokens cannot be checked at the moment.", headers) from None

    def _refuse(self, status: int, detail: str, error: str = "") -> RefusedError:
        challenge = f'Bearer realm="{self._realm}"' + (f", {error}" if error else "")
        return RefusedError(status, detail, {"WWW-Authenticate": challenge})


def guard(app: ASGIApp, settings: Settings, public: Collection[str]) -> Guard:
    """Return what checks tokens in front of an application, as SERVICE_AUTH says.

    Raises SettingsError.
    """
    try:
        from servicekit.issuer import Issuer, is_safe  # noqa: PLC0415  see the module's docstring
    except ImportError:
        raise SettingsError(f"{VARIABLE}: is set, and PyJWT is not installed; depend on servicekit[jwt]") from None
    try:
        said = _Auth.model_validate(json.loads(settings.service_auth or "")).jwt
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise SettingsError(f"{VARIABLE}: {wrong}") from None
    except ValueError:
        raise SettingsError(f"{VARIABLE}: is not JSON") from None
    if not is_safe(said.issuer, loopback=settings.service_environment == "local"):
        raise SettingsError(f"{VARIABLE}: jwt.issuer: must be https, found {said.issuer!r}")
    rules = Rules(said.issuer, tuple(said.audience), frozenset(said.scopes))
    return Guard(app, rules, Issuer(said.issuer), settings.service_name, public)


_SCHEME = HTTPBearer(scheme_name="jwt", bearerFormat="JWT", auto_error=False)


async def current_claims(
    request: Request, scopes: SecurityScopes, _shown: Annotated[object, Depends(_SCHEME)] = None
) -> Claims:
    """Return the claims of the request's token: a FastAPI dependency.

    On a public path, too, the token is asked for. Raises HTTPException, and RuntimeError in a service without ``auth``.
    """
    found: Guard | None = request.scope.get(_GUARD)
    if found is None:
        raise RuntimeError(f"an endpoint asks for claims, and {VARIABLE} is not set: service.yaml has no `auth`")
    try:
        return await found.check(request.scope, scopes.scopes)
    except RefusedError as refused:
        raise HTTPException(refused.status, refused.detail, dict(refused.headers)) from None


def require_scopes(*scopes: str) -> Any:
    """Return what an endpoint depends on when its callers need those scopes, all of them.

    ``dependencies=[require_scopes("orders:write")]``, or ``claims: Annotated[Claims, require_scopes("orders:write")]``.
    """
    return Security(current_claims, scopes=list(scopes))


def describe(document: dict[str, Any], scopes: Collection[str], public: Collection[str]) -> None:
    """Say in an OpenAPI document that every operation needs a token, but those of public paths."""
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes.setdefault("jwt", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    document["security"] = [{"jwt": sorted(scopes)}]
    for path, operations in cast("dict[str, dict[str, Any]]", document.get("paths", {})).items():
        if path in public:
            for operation in operations.values():
                if isinstance(operation, dict):
                    cast("dict[str, Any]", operation).setdefault("security", [])


def _bearer(scope: Scope) -> str | None:
    """Return the token of a request, empty where what it sent is none; None where it sent nothing."""
    sent: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if not sent:
        return None
    scheme, _, token = sent[0].decode("latin-1").partition(" ")
    return token.strip(" ") if len(sent) == 1 and scheme.lower() == "bearer" else ""


def _is_preflight(scope: Scope) -> bool:
    """Tell whether a browser asks what it may ask: such a request carries no token (Fetch, "CORS-preflight fetch")."""
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return b"origin" in names and b"access-control-request-method" in names

"""An AWS service of our own beside moto's, as a WSGI application: JSON in, an operation, JSON out.

Owns AWS's JSON protocol. What the operations do is their backend's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast
from uuid import uuid4

from stackyard.local.emulator.callers import HEADER
from stackyard.local.emulator.shapes import Json, ShapeError, check

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIEnvironment

Backend = TypeVar("Backend")


class RefusalError(Exception):
    """A refusal; ``code`` is what the service's clients look for."""

    code: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Offer(Generic[Backend]):
    """A service and what of it is offered."""

    name: str
    """In words."""
    model: str
    """As boto3 calls it."""
    version: str
    """Of AWS's JSON protocol."""
    make: Callable[[str, str], Backend]
    """Makes the service of one account and region."""
    operations: Mapping[str, Callable[[Backend, Json], Json]]
    invalid: type[RefusalError]
    """What it answers to a request that AWS's description does not allow."""
    unknown: type[RefusalError]


class JsonService(Generic[Backend]):
    """A service of every account and region."""

    def __init__(self, offer: Offer[Backend]) -> None:
        self._offer = offer
        self._backends: dict[tuple[str, str], Backend] = {}
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            status, answer = "200 OK", self._answer(environ)
        except RefusalError as error:
            status, answer = "400 Bad Request", {"__type": error.code, "Message": str(error)}
        body = json.dumps(answer).encode()
        kind = f"application/x-amz-json-{self._offer.version}"
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        start_response(status, [*headers, ("x-amzn-RequestId", str(uuid4()))])
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> Json:
        offer = self._offer
        name = str(environ["HTTP_X_AMZ_TARGET"]).partition(".")[2]
        if name not in offer.operations:
            raise offer.unknown(f"the embedded AWS does not offer {offer.name}'s {name}")
        stream = cast("InputStream", environ["wsgi.input"])
        try:
            sent: object = json.loads(stream.read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
            request = check(offer.model, name, sent)
        except ValueError as error:
            raise offer.invalid(f"the request is not JSON: {error}") from error
        except ShapeError as error:
            raise offer.invalid(str(error)) from error
        place = (str(environ[HEADER]), self._region(environ))
        with self._one_at_a_time:
            backend = self._backends.get(place) or self._backends.setdefault(place, offer.make(*place))
            return offer.operations[name](backend, request)

    def _region(self, environ: Mapping[str, object]) -> str:
        """Return the region that the request was signed for."""
        scope = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2].partition(",")[0].split("/")
        if len(scope) != 5:
            raise self._offer.invalid("the request is not signed for a region")
        return scope[2]

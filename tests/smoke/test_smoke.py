"""Whether a deployed environment works, by its address: what every service must answer, whatever it is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from tests.smoke.conftest import Answers, Probe, deployed, plan
from tests.smoke.deployed import Deployed

OURS = "smoke-test-1"
HOSTILE = "<script>alert(1)</script>"
PROBLEM = "application/problem+json"
NOWHERE = "/no-such-path-anywhere"


def healthy(service: Deployed, answer: httpx.Response) -> None:
    """It answers; a service of servicekit says who it is, and it is the one that was asked."""
    assert answer.status_code == 200
    if service.created or (service.kit and _says_who(answer)):
        assert answer.json() == {"status": "ok", "service": service.name, "environment": service.environment}


def alive(_service: Deployed, answer: httpx.Response) -> None:
    """Its process answers."""
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def ready(_service: Deployed, answer: httpx.Response) -> None:
    """Everything that it needs is there; the body names what is not."""
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"


def documented(service: Deployed, answer: httpx.Response) -> None:
    """Its page is there and looks for the document where the gateway has it, stage and path included."""
    if service.guarded and answer.status_code == 401:
        return
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert f"url: '{httpx.URL(service.url).path.rstrip('/')}/openapi.json'" in answer.text


def described(service: Deployed, answer: httpx.Response) -> None:
    """Its OpenAPI document is one, and has routes."""
    if service.guarded and answer.status_code == 401:
        return
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.")
    assert document["paths"]


def missing(service: Deployed, answer: httpx.Response) -> None:
    """An unknown path is a problem (RFC 9457) under the request id that came with it.

    What an adopted application answers is its own business (401, or a page for whatever path), if it is no failure;
    the id is ours.
    """
    assert answer.headers["x-request-id"] == OURS
    if service.guarded:
        tokenless(service, answer)
        return
    assert answer.status_code == 404 if service.created else answer.status_code < 500, answer.text
    if service.created or answer.headers.get("content-type") == PROBLEM:
        problem = answer.json()
        assert answer.headers["content-type"] == PROBLEM
        assert problem["status"] == answer.status_code
        assert problem["request_id"] == OURS


def disbelieved(_service: Deployed, answer: httpx.Response) -> None:
    """A request id that is none is not sent back, and not in the log: the service makes its own."""
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    assert HOSTILE not in answer.headers["x-request-id"]


def refused(_service: Deployed, answer: httpx.Response) -> None:
    """Without a key, or with a wrong one, the gateway lets nobody in."""
    assert answer.status_code == 403
    assert answer.json()["message"] == "Forbidden"


def tokenless(_service: Deployed, answer: httpx.Response) -> None:
    """Without a token nobody gets in; the gateway changes the challenge's name on the way."""
    assert answer.status_code == 401, answer.text
    challenge = answer.headers.get("x-amzn-remapped-www-authenticate") or answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")


def _says_who(answer: httpx.Response) -> bool:
    """Tell whether servicekit answered for its service's health: an adopted application may do so itself."""
    try:
        found: object = answer.json()
    except ValueError:
        return False
    return isinstance(found, dict) and {"status", "service", "environment"} == found.keys()


def answering(_service: Deployed, answer: httpx.Response) -> None:
    """It answers well, in whatever form."""
    assert answer.status_code == 200, answer.text


def exemplary(_service: Deployed, answer: httpx.Response) -> None:
    """What service.yaml gives as an example works."""
    assert answer.status_code in range(200, 300), answer.text


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of services, and what the answer must be."""

    name: str
    path: str
    check: Callable[[Deployed, httpx.Response], None]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    keyless: bool = False


EVERYBODY = (Question("/health", "/health", healthy),)
CREATED = (
    Question("/liveness", "/liveness", alive),
    Question("/readiness", "/readiness", ready),
    Question("/docs", "/docs", documented),
    Question("/openapi.json", "/openapi.json", described),
)
ADOPTED = (Question("/liveness", "/liveness", answering), Question("/readiness", "/readiness", answering))
KIT = (
    Question("an unknown path", NOWHERE, missing, {"x-request-id": OURS}),
    Question("a hostile request id", "/health", disbelieved, {"x-request-id": HOSTILE}),
)
KEYED = (
    Question("without a key", "/health", refused, keyless=True),
    Question("with a wrong key", "/health", refused, {"x-api-key": "wrong"}, keyless=True),
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask each deployed service what it must be able to answer."""
    cases: list[object] = []
    for service in deployed(metafunc.config):
        check = tokenless if service.guarded else exemplary
        example = (Question(f"example {service.example}", service.example, check),) if service.example else ()
        own = CREATED if service.created else ADOPTED
        kit = (*own, *KIT) if service.kit else ()
        for question in (*EVERYBODY, *example, *kit, *(KEYED if service.keyed else ())):
            key = {"x-api-key": service.key} if service.keyed and not question.keyless else {}
            headers = {**key, **question.headers}
            probe = plan(metafunc.config, Probe(service, question.name, question.path, headers))
            cases.append(pytest.param(probe, question.check, id=f"{service.name}: {question.name}"))
    metafunc.parametrize(("probe", "check"), cases)


def test_it_answers_as_it_must(
    probe: Probe, check: Callable[[Deployed, httpx.Response], None], answers: Answers
) -> None:
    """Each service answers each question through the gateway as `check` tells."""
    answer = answers[probe.service.name, probe.name]
    assert isinstance(answer, httpx.Response), f"{probe.service.url}{probe.path}: {answer!r}"
    check(probe.service, answer)

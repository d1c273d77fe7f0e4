"""What smoke tests ask of a service: all that servicekit promises of one that it made, less of one that was adopted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.smoke.deployed import Deployed, is_created
from tests.smoke.test_smoke import OURS, healthy, missing, tokenless

CREATED = Deployed("shop", "dev", "https://a/shop", True, False, "", "", True, True)
ADOPTED = replace(CREATED, created=False)
PROBLEM = {"status": 404, "request_id": OURS}
TYPE = "application/problem+json"


@pytest.mark.parametrize(
    ("code", "created"),
    [
        ("from servicekit import Settings, create_app\napp = create_app()\n", True),
        ("from servicekit.application import create_app as make\n", True),
        ("import servicekit\napp = servicekit.create_app()\n", True),
        ("def later():\n    from servicekit import create_app\n", True),
        ("from servicekit import adopt\nfrom shop.main import app\napp = adopt(app)\n", False),
        ("from servicekit import adopt\nfrom shop import create_app\napp = adopt(create_app())\n", False),
        ("from servicekit import adopt\nimport shop\napp = adopt(shop.create_app())\n", False),
        ("# not servicekit's create_app\n", False),
        ("from servicekit import create_app(\n", False),
    ],
)
def test_a_created_application_is_told_from_an_adopted_one(tmp_path: Path, code: str, *, created: bool) -> None:
    """By what its code takes from servicekit, wherever in the service's folder that is; tests do not count."""
    (tmp_path / "shop/deep").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_shop.py").write_text("from servicekit import create_app\n")
    (tmp_path / "shop/deep/app.py").write_text(code)
    assert is_created(tmp_path) == created


@pytest.mark.parametrize("header", ["www-authenticate", "x-amzn-remapped-www-authenticate"])
def test_a_service_that_asks_for_tokens(header: str) -> None:
    """It must refuse: one that answers a stranger, or says no more than 401, is not guarded."""
    guarded = replace(CREATED, guarded=True)
    refused = httpx.Response(401, headers={header: 'Bearer realm="shop"', "x-request-id": OURS})
    missing(guarded, refused)
    tokenless(guarded, refused)
    with pytest.raises(AssertionError):
        missing(guarded, httpx.Response(404, json=PROBLEM, headers={"content-type": TYPE, "x-request-id": OURS}))
    with pytest.raises(AssertionError):
        tokenless(guarded, httpx.Response(401, headers={header: "Basic"}))


@pytest.mark.parametrize(
    ("answer", "created", "adopted"),
    [
        (httpx.Response(404, json=PROBLEM, headers={"content-type": TYPE, "x-request-id": OURS}), True, True),
        (httpx.Response(404, json={"detail": "Not Found"}, headers={"x-request-id": OURS}), False, True),
        (httpx.Response(404, text="Not Found", headers={"x-request-id": OURS}), False, True),
        (httpx.Response(401, text="who are you?", headers={"x-request-id": OURS}), False, True),
        (httpx.Response(200, text="<p>Come in.", headers={"x-request-id": OURS}), False, True),
        (httpx.Response(404, json=PROBLEM, headers={"content-type": TYPE, "x-request-id": "another"}), False, False),
        (httpx.Response(404, json={"status": 404}, headers={"content-type": TYPE, "x-request-id": OURS}), False, False),
        (httpx.Response(404, text="Not Found"), False, False),
        (httpx.Response(500, text="Internal Server Error", headers={"x-request-id": OURS}), False, False),
    ],
)
def test_an_unknown_path(answer: httpx.Response, *, created: bool, adopted: bool) -> None:
    """The id always comes back, a problem is a whole one, and only a created application owes one."""
    for service, good in ((CREATED, created), (ADOPTED, adopted)):
        if good:
            missing(service, answer)
        else:
            with pytest.raises((AssertionError, KeyError, ValueError)):
                missing(service, answer)


def test_health_says_who_it_is() -> None:
    """Servicekit's answer names the service that was asked; an adopted application's own may be any."""
    other = httpx.Response(200, json={"status": "ok", "service": "other", "environment": "dev"})
    for service in (CREATED, ADOPTED):
        healthy(service, httpx.Response(200, json={"status": "ok", "service": "shop", "environment": "dev"}))
        with pytest.raises(AssertionError):
            healthy(service, other)
    for own in (httpx.Response(200, text="fine"), httpx.Response(200, json={"status": "ok"}), httpx.Response(200)):
        healthy(ADOPTED, own)
        with pytest.raises((AssertionError, ValueError)):
            healthy(CREATED, own)

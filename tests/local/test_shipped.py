"""What a clone has: its three services from one `inv up`, and the page of services in a browser through the gateway."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import httpx

from tests.local.project import HERE, Done, Project, smoke


def browse(url: str) -> Done:
    """Run the browser's tests at a gateway's stage."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/browser", "--base-url", url],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_the_three_services_of_a_clone(shipped: Project) -> None:
    """All are served and found well; worker has api do its jobs; the page passes its tests in a real Chromium."""
    shipped.up()
    rows = json.loads(shipped.run("services", "--json").out)
    kinds = {"api": "lambda", "web": "ecs", "worker": "lambda"}
    assert {row["name"]: (row["kind"], row["deployed"]) for row in rows} == {
        name: (kind, "current") for name, kind in kinds.items()
    }
    for stage in ("", "/local"):
        base = shipped.url + stage
        assert httpx.get(f"{base}/greet?name=Ann").json() == {"message": "Hello, Ann!"}
        made = httpx.post(f"{base}/worker/jobs", json={"names": ["Ann", "Ben"]}, headers={"x-request-id": "job-1"})
        assert made.status_code == 202, made.text
        job = httpx.get(shipped.url + made.headers["location"]).json()
        assert job["greetings"] == ["Hello, Ann!", "Hello, Ben!"]
        listed = httpx.get(f"{base}/web/services.json").json()
        assert {each["name"]: each["kind"] for each in listed} == kinds
    done = smoke(shipped)
    assert done.code == 0, done.text()
    for name in kinds:
        assert re.search(rf"^{name} +/health +200 +\d", done.out, re.MULTILINE), done.out
    seen = browse(f"{shipped.url}/local")
    assert seen.code == 0, seen.text()
    assert re.search(r"\d{2} passed", seen.out), seen.out
    assert "a real gateway does not do as it is told" in seen.out
    assert "no changes" in shipped.deploy().err

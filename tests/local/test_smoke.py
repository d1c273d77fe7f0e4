"""The smoke tests themselves: that they pass where all is well, and say so where it is not."""

from __future__ import annotations

import httpx

from tests.local.project import Project, smoke
from tests.waiting import until

VAULT = """
from servicekit import create_app
from servicekit import handler as lambda_handler

app = create_app()


@app.get("/")
async def index() -> dict[str, str]:
    return {}


handler = lambda_handler(app)
"""


def test_smoke_tells_a_working_environment_from_others(project: Project) -> None:
    """Nothing running ends with code 3 and `inv up`; all well passes, a key enforced; what fails is named."""
    done = smoke(project)
    assert done.code == 3, done.text()
    assert "the environment local is not running" in done.err
    assert "run: inv up" in done.err

    project.up()
    done = smoke(project)
    assert done.code == 0, done.text()
    for asked in ("/health", "/liveness", "/readiness", "/docs", "/openapi.json", "an unknown path"):
        assert asked in done.out

    project.write("src/services/vault/service.yaml", "kind: lambda\napi_key: true\n")
    about = '[project]\nname = "vault"\nversion = "0"\ndependencies = ["servicekit[lambda]"]\n'
    project.write("src/services/vault/pyproject.toml", about)
    project.write("src/services/vault/vault/__init__.py", "")
    project.write("src/services/vault/vault/lambda_handler.py", VAULT)
    project.deploy()
    done = smoke(project, "--service", "vault")
    assert done.code == 0, done.text()
    assert "without a key" in done.out
    assert "passed" in done.out
    assert "api  " not in done.out

    broken = 'checks={"database": lambda: False}, description='
    project.change("src/services/api/api/app.py", "description=", broken)
    until(lambda: httpx.get(f"{project.url}/readiness").status_code == 503, "the service to be reloaded")
    done = smoke(project)
    assert done.code == 1, done.text()
    assert "Not ready: database" in done.out
    assert "1 failed" in done.out

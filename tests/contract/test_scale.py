"""A hundred services, made by `inv add-service`'s own code: read, planned by the real Terraform, routed."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stackyard.commands.add_service import add_service
from stackyard.commands.services import services
from stackyard.commands.session import Session
from stackyard.local.gateway.routes import Router
from stackyard.scaffold import Request
from stackyard.screen import Screen

QUIET = ("-input=false", "-no-color", "-parallelism=30")
LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'


@pytest.fixture
def terraform(
    project: Path, emulator: Any, terraform_environment: dict[str, str], make_terraform: Callable[..., Any]
) -> Iterator[Any]:
    """Terraform in a project without services, its state in a file; logs what took how long."""
    (project / "infra/app/backend_override.tf").write_text(LOCAL_STATE)
    running = make_terraform(project, {**terraform_environment, **emulator.environment})
    running.run("app", "init", *QUIET[:2])
    yield running
    logging.getLogger(__name__).info("%s", {step: round(seconds, 2) for step, seconds in running.seconds.items()})


def add(project: Path, kind: str, *names: str) -> None:
    add_service(project, Screen(quiet=True), Request(names, kind=kind))


def plan(terraform: Any, project: Path) -> dict[str, Any]:
    """Plan the project as it is, and return Terraform's JSON of it."""
    digests = {folder.name: "sha256:" + "0" * 64 for folder in (project / "src/services").iterdir()}
    given = ("-var", "environment=local", "-var", f"image_digests={json.dumps(digests)}")
    terraform.run("app", "plan", *QUIET, "-out=tfplan", *given, label=f"plan of {len(digests)}")
    return json.loads(terraform.run("app", "show", "-json", "tfplan").stdout)


def created(planned: dict[str, Any]) -> set[str]:
    """Return the addresses of all resources of a plan, each of which is to be created."""
    changes = [change for change in planned["resource_changes"] if change["mode"] == "managed"]
    assert all(change["change"]["actions"] == ["create"] for change in changes)
    return {change["address"] for change in changes}


def test_one_more_lambda_service_is_at_most_seven_resources(terraform: Any, project: Path) -> None:
    """Ten services of three kinds, then one more function: it brings seven resources at most, all named after it."""
    add(project, "lambda", *(f"shop{number}" for number in range(8)))
    add(project, "apprunner", "front")
    add(project, "ecs", "stock")
    ten = created(plan(terraform, project))
    add(project, "lambda", "till")
    eleven = created(plan(terraform, project))
    added = eleven - ten
    assert ten < eleven
    assert 0 < len(added) <= 7
    assert all('["till"]' in address for address in added)


def test_a_hundred_services_are_read_planned_and_routed(terraform: Any, project: Path) -> None:
    """Python and Terraform read the same hundred, and the document of the plan leads to each under its own path."""
    names = [f"shop{number:02d}" for number in range(88)]
    fronts = [f"front{number:02d}" for number in range(12)]
    begun = time.monotonic()
    add(project, "lambda", *names)
    add(project, "apprunner", *fronts)
    rows = services(Session.begin(project, "local", Screen(quiet=True)))
    terraform.seconds["adding and reading 100"] = time.monotonic() - begun
    assert sorted(row.name for row in rows) == sorted(names + fronts)

    planned = plan(terraform, project)
    per_service = [sum(f'["{name}"]' in address for address in created(planned)) for name in names]
    assert set(per_service) == {per_service[0]}
    assert per_service[0] <= 7

    # No balancer is in it, so all of the document is known before anything is there but App Runner's host names.
    document = json.loads(planned["planned_values"]["outputs"]["openapi"]["value"])
    router = Router(document, {f"url_{name}": f"{name}.example.com" for name in fronts})
    for name in names + fronts:
        for path, resource in ((f"/{name}", f"/{name}"), (f"/{name}/a/b", f"/{name}/{{proxy+}}")):
            found = router.match("GET", path)
            assert found is not None
            assert found.method.resource == resource
            assert name in str(found.method.target)
    assert router.match("GET", "/nobody/a") is None

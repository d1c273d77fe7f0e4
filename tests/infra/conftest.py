"""What infra/bootstrap would make, as Terraform plans it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
from xdist.remote import Producer

from tests.terraform import ROOT, found
from tests.turns import Turns

RUN = "makes_roles_for_this_accounts_environments"
"""The run of infra/bootstrap's tests whose plan is read: project acme, environments dev and prod."""

PINNED = "pins_the_repository_by_its_numbers"
"""The run whose stackyard.yaml has the repository's numbers: one environment, dev."""

Bootstrap = Mapping[str, list[Mapping[str, Any]]]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Turns:
    """Have the plan of the bootstrap made once."""
    files = ("test_policies.py", "test_lifecycle.py", "test_trust.py", "test_escalation.py", "test_workflow_roles.py")
    return Turns(config, log, [files])


@pytest.fixture(scope="session")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Bootstrap]:
    """The resources that the bootstrap makes in each run of its tests, by type, each with its planned values."""
    binary, env = found()
    env["TF_DATA_DIR"] = str(tmp_path_factory.mktemp("terraform"))
    module = ROOT / "infra" / "bootstrap"
    test = ["test", "-json", "-verbose", "-filter=tests/policies.tftest.hcl"]
    for arguments in (["init", "-backend=false", "-input=false", "-no-color"], test):
        argv = [*binary.argv, f"-chdir={module}", *arguments]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, "\n".join(_faults(done.stdout)) + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    made: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for line in lines:
        if line["type"] == "test_plan":
            by_type = made.setdefault(line["@testrun"], {})
            for change in line["test_plan"]["resource_changes"]:
                by_type.setdefault(change["type"], []).append(change["change"]["after"])
    return made


def _faults(events: str) -> list[str]:
    # The plans among the events are megabytes.
    return [line[:2000] for line in events.splitlines() if '"@level":"error"' in line or not line.startswith("{")]


@pytest.fixture(scope="session")
def bootstrap(plans: Mapping[str, Bootstrap]) -> Bootstrap:
    """What it makes for the project acme with the environments dev and prod, and previews."""
    return plans[RUN]


@pytest.fixture(scope="session")
def pinned(plans: Mapping[str, Bootstrap]) -> Bootstrap:
    """What it makes where stackyard.yaml has the repository's numbers."""
    return plans[PINNED]


@pytest.fixture(scope="session")
def lifecycle_policy(bootstrap: Bootstrap) -> str:
    """The lifecycle policy of the image repository."""
    (policy,) = bootstrap["aws_ecr_lifecycle_policy"]
    return policy["policy"]

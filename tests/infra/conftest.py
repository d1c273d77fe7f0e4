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

Bootstrap = Mapping[str, list[Mapping[str, Any]]]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Turns:
    """Have the plan of the bootstrap made once."""
    return Turns(config, log, [("test_policies.py", "test_lifecycle.py", "test_workflow_roles.py")])


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Bootstrap:
    """The resources that the bootstrap makes, by type, each with its planned values."""
    binary, env = found()
    env["TF_DATA_DIR"] = str(tmp_path_factory.mktemp("terraform"))
    module = ROOT / "infra" / "bootstrap"
    test = ["test", "-json", "-verbose", "-filter=tests/policies.tftest.hcl"]
    for arguments in (["init", "-backend=false", "-input=false", "-no-color"], test):
        argv = [*binary.argv, f"-chdir={module}", *arguments]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (plan,) = (line["test_plan"] for line in lines if line["type"] == "test_plan" and line["@testrun"] == RUN)
    made: dict[str, list[Mapping[str, Any]]] = {}
    for change in plan["resource_changes"]:
        made.setdefault(change["type"], []).append(change["change"]["after"])
    return made


@pytest.fixture(scope="session")
def lifecycle_policy(bootstrap: Bootstrap) -> str:
    """The lifecycle policy of the image repository."""
    (policy,) = bootstrap["aws_ecr_lifecycle_policy"]
    return policy["policy"]

"""The roles that the GitHub workflows take are those that the bootstrap makes, and they trust just those jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from stackyard.github import Purpose, name_environment, name_role
from stackyard.project import Target, Throttle
from tests.workflows import JOBS

ACCOUNT = "111111111111"


def target(name: str) -> Target:
    return Target("acme", name, ACCOUNT, "eu-west-1", protected=False, throttle=Throttle())


@pytest.mark.parametrize("purpose", ["deploy", "plan"])
@pytest.mark.parametrize("name", ["dev", "prod", "pr-7"])
def test_a_job_finds_its_role(bootstrap: Mapping[str, list[Mapping[str, Any]]], name: str, purpose: Purpose) -> None:
    """By the name that `inv github-role` says, from the GitHub environment that the workflows run it in."""
    roles = {f"arn:aws:iam::{ACCOUNT}:role{each['path']}{each['name']}": each for each in bootstrap["aws_iam_role"]}
    trust = json.loads(roles[name_role(target(name), purpose)]["assume_role_policy"])
    [statement] = trust["Statement"]
    environment = name_environment(target(name), purpose)
    claims = statement["Condition"]["StringEquals"]
    assert claims["token.actions.githubusercontent.com:sub"].endswith(f":environment:{environment}")
    used = {job.environment.replace("${{ matrix.environment }}", "dev") for job in JOBS if job.environment}
    assert used == {"dev", "test", "prod", "dev-plan", "previews"}

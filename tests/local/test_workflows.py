"""The GitHub workflows' jobs, their commands as they are written, against an account in the embedded AWS."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.screen import Screen
from tests.account import Account, serving_account
from tests.local.project import HERE, copy_project, find_uv
from tests.local.runner import Checkout, Ran

NUMBER = "111111111111"
PROJECT = f"""\
project: acme
repository: acme/platform
region: eu-west-1
environments:
  dev: {{account: "{NUMBER}"}}
  test: {{account: "{NUMBER}", alarms: {{enabled: false}}}}
  prod: {{account: "{NUMBER}", protected: true}}
previews: {{account: "{NUMBER}"}}
"""
MAIN = {"event_name": "push", "ref": "refs/heads/main", "repository": "acme/platform", "token": "of-the-job"}


def pull_request(action: str) -> dict[str, Any]:
    pull = {"number": 7, "head": {"repo": {"full_name": "acme/platform"}}}
    return {
        **MAIN,
        "event_name": "pull_request",
        "ref": "refs/pull/7/merge",
        "event": {"action": action, "pull_request": pull},
    }


def git(root: Path, *arguments: str) -> None:
    known = ("-c", "user.name=tests", "-c", "user.email=tests@example.invalid", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *known, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Generator[Account]:
    """The account of all environments."""
    with serving_account(tmp_path_factory.mktemp("account"), NUMBER) as made:
        yield made


@pytest.fixture(scope="module")
def checkout(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone with the service api, committed; its images are in the registry already."""
    root, folder = tmp_path_factory.mktemp("clone") / "project", tmp_path_factory.mktemp("job")
    copy_project(root, "api")
    shutil.copy2(HERE / ".gitignore", root)
    (root / "stackyard.yaml").write_text(PROJECT, encoding="utf-8")
    # With fewer services than the lock knows.
    subprocess.run([find_uv(), "lock", "--quiet"], cwd=root, check=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Begin")
    for image in wanted_images(Session.begin(root, "dev", Screen())):
        account.push(image.tag)
    programs = folder / "bin"
    programs.mkdir()
    (programs / "uv").symlink_to(find_uv())
    gh = programs / "gh"
    gh.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE}/tests/fakes/gh.py" "$@"\n')
    gh.chmod(0o755)
    artifacts = folder / "artifacts"
    artifacts.mkdir()
    return Checkout(root, programs, account.environment, artifacts)


def needs(ran: Ran) -> dict[str, Any]:
    return {"result": ran.result, "outputs": ran.outputs}


def store(checkout: Checkout) -> dict[str, Any]:
    return json.loads((checkout.artifacts / "github.json").read_text())


def good(ran: Ran) -> Ran:
    assert ran.result == "success", ran.said
    return ran


def test_a_pull_request_is_planned_into_one_comment(checkout: Checkout) -> None:
    """By the plan role of each environment; pushed to again, the same comment says the new plan."""
    facts = good(checkout.run("plan", "facts", pull_request("opened")))
    assert json.loads(facts.outputs["environments"]) == ["dev", "test", "prod"]
    ran = good(checkout.run("plan", "plan", pull_request("opened"), matrix={"environment": "dev"}))
    assert ran.role == f"arn:aws:iam::{NUMBER}:role/acme/acme-dev_plan"
    failed = Ran("failure")
    for _ in range(2):
        before = {"facts": needs(facts), "plan": needs(failed)}
        good(checkout.run("plan", "comment", pull_request("synchronize"), needs=before))
    [comment] = store(checkout)["comments"]["7"]
    assert comment["body"].startswith("<!-- stackyard: Plan -->\n## Plan\n\n### `dev`\n\n**")
    assert "| create | `api: aws_lambda_function` |" in comment["body"]
    assert "### `prod`\n\nNothing is known" in comment["body"]


def test_what_is_merged_goes_on_by_its_digest(checkout: Checkout, account: Account) -> None:
    """Deployed to dev, promoted to test, by the role of each; asked for by hand, one service alone."""
    dev = good(checkout.run("deploy", "dev", MAIN))
    test = good(checkout.run("deploy", "test", MAIN, needs={"dev": needs(dev)}))
    assert [each.role.rpartition("/")[2] for each in (dev, test)] == ["acme-dev_deploy", "acme-test_deploy"]
    assert (dev.outputs, test.outputs) == ({"release": "1"}, {"release": "1"})
    assert account.running("dev", "api") == account.running("test", "api")
    assert account.records("test")[1]["source"] == {"kind": "promote", "environment": "dev", "number": 1}

    asked = {"environment": "dev", "services": "api", "release": "0"}
    again = good(checkout.run("deploy", "dev", {**MAIN, "event_name": "workflow_dispatch"}, inputs=asked))
    assert again.outputs == {"release": "1"}


def test_drift_becomes_one_issue(checkout: Checkout, account: Account) -> None:
    """What was changed past Terraform is named, by the plan role; put back by hand, the issue is closed."""
    if not account.keys("app/dev/"):
        good(checkout.run("deploy", "dev", MAIN))
    functions, role = account.client("lambda"), {"RoleName": "acme-dev-api", "PolicyName": "by-hand"}
    before = functions.get_function_configuration(FunctionName="acme-dev-api")["Timeout"]
    functions.update_function_configuration(FunctionName="acme-dev-api", Timeout=before - 1)
    granted = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    account.client("iam").put_role_policy(**role, PolicyDocument=json.dumps(granted))
    expected = {"facts": {"result": "success", "outputs": {"environments": '["dev"]'}}}

    drifted = checkout.run("drift", "drift", MAIN, matrix={"environment": "dev"})
    assert (drifted.result, drifted.role.rpartition("/")[2]) == ("failure", "acme-dev_plan")
    assert "(exit code 6)" in drifted.said
    good(checkout.run("drift", "issue", MAIN, needs=expected))
    [issue] = store(checkout)["issues"]
    assert (issue["title"], issue["state"]) == ("Drift", "open")
    found = [line for line in issue["body"].splitlines() if line.startswith("- ")]
    assert found == [
        "- `api: aws_iam_role: inline_policy was changed`",
        "- `api: aws_lambda_function: timeout was changed`",
    ]

    functions.update_function_configuration(FunctionName="acme-dev-api", Timeout=before)
    account.client("iam").delete_role_policy(**role)
    good(checkout.run("drift", "drift", MAIN, matrix={"environment": "dev"}))
    good(checkout.run("drift", "issue", MAIN, needs=expected))
    assert [each["state"] for each in store(checkout)["issues"]] == ["closed"]


def test_a_preview_lives_as_long_as_its_pull_request(checkout: Checkout, account: Account) -> None:
    """Made when it is opened, gone when it is closed, by the role of previews."""
    made = good(checkout.run("preview", "deploy", pull_request("opened")))
    assert made.role == f"arn:aws:iam::{NUMBER}:role/acme/acme-previews_deploy"
    assert account.running("pr-7", "api")
    good(checkout.run("preview", "destroy", pull_request("closed")))
    assert account.keys("app/pr-") == []

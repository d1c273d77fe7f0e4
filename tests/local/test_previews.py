"""A preview's whole life by `inv`, as in an account: deployed, the only one allowed, destroyed without a trace."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.screen import Screen
from tests.account import Account, serving_account
from tests.local.project import Project

NUMBER = "111111111111"


@pytest.fixture
def account(project: Project, tmp_path: Path) -> Generator[Account]:
    """The account of previews, with the images of the working tree; `inv` leads there."""
    text = (project.root / "stackyard.yaml").read_text(encoding="utf-8")
    project.write("stackyard.yaml", f'{text}previews: {{account: "{NUMBER}", max: 1}}\n')
    with serving_account(tmp_path, NUMBER) as made:
        project.env |= made.environment
        for image in wanted_images(Session.begin(project.root, "pr-1", Screen())):
            made.push(image.tag)
        yield made


def test_a_preview_comes_and_goes(project: Project, account: Account) -> None:
    """Deployed by its number alone; a second one is refused by name; destroyed, it leaves its release record only."""
    done = project.run("deploy", "--env", "pr-1", "--json")
    assert done.code == 0, done.text()
    deployed = json.loads(done.out)
    assert (deployed["environment"], deployed["release"], deployed["healthy"]) == ("pr-1", 1, True)
    assert deployed["url"].endswith("/pr-1")
    assert list(account.tags("pr-1")) == ["release-pr-1-1-api"]
    assert account.client("lambda").get_function(FunctionName="acme-pr-1-api")["Tags"]["environment"] == "pr-1"
    role = account.client("iam").get_role(RoleName="acme-pr-1-api")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/acme-previews_boundary")

    refused = project.run("deploy", "--env", "pr-2")
    assert refused.code == 5, refused.text()
    assert "there are pr-1" in refused.err
    assert "run: inv destroy --env pr-1" in refused.err

    done = project.run("destroy", "--env", "pr-1", "--confirm", "pr-1")
    assert done.code == 0, done.text()
    assert account.keys("app/pr-") == []
    assert account.keys("releases/pr-1/") == ["1.json"]
    assert account.tags("pr-1") == {}
    assert account.client("lambda").list_functions()["Functions"] == []
    assert not (project.root / ".stackyard/env/pr-1/app").exists()

"""A preview's whole life by `inv`, as in an account: deployed, the only one allowed, destroyed without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.images import render_manifest
from stackyard.local import daemons
from stackyard.screen import Screen
from tests.local.internet import internet
from tests.local.project import Done, Project

REGION = "eu-west-1"


@dataclass
class Account:
    """An AWS account of the embedded kind, taken for a real one."""

    project: Project
    env: dict[str, str]

    def run(self, *arguments: str) -> Done:
        """Run `inv` against it."""
        return self.project.run(*arguments, timeout=240, **self.env)

    def ok(self, *arguments: str) -> str:
        """Insist that `inv` succeeds; return its standard output."""
        done = self.run(*arguments)
        assert done.code == 0, done.text()
        return done.out

    def client(self, service: str) -> Any:  # boto3 makes its clients at run time
        make = cast("Callable[..., Any]", boto3.client)
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return make(service, endpoint_url=self.env["AWS_ENDPOINT_URL"], region_name=REGION, **keys)

    def keys(self, prefix: str) -> list[str]:
        """List the state bucket."""
        found = self.client("s3").list_objects_v2(Bucket=f"acme-state-123456789012-{REGION}", Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]


@pytest.fixture
def account(project: Project, tmp_path: Path) -> Generator[Account]:
    """The account of previews, bootstrapped, with the images of the working tree."""
    text = (project.root / "stackyard.yaml").read_text(encoding="utf-8")
    project.write("stackyard.yaml", text + 'previews: {account: "123456789012", max: 1}\n')
    session = Session.begin(project.root, "pr-1", Screen())
    local = Session.begin(project.root, "local", Screen())
    arguments = ["--port", "0", "--account", session.target.account, "--region", REGION]
    daemon, running = daemons.start(local.layout, daemons.EMULATOR, arguments, project.environment(), deadline=60)
    aws = {"AWS_ENDPOINT_URL": running.url, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    try:
        with internet(tmp_path, f"*.execute-api.{REGION}.amazonaws.com") as web:
            made = Account(project, aws | web | {"AWS_EC2_METADATA_DISABLED": "true"})
            made.ok("bootstrap", "--env", "local")
            for image in wanted_images(session):
                manifest = render_manifest(image)
                made.client("ecr").put_image(repositoryName="acme", imageTag=image.tag, imageManifest=manifest)
            yield made
    finally:
        daemon.stop()
        daemons.forget(local.layout, daemons.EMULATOR)


def test_a_preview_comes_and_goes(account: Account) -> None:
    """Deployed by its number alone; a second one is refused by name; destroyed, it leaves its release record only."""
    deployed = json.loads(account.ok("deploy", "--env", "pr-1", "--json"))
    assert (deployed["environment"], deployed["release"], deployed["healthy"]) == ("pr-1", 1, True)
    assert deployed["url"].endswith("/pr-1")
    function = account.client("lambda").get_function(FunctionName="acme-pr-1-api")
    assert function["Tags"]["environment"] == "pr-1"
    role = account.client("iam").get_role(RoleName="acme-pr-1-api")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/acme-previews_boundary")

    refused = account.run("deploy", "--env", "pr-2")
    assert refused.code == 5, refused.text()
    assert "there are pr-1" in refused.err
    assert "run: inv destroy --env pr-1" in refused.err

    account.ok("destroy", "--env", "pr-1", "--confirm", "pr-1")
    assert account.keys("app/pr-") == []
    assert account.keys("releases/pr-1/") == ["releases/pr-1/1.json"]
    assert account.client("lambda").list_functions()["Functions"] == []
    assert not (account.project.root / ".stackyard/env/pr-1/app").exists()

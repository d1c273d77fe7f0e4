"""A history of releases, with failures and kills in between: what runs is what the last record says."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.screen import Screen
from stackyard.tools.holding import find_holder
from tests.account import Account, serving_account
from tests.local.project import Done, Project, copy_project, find_uv
from tests.planted import Planted, note_calls

APP = "src/services/api/api/app.py"
BROKEN = """
resource "terraform_data" "broken" {
  depends_on = [module.lambda_service]

  provisioner "local-exec" {
    command = "false"
  }
}
"""
SEED = 20261123
LONGEST = 9.0
"""Seconds within which a kill falls: about as long as a change of one function takes."""


@dataclass
class Team:
    """A project in a clone, an account with its environments dev and test, and what must hold between them."""

    project: Project
    account: Account
    chance: random.Random
    planted: Planted

    def run(self, *arguments: str, code: int = 0) -> Done:
        """Run `inv`, and insist on its exit code."""
        done = self.project.run(*arguments)
        self.planted.note(" ".join(arguments), done.text())
        assert done.code == code, done.text()
        return done

    def write(self, version: str) -> str:
        """Change the code, and put the image of it into the repository; return its digest."""
        text = (self.project.root / APP).read_text(encoding="utf-8")
        self.project.write(APP, text.partition("\n# version")[0] + f"\n# version {version}\n")
        session = Session.begin(self.project.root, "local", Screen(quiet=True))
        (image,) = wanted_images(session)
        return self.account.push(image.tag)

    def kill(self, environment: str, *arguments: str, terraform: bool) -> None:
        """Start `inv`, and kill it after a random time; its Terraform, too, where that is meant."""
        with self.project.start(*arguments) as process:
            time.sleep(self.chance.uniform(0.3, LONGEST))
            process.kill()
            holder = find_holder(self.project.root / f".stackyard/env/{environment}/changing.lock")
            if terraform and holder is not None and holder.child:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(holder.child, signal.SIGKILL)

    def end(self, environment: str, *arguments: str, terraform: bool = False) -> None:
        """Kill `inv` on the way, and run it again as a person does who looks at the releases first.

        On a quick machine, or with a slow pytest, the kill comes after the record: what was wanted is done then, and a
        second rollback would go back one more.
        """
        before = list(self.account.records(environment))
        self.kill(environment, *arguments, terraform=terraform)
        if list(self.account.records(environment)) == before:
            self.insist(*arguments)
        else:
            self.run("mend", "--env", environment)

    def insist(self, *arguments: str) -> Done:
        """Run `inv` to its end as a person does: a lock that a kill left is released by the command that names it."""
        done = self.project.run(*arguments)
        self.planted.note(" ".join(arguments), done.text())
        if done.code == 5 and "inv unlock" in done.err:
            command = next(line for line in done.err.splitlines() if "inv unlock" in line).partition("inv ")[2]
            self.run(*command.split())
            done = self.project.run(*arguments)
            self.planted.note(" ".join(arguments), done.text())
        assert done.code == 0, done.text()
        return done

    def check(self, environment: str, *digests: str) -> None:
        """Insist that an environment's records are these, that the last one runs, and that no image can expire."""
        records = self.account.records(environment)
        assert [record["digests"]["api"] for record in records.values()] == list(digests)
        assert list(records) == list(range(1, len(digests) + 1))
        assert self.account.running(environment, "api") == digests[-1]
        tags = {f"release-{environment}-{number}-api": digest for number, digest in enumerate(digests, start=1)}
        assert self.account.tags(environment) == tags
        assert "underway.json" not in self.account.keys(f"releases/{environment}/")

    def check_secrets(self) -> None:
        """Insist that no secret and no API key was printed, handed to a program, written to a file or recorded.

        Terraform's state alone has the keys' values: docs/decisions/0025-the-edge.md says why.
        """
        keys = self.account.client("apigateway").get_api_keys(includeValues=True)["items"]
        self.planted.values |= {f"the key {key['name']}": key["value"] for key in keys}
        s3, bucket = self.account.client("s3"), self.account.bucket
        objects = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in self.account.keys("")}
        states = {key: objects.pop(key) for key in list(objects) if key.endswith(".tfstate")}
        assert {key["name"] for key in keys} == {f"acme-{key.split('/')[1]}-api" for key in states}
        folder = self.project.root.parent
        assert self.planted.found(folder, objects) == []
        secret = Planted({name: value for name, value in self.planted.values.items() if not name.startswith("the key")})
        assert secret.found(folder, states) == []
        assert b"-chdir=" in (folder / "bin/calls").read_bytes()


@pytest.fixture(scope="module")
def team(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Team]:
    """A project with the service api, and its account."""
    folder = tmp_path_factory.mktemp("team")
    with serving_account(folder, "111111111111") as account:
        planted = Planted(
            {f"the secret of {name}": f"planted-{name}-{secrets.token_hex(16)}" for name in ("dev", "test")}
        )
        for name in ("dev", "test"):
            value = planted.values[f"the secret of {name}"]
            account.client("secretsmanager").create_secret(Name=f"acme/{name}/token", SecretString=value)
        account.gateway.status = 403  # what is asked for a key and gets none
        project = clone(installed, folder / "project", account)
        project.env |= note_calls(folder / "bin", project.root)
        yield Team(project, account, random.Random(SEED), planted)  # noqa: S311  (no secret)


def clone(installed: Path, root: Path, account: Account) -> Project:
    """Make a clone of the project, with the shared environment and nothing of `.stackyard`."""
    copy_project(root, "api")
    shutil.copy2(installed / "uv.lock", root)
    (root / ".venv").symlink_to(installed / ".venv")
    (root / "src/services/api/service.yaml").write_text("kind: lambda\napi_key: true\nsecrets: {TOKEN: token}\n")
    made = Project(root, installed / ".venv/bin/inv", 0, {"UV": find_uv(), "UV_OFFLINE": "1", **account.environment})
    for name in ("dev", "test"):
        # Their key takes ten seconds: more of a first apply that is killed is then in no state yet, as at a power cut.
        plain = f'{name}: {{account: "111111111111"'
        made.change("stackyard.yaml", plain, plain + ", alarms: {enabled: false}")
    made.change("src/services/api/pyproject.toml", "servicekit[lambda]", "servicekit[lambda,secrets]")
    subprocess.run([find_uv(), "lock", "--quiet", "--offline"], cwd=root, env=made.environment(), check=True)
    return made


def read_along(team: Team) -> None:
    """Hold that nobody learns a secret, not even from a plan that is kept, or from a machine's whole log."""
    for words in ("plan --full", "deploy --dry-run --json", "services --json"):
        team.run(*words.split(), "--env", "dev")
    team.run("doctor", "--env", "dev", code=3)  # the account lacks what else a bootstrap makes
    team.check_secrets()


def tell_differences(team: Team) -> None:
    """What differs from the running release is told, and nothing of that is done."""
    team.write("4")
    team.project.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\nmemory: 512")
    done = team.run("diff", "--env", "dev")
    assert "    api: - $0.66 (memory 1024 → 512)" in done.err
    told = done.out
    assert re.search(r"^  api: api-\w+ → api-\w+ \(there already\)$", told, re.MULTILINE)
    assert "  api.memory: 512 (was not set)\nterraform\n  2 to change" in told
    listed = json.loads(team.run("releases", "--env", "dev", "--json").out)["releases"]
    assert [(each["number"], each["changed"]) for each in listed[:2]] == [
        (5, ["rolled back to 3", "api"]),
        (4, ["api"]),
    ]


def test_a_history_with_failures_and_kills_ends_in_what_its_record_says(installed: Path, team: Team) -> None:
    """Deploys, promotions and rollbacks, failed and killed: no record without what it says, none that is missing."""
    first = team.write("1")
    team.run("deploy", "--env", "dev")
    second = team.write("2")
    done = team.run("deploy", "--env", "dev")
    assert "back: inv rollback --env dev --to 1" in done.err
    team.check("dev", first, second)

    # An apply that fails when the function was changed already leaves no record, and a rollback mends it.
    team.write("3")
    broken = team.project.root / "infra/app/broken.tf"
    broken.write_text(BROKEN)
    team.run("deploy", "--env", "dev", code=4)
    assert list(team.account.records("dev")) == [1, 2]
    broken.unlink()
    done = team.run("rollback", "--env", "dev")
    assert "did not end; release 2 is the last" in done.err
    team.check("dev", first, second, second)

    # A service that is not healthy is no release either; once it is, the same command records it.
    third = team.write("3")
    team.account.gateway.status = 502
    done = team.run("deploy", "--env", "dev", code=4)
    assert "deployed, but not healthy" in done.err
    assert list(team.account.records("dev")) == [1, 2, 3]
    team.account.gateway.status = 403
    team.run("deploy", "--env", "dev")
    team.check("dev", first, second, second, third)

    promote = ("promote", "--from", "dev", "--to", "test")
    team.end("test", *promote)
    team.check("test", third)

    team.end("dev", "rollback", "--env", "dev")
    team.check("dev", first, second, second, third, second)

    # Not its first apply: what a killed Terraform has made there and not yet written down, it does not know.
    team.end("test", *promote, terraform=True)
    team.check("test", third, second)

    tell_differences(team)
    team.check("dev", first, second, second, third, second)

    read_along(team)

    # The machine is gone; a fresh clone has the bucket and the registry alone.
    shutil.rmtree(team.project.root)
    team.project = clone(installed, team.project.root.with_name("fresh"), team.account)
    (team.project.root / "uv.lock").unlink()
    done = team.run("rollback", "--env", "dev")
    assert "release 5 runs, which is 2 again" in done.err
    team.check("dev", first, second, second, third, second, first)

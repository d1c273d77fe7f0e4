"""SIGKILL at many moments of `up`, `bootstrap` and `deploy`: the next run converges, and says what it found."""

from __future__ import annotations

import json
import re
import subprocess

import httpx
import pytest

from stackyard.commands.bootstrap import KEY
from stackyard.commands.session import Session
from stackyard.local import daemons
from stackyard.screen import Screen
from tests.local.project import Project, read_until

MOMENTS_OF_UP = (
    "▸ packages",
    "▸ embedded AWS",
    "created the state bucket",
    "created aws_ecr_repository.images",
    "▸ plan",
    "created api: aws_lambda_function",
    "▸ gateway",
)

# A Terraform that was begun ends its work, whoever is killed: the moment within it has an embedded AWS of its own.
MOMENTS_OF_BOOTSTRAP = (("▸ bootstrap", "created the state bucket", "terraform init"), ("created aws_iam_role",))

MOMENTS_OF_CLUSTERS = ("created ecs-cluster: aws_ecs_cluster", "▸ roll out", "new pod ready", "▸ verify")

MOMENTS_OF_DEPLOY = ("▸ look at local", "▸ plan", "▸ apply", "changed api: aws_lambda_function", "▸ verify")


def kill_at(process: subprocess.Popen[str], moment: str) -> str:
    """Kill an `inv` as soon as it has printed ``moment``, and return what it printed until then."""
    with process:
        printed = read_until(process, moment)
        process.kill()
    return printed


def test_up_killed_at_any_moment_converges(project: Project) -> None:
    """After each of seven kills the next `inv up` gets past that moment, and the last one to the end."""
    for moment in MOMENTS_OF_UP:
        kill_at(project.start("up", "--port", str(project.port)), moment)
    project.up()
    assert httpx.get(f"{project.url}/health").status_code == 200
    again = project.deploy()
    assert "no changes" in again.err


def test_deploy_killed_at_any_moment_converges(project: Project) -> None:
    """A killed deploy's Terraform ends its work; the next deploy waits for it, goes on, and records the release."""
    project.up()
    memory = 1024
    for number, moment in enumerate(MOMENTS_OF_DEPLOY, start=2):
        old, memory = memory, memory + 64
        text = (project.root / "src/services/api/service.yaml").read_text()
        line = f"memory: {memory}"
        project.write(
            "src/services/api/service.yaml",
            text.replace(f"memory: {old}", line) if f"memory: {old}" in text else f"{text}\n{line}\n",
        )
        kill_at(project.start("deploy", "--env", "local"), moment)
        done = project.deploy()
        # The killed one may have come to its end before it was killed; twice it must not be recorded.
        assert re.search(rf"local: (nothing changed since )?release {number}\b", done.err), done.text()
    assert "no changes" in project.deploy().err
    facts = json.loads((project.root / ".stackyard/local/deployment.json").read_text())
    assert [item["memory"] for item in facts["functions"].values()] == [memory]


def test_deploy_killed_while_it_makes_clusters_and_rolls_out_converges(project: Project) -> None:
    """Killed in the apply, between it and the rollout, in that and after it: the next one serves ecs and eks alike.

    And a `destroy` that was killed when the pods were gone already is ended by the next one.
    """
    project.up()
    for name, kind in (("steady", "ecs"), ("pods", "eks")):
        done = project.run("add-service", "--kind", kind, name)
        assert done.code == 0, done.text()
    for moment in MOMENTS_OF_CLUSTERS:
        kill_at(project.start("deploy", "--env", "local"), moment)
    done = project.deploy()
    assert "release 2" in done.err, done.text()
    for path in ("/steady", "/pods", ""):
        assert httpx.get(f"{project.url}{path}/greet?name=Ann").json() == {"message": "Hello, Ann!"}
    assert "nothing changed since release 2" in project.deploy().err
    assert {row["deployed"] for row in json.loads(project.run("services", "--json").out)} == {"current"}

    destroy = ("destroy", "--env", "local", "--confirm", "local")
    kill_at(project.start(*destroy), "deleted namespace acme-local-pods")
    done = project.run(*destroy)
    assert done.code == 0, done.text()
    assert {row["deployed"] for row in json.loads(project.run("services", "--json").out)} == {"no"}


@pytest.mark.parametrize("moments", MOMENTS_OF_BOOTSTRAP)
def test_bootstrap_killed_at_any_moment_converges(project: Project, moments: tuple[str, ...]) -> None:
    """`inv bootstrap` goes on after every kill, adopts the bucket that it made, and ends with no changes."""
    session = Session.begin(project.root, "local", Screen())
    env = project.environment()
    arguments = ["--port", "0", "--account", session.target.account, "--region", session.target.region]
    daemon, _ = daemons.start(session.layout, daemons.EMULATOR, arguments, env, deadline=60)
    try:
        for moment in moments:
            kill_at(project.start("bootstrap", "--env", "local"), moment)
        done = project.run("bootstrap", "--env", "local")
        assert done.code == 0, done.text()
        assert "no changes" in project.run("bootstrap", "--env", "local").err
        assert session.aws.read_text(session.target.state_bucket, KEY) is not None
    finally:
        daemon.stop()
        daemons.forget(session.layout, daemons.EMULATOR)

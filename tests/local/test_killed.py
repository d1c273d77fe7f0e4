"""SIGKILL at many moments of `up`, `bootstrap` and `deploy`: the next run converges, and says what it found."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess

import httpx

from stackyard.commands.bootstrap import KEY
from stackyard.commands.session import Session
from stackyard.local import daemons
from stackyard.screen import Screen
from stackyard.tools.holding import who_am_i
from tests.local.project import Project, read_until
from tests.waiting import until

MOMENTS_OF_UP = (
    "▸ packages",
    "▸ embedded AWS",
    "created the state bucket",
    "created aws_ecr_repository.images",
    "▸ plan",
    "created api: aws_iam_role",
    "created api: aws_lambda_function",
    "▸ gateway",
)

MOMENTS_OF_CLUSTERS = ("created ecs-cluster: aws_ecs_cluster", "▸ roll out", "new pod ready", "▸ verify")

MOMENTS_OF_DEPLOY = ("▸ look at local", "▸ plan", "▸ apply", "changed api: aws_lambda_function", "▸ verify")


def kill_at(process: subprocess.Popen[str], moment: str) -> str:
    """Kill an `inv` as soon as it has printed ``moment``, and return what it printed until then."""
    with process:
        printed = read_until(process, moment)
        process.kill()
    return printed


def test_up_killed_at_any_moment_converges(project: Project) -> None:
    """After each of eight kills the next `inv up` gets past that moment, and the last one to the end."""
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
        assert f"release {number}" in done.err, done.text()
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


def test_bootstrap_killed_at_any_moment_converges(project: Project) -> None:
    """`inv bootstrap` goes on after every kill, adopts the bucket that it made, and ends with no changes."""
    session = Session.begin(project.root, "local", Screen())
    env = project.environment()
    arguments = ["--port", "0", "--account", session.target.account, "--region", session.target.region]
    daemon, _ = daemons.start(session.layout, daemons.EMULATOR, arguments, env, deadline=60)
    try:
        for moment in ("▸ bootstrap", "created the state bucket", "terraform init", "created aws_iam_role"):
            kill_at(project.start("bootstrap", "--env", "local"), moment)
        done = project.run("bootstrap", "--env", "local")
        assert done.code == 0, done.text()
        assert "no changes" in project.run("bootstrap", "--env", "local").err
        assert session.aws.read_text(session.target.state_bucket, KEY) is not None
    finally:
        daemon.stop()
        daemons.forget(session.layout, daemons.EMULATOR)


def locked(project: Project) -> bool:
    """Tell whether the state of the laptop's environment is locked."""
    session = Session.begin(project.root, "local", Screen())
    return session.aws.read_text(session.target.state_bucket, "app/local/terraform.tfstate.tflock") is not None


def terraform_of(project: Project) -> int:
    """Return the process id of the Terraform that works for a deploy of this project."""
    holder = json.loads((project.root / ".stackyard/env/local/changing.holder").read_text())
    return int(holder["child"])


def test_terraform_killed_too_leaves_a_lock_that_is_named_and_released(project: Project) -> None:
    """A power cut in the middle of an apply: the next deploy names the stale lock, releases it, and converges."""
    project.up()
    project.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\nmemory: 2048")
    with project.started("deploy", "--env", "local") as process:
        read_until(process, "▸ apply")
        until(lambda: locked(project), "the apply to lock")
        process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(terraform_of(project), signal.SIGKILL)
    assert locked(project)

    done = project.deploy()
    assert f"left locked by a killed run ({who_am_i()}" in done.err
    assert re.search(r"inv unlock --env local --id [0-9a-f-]{36}", done.err)
    assert "release 2" in done.err
    assert "no changes" in project.deploy().err


def test_ctrl_c_in_the_middle_of_an_apply(project: Project) -> None:
    """Ctrl-C lets Terraform end what it began: exit code 130, no lock left, and the next deploy goes on."""
    project.up()
    project.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\nmemory: 2048")
    with project.started("deploy", "--env", "local") as process:
        read_until(process, "▸ apply")
        until(lambda: locked(project), "the apply to lock")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "asked Terraform to stop" in err
    assert "Traceback" not in err
    done = project.deploy()
    assert "locked" not in done.err
    assert "release 2" in done.err


def test_two_deploys_at_once(project: Project) -> None:
    """One goes on; the other is refused with exit code 5 and says who holds the environment."""
    project.up()
    project.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\nmemory: 1536")
    with project.started("deploy", "--env", "local") as first:
        read_until(first, "▸ plan")
        second = project.run("deploy", "--env", "local")
        _, err = first.communicate(timeout=120)
        assert first.returncode == 0, err
    assert second.code == 5, second.text()
    assert f"{who_am_i()} (process {first.pid}) runs `deploy --env local` since" in second.err
    assert "Traceback" not in second.err


def test_a_lock_of_somebody_else_is_refused_and_released_on_demand(project: Project) -> None:
    """A lock that another machine holds is never released by itself; `inv unlock` names it and releases it."""
    project.up()
    session = Session.begin(project.root, "local", Screen())
    lock = {
        "ID": "0d1e2f3a-0000-4000-8000-000000000001",
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": "sam@elsewhere",
        "Version": "1.11.4",
        "Created": "2026-11-01T10:00:00.000000Z",
        "Path": "p",
    }
    key = "app/local/terraform.tfstate.tflock"
    assert session.aws.put_new(session.target.state_bucket, key, lock)
    refused = project.run("deploy", "--env", "local")
    assert refused.code == 5, refused.text()
    command = f"inv unlock --env local --id {lock['ID']}"
    assert "sam@elsewhere holds it since 2026-11-01" in refused.err
    assert command in refused.err
    wrong = project.run("unlock", "--env", "local", "--id", "nonsense")
    assert wrong.code == 3
    looked = project.run("unlock", "--env", "local", "--dry-run")
    assert "sam@elsewhere" in looked.err
    assert session.aws.read_text(session.target.state_bucket, key) is not None
    assert project.run(*command.split()[1:]).code == 0
    assert "no changes" in project.deploy().err

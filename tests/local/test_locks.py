"""Who may change an environment: locks that are held, left behind, and somebody else's. One system for all of them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal

import pytest

from stackyard.commands.session import Session
from stackyard.releases import last_number
from stackyard.screen import Screen
from stackyard.tools.holding import who_am_i
from tests.local.project import Project, read_until
from tests.waiting import until


@pytest.fixture(scope="module", autouse=True)
def _up(shared: Project) -> None:
    shared.up()


def set_memory(project: Project, memory: int) -> None:
    """Give the service another memory (MiB), so that there is something to deploy."""
    project.write("src/services/api/service.yaml", f"kind: lambda\nmemory: {memory}\n")


def last_release(project: Project) -> int:
    """Return the number of the last release."""
    session = Session.begin(project.root, "local", Screen())
    return last_number(session.aws.list_keys(session.target.state_bucket, "releases/local/"))


def locked(project: Project) -> bool:
    """Tell whether the state of the laptop's environment is locked."""
    session = Session.begin(project.root, "local", Screen())
    return session.aws.read_text(session.target.state_bucket, "app/local/terraform.tfstate.tflock") is not None


def terraform_of(project: Project) -> int:
    """Return the process id of the Terraform that works for a deploy of this project."""
    holder = json.loads((project.root / ".stackyard/env/local/changing.holder").read_text())
    return int(holder["child"])


def test_terraform_killed_too_leaves_a_lock_that_is_named_and_released(shared: Project) -> None:
    """A power cut in the middle of an apply: the next deploy names the stale lock, releases it, and converges."""
    before = last_release(shared)
    set_memory(shared, 2048)
    with shared.started("deploy", "--env", "local") as process:
        read_until(process, "▸ apply")
        until(lambda: locked(shared), "the apply to lock")
        process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(terraform_of(shared), signal.SIGKILL)
    assert locked(shared)

    done = shared.deploy()
    assert f"left locked by a killed run ({who_am_i()}" in done.err
    assert re.search(r"inv unlock --env local --id [0-9a-f-]{36}", done.err)
    assert f"release {before + 1}" in done.err
    assert "no changes" in shared.deploy().err


def test_ctrl_c_in_the_middle_of_an_apply(shared: Project) -> None:
    """Ctrl-C lets Terraform end what it began: exit code 130, no lock left, and the next deploy goes on."""
    before = last_release(shared)
    set_memory(shared, 1024)
    with shared.started("deploy", "--env", "local") as process:
        read_until(process, "▸ apply")
        until(lambda: locked(shared), "the apply to lock")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "asked Terraform to stop" in err
    assert "Traceback" not in err
    done = shared.deploy()
    assert "locked" not in done.err
    assert f"release {before + 1}" in done.err


def test_two_deploys_at_once(shared: Project) -> None:
    """One goes on; the other is refused with exit code 5 and says who holds the environment."""
    set_memory(shared, 1536)
    with shared.started("deploy", "--env", "local") as first:
        read_until(first, "▸ plan")
        second = shared.run("deploy", "--env", "local")
        _, err = first.communicate(timeout=120)
        assert first.returncode == 0, err
    assert second.code == 5, second.text()
    assert f"{who_am_i()} (process {first.pid}) runs `deploy --env local` since" in second.err
    assert "Traceback" not in second.err


def test_a_lock_of_somebody_else_is_refused_and_released_on_demand(shared: Project) -> None:
    """A lock that another machine holds is never released by itself; `inv unlock` names it and releases it."""
    session = Session.begin(shared.root, "local", Screen())
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
    refused = shared.run("deploy", "--env", "local")
    assert refused.code == 5, refused.text()
    command = f"inv unlock --env local --id {lock['ID']}"
    assert "sam@elsewhere holds it since 2026-11-01" in refused.err
    assert command in refused.err
    wrong = shared.run("unlock", "--env", "local", "--id", "nonsense")
    assert wrong.code == 3
    looked = shared.run("unlock", "--env", "local", "--dry-run")
    assert "sam@elsewhere" in looked.err
    assert session.aws.read_text(session.target.state_bucket, key) is not None
    assert shared.run(*command.split()[1:]).code == 0
    assert "no changes" in shared.deploy().err

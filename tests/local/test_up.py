"""`inv up` from nothing to answers, its second run, its end; and what an unchanged deploy costs."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from stackyard.commands.session import Session
from stackyard.local.layout import Layout
from stackyard.screen import Screen
from stackyard.tools.process import SystemRunner
from stackyard.tools.terraform_binary import find_terraform
from tests.local.project import Project, read_until
from tests.waiting import until


def test_up_serves_what_terraform_deployed_and_down_ends_it(project: Project) -> None:
    """One command ends with a gateway that answers; the second says what runs; `inv down` leaves no process."""
    done = project.up()
    for stage in ("packages", "embedded AWS", "bootstrap", "plan", "apply", "verify", "gateway"):
        assert stage in done.err
    assert "s in all:" in done.err
    for path, expected in (("/health", "ok"), ("/greet?name=World", "Hello, World!"), ("/docs", "swagger")):
        for stage in ("", "/local"):
            answer = httpx.get(f"{project.url}{stage}{path}")
            assert answer.status_code == 200, answer.text
            assert expected in answer.text
    assert f"url: '{'/local/openapi.json'}'" in httpx.get(f"{project.url}/local/docs").text
    assert httpx.get(f"{project.url}/local/openapi.json").json()["info"]["title"] == "api"

    # One line a request, in servicekit's form; the runtime client's own form of it would be a second.
    log = project.root / ".stackyard/local/gateway.log"
    until(lambda: log.read_text().count('/greet 200"') == 2, "the log of /greet")
    assert "[INFO]" not in log.read_text()

    again = project.run("up", "--detach", "--port", str(project.port))
    assert again.code == 0, again.text()
    assert "already running" in again.err
    assert project.url in again.err

    session = Session.begin(project.root, "local", Screen())
    digest = json.loads(project.run("services", "--json").out)[0]["digest"]
    assert session.aws.find_images("acme", ["release-local-1-api"]) == {"release-local-1-api": digest}

    report = json.loads(project.run("services", "--json").out)
    assert [(row["name"], row["deployed"]) for row in report] == [("api", "current")]

    assert project.processes()
    project.down()
    until(lambda: not project.processes(), "every process to end")
    assert "nothing was running" in project.run("down").err


def test_a_foreground_up_ends_everything_on_ctrl_c(project: Project) -> None:
    """Ctrl-C at a running `inv up` ends the emulator, the gateway and the workers, with exit code 0."""
    with project.started("up", "--port", str(project.port)) as process:
        read_until(process, "Ctrl-C ends all of it")
        assert httpx.get(f"{project.url}/health").status_code == 200
        assert "already running" in project.run("up").err
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    until(lambda: not project.processes(), "every process to end")
    assert not (project.root / ".stackyard/local/deployment.json").exists()


def test_down_ends_a_foreground_up(project: Project) -> None:
    """`inv down` from another terminal ends a foreground `inv up` as Ctrl-C would."""
    with project.started("up", "--port", str(project.port)) as process:
        read_until(process, "Ctrl-C ends all of it")
        project.down()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err


@pytest.fixture
def counted(project: Project, tmp_path: Path) -> Path:
    """Put a Terraform in front of Terraform that notes every call, and return its notes."""
    notes = tmp_path / "terraform-calls"
    folder = tmp_path / "bin"
    folder.mkdir()
    real = " ".join(find_terraform(SystemRunner(), Layout(project.root).cache).argv)
    (folder / "terraform").write_text(f'#!/bin/sh\necho "$@" >> {notes}\nexec {real} "$@"\n')
    (folder / "terraform").chmod(0o755)
    project.env["PATH"] = f"{folder}:{os.environ['PATH']}"
    return notes


def test_an_unchanged_deploy_is_one_plan(project: Project, counted: Path) -> None:
    """With nothing changed: exactly one `terraform plan`, no apply, no init, no validate, no second release."""
    project.up()
    counted.write_text("")
    done = project.deploy("--json")
    calls = [
        next(word for word in line.split() if not word.startswith("-")) for line in counted.read_text().splitlines()
    ]
    assert sorted(calls) == ["output", "plan", "version"], calls
    report = json.loads(done.out)
    assert (report["changed"], report["release"], report["healthy"]) == (False, 1, True)


def test_a_changed_setting_reaches_the_running_process(project: Project) -> None:
    """An environment variable and a second service of service.yaml reach the gateway by one deploy."""
    project.up()
    project.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\nenvironment: {COLOUR: green}")
    handler = (
        "import json, os\n\n\ndef handler(event, context):\n"
        '    body = {"colour": os.environ.get("COLOUR"), "path": event["path"]}\n'
        '    return {"statusCode": 200, "body": json.dumps(body)}\n'
    )
    project.write("src/services/tint/service.yaml", "kind: lambda\nenvironment: {COLOUR: blue}\n")
    project.write(
        "src/services/tint/pyproject.toml", '[project]\nname = "tint"\nversion = "0"\nrequires-python = ">=3.11"\n'
    )
    project.write("src/services/tint/tint/__init__.py", "")
    project.write("src/services/tint/tint/lambda_handler.py", handler)
    deployed = project.deploy()
    assert "release 2" in deployed.err
    assert httpx.get(f"{project.url}/tint/x").json() == {"colour": "blue", "path": "/tint/x"}
    facts = json.loads((project.root / ".stackyard/local/deployment.json").read_text())
    colours = {item["service"]: item["environment"].get("COLOUR") for item in facts["functions"].values()}
    assert colours == {"api": "green", "tint": "blue"}

    assert "no changes" in project.deploy().err


def test_destroy_takes_all_of_it_away_and_a_deploy_brings_it_back(project: Project) -> None:
    """Only with the environment's name typed; what `inv bootstrap` made stays; a key is asked for where one is due."""
    project.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\napi_key: true")
    project.up()
    assert httpx.get(f"{project.url}/greet").json()["message"] == "Forbidden"
    session = Session.begin(project.root, "local", Screen())
    deployed = json.loads((project.root / ".stackyard/local/deployment.json").read_text())
    keys = session.aws.describe_keys(deployed["api_id"])
    answer = httpx.get(f"{project.url}/greet", headers={"x-api-key": keys[0]["value"]})
    assert answer.json() == {"message": "Hello, World!"}

    seen = project.run("destroy", "--env", "local", "--dry-run")
    assert seen.code == 0, seen.text()
    assert "to destroy" in seen.err
    refused = project.run("destroy", "--env", "local")
    assert refused.code == 5, refused.text()
    assert "inv destroy --env local --confirm local" in refused.err
    assert httpx.get(f"{project.url}/greet").json()["message"] == "Forbidden"

    done = project.run("destroy", "--env", "local", "--confirm", "local", "--json")
    assert done.code == 0, done.text()
    assert json.loads(done.out)["changed"] is True
    assert httpx.get(f"{project.url}/greet").json()["message"] == "Missing Authentication Token"
    assert json.loads(project.run("services", "--json").out)[0]["deployed"] == "no"
    assert project.run("destroy", "--env", "local", "--confirm", "local").code == 0
    assert "no changes" in project.run("bootstrap", "--env", "local").err

    assert "release 2" in project.deploy().err
    assert httpx.get(f"{project.url}/greet").json()["message"] == "Forbidden"

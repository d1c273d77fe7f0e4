"""Every Terraform module by its own tests, with a mocked provider and the real schema."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.terraform import ROOT, found

MODULES = sorted(path.parent for path in (ROOT / "infra").glob("**/versions.tf") if ".terraform" not in path.parts)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT / "infra").as_posix())
def test_module(module: Path, tmp_path: Path) -> None:
    """The module's runs pass, and each of its checks has a run that it refuses."""
    runs = "".join(path.read_text() for path in module.glob("tests/*.tftest.hcl"))
    assert 'mock_provider "aws"' in runs or "mock_provider" in runs
    checks = sum(len(re.findall(r"^\s*(?:validation|precondition) \{", path.read_text(), re.MULTILINE))
                 for path in module.glob("*.tf"))  # fmt: skip
    refused = len(re.findall(r'^run "reject_', runs, re.MULTILINE))
    assert refused >= checks, f"{checks} checks, {refused} runs named reject_…"
    binary, env = found()
    env["TF_DATA_DIR"] = str(tmp_path / "data")
    for arguments in (["init", "-backend=false", "-input=false", "-no-color"], ["test", "-no-color"]):
        argv = [*binary.argv, f"-chdir={module}", *arguments]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", done.stdout), done.stdout

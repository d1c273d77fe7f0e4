"""Run Terraform as the tasks find it: `python tests/terraform.py fmt -check -recursive infra`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stackyard.local.layout import Layout
from stackyard.tools.process import SystemRunner
from stackyard.tools.terraform import QUICK
from stackyard.tools.terraform_binary import Binary, cli_environment, find_terraform

ROOT = Path(__file__).resolve().parents[1]


def found() -> tuple[Binary, dict[str, str]]:
    """Return the Terraform to use and the environment to run it in."""
    cache = Layout(ROOT).cache
    binary = find_terraform(SystemRunner(), cache)
    env = cli_environment(os.environ, Path.home(), binary.registry, cache)
    return binary, {**QUICK, **env, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


if __name__ == "__main__":
    binary, env = found()
    sys.exit(subprocess.run([*binary.argv, *sys.argv[1:]], env=env, check=False).returncode)

"""Runs the jobs of the GitHub workflows as they are written: each step's own words in bash, in a copy of the project.

What actions of others do is done by stand-ins: a checkout is there already, an artifact is a folder, and signing in
to AWS gives a job the credentials of the embedded account that it had not before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.expressions import fill, holds, write
from tests.local.project import OF_THE_TEST_RUN, find_uv
from tests.workflows import WORKFLOWS, find_own

SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""GitHub's own, for a step that names bash (Workflow syntax: jobs.<job_id>.steps[*].shell); the default has less."""


@dataclass
class Ran:
    """One job that ran."""

    result: str = "success"
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    role: str = ""
    """The ARN of the role that it took."""
    said: str = ""
    """Everything that its steps printed."""


@dataclass
class Checkout:
    """A clone of the project where jobs run, one after the other; ``artifacts`` outlive them."""

    root: Path
    programs: Path
    """A folder at the beginning of PATH."""
    aws: Mapping[str, str]
    """What a job has after it signed in."""
    artifacts: Path
    env: dict[str, str] = field(default_factory=dict[str, str])

    def run(self, workflow: str, name: str, github: Mapping[str, Any], **contexts: Any) -> Ran:
        """Run a job to its end, as far as its conditions let it; ``contexts`` are ``inputs``, ``needs``, ``matrix``."""
        data = WORKFLOWS[workflow]["jobs"][name]
        ran = Ran()
        own: dict[str, Any] = {"inputs": {}, "needs": {}, "matrix": {}, **contexts, "github": github}
        own |= {"steps": {}, "status": "success"}
        shutil.rmtree(self.root / "reports", ignore_errors=True)
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(OF_THE_TEST_RUN)}
        self.env |= {
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "UV_PYTHON": sys.executable,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "FAKE_GITHUB": str(self.artifacts / "github.json"),
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_ATTEMPT": "1",
        }
        self._steps(data["steps"], own, ran)
        ran.result = own["status"]
        ran.outputs = {key: write(value) for key, value in fill(data.get("outputs", {}), own).items()}
        return ran

    def _steps(self, steps: list[dict[str, Any]], own: dict[str, Any], ran: Ran) -> None:
        for step in steps:
            if not holds(step.get("if", "success()"), own):
                continue
            action = find_own(step)
            if action is not None:
                defaults = {key: each.get("default") for key, each in action["inputs"].items()}
                inner = {**own, "inputs": {**defaults, **fill(step.get("with", {}), own)}, "steps": {}}
                self._steps(action["runs"]["steps"], inner, ran)
                own["status"] = inner["status"]
            elif "run" in step:
                self._shell(step, own, ran)
            else:
                self._stand_in(step["uses"].partition("@")[0], fill(step.get("with", {}), own), ran)

    def _shell(self, step: Mapping[str, Any], own: dict[str, Any], ran: Ran) -> None:
        told = self.artifacts / "output"
        told.write_text("")
        given = {key: write(value) for key, value in fill(step.get("env", {}), own).items()}
        done = subprocess.run(
            [*SHELL, "-c", step["run"]],
            cwd=self.root,
            env={**self.env, **given, "GITHUB_OUTPUT": str(told)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        ran.said += f"$ {step['run']}\n{done.stdout}{done.stderr}(exit code {done.returncode})\n"
        if done.returncode:
            own["status"] = "failure"
        if "id" in step:
            lines = [line.partition("=") for line in told.read_text().splitlines()]
            own["steps"][step["id"]] = {"outputs": {key: value for key, _, value in lines}}

    def _stand_in(self, action: str, given: Mapping[str, Any], ran: Ran) -> None:
        match action:
            case "actions/checkout":
                assert given["persist-credentials"] is False
            case "astral-sh/setup-uv":
                if not (self.root / ".venv").exists():
                    argv = [find_uv(), "venv", "--quiet", "--python", sys.executable]
                    subprocess.run(argv, cwd=self.root, env=self.env, check=True)
                self.env["PATH"] = f"{self.root / '.venv/bin'}{os.pathsep}{self.env['PATH']}"
            case "aws-actions/configure-aws-credentials":
                ran.role = given["role-to-assume"]
                self.env |= {**self.aws, "AWS_REGION": given["aws-region"]}
            case "actions/upload-artifact":
                if (self.root / given["path"]).is_dir():
                    shutil.copytree(self.root / given["path"], self.artifacts / given["name"], dirs_exist_ok=True)
            case "actions/download-artifact":
                for folder in sorted(self.artifacts.glob(given["pattern"])):
                    shutil.copytree(folder, self.root / given["path"], dirs_exist_ok=True)
            case _:
                raise AssertionError(f"no stand-in for {action}")

"""Each scanner of `nox -s security` finds what it is there for, by the command that the session runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import noxfile
from tests.terraform import ROOT

SCRIPT = "#!/usr/bin/env bash\nset -euo pipefail\n"
WORKFLOW = """\
name: ci
on: pull_request
permissions: {}
concurrency: {group: ci, cancel-in-progress: true}
jobs:
  ci:
    name: ci
    runs-on: ubuntu-latest
    steps:
      - run: echo TEXT
"""
BUCKET = 'resource "aws_s3_bucket" "this" {\n  bucket = "acme"\n}\n'


def scan(what: str, folder: Path) -> subprocess.CompletedProcess[str]:
    tool, *arguments = noxfile.SCANS[what]
    argv = [os.environ.get("UV", "uv") if tool == "uv" else tool, *arguments]
    env = {**os.environ, **noxfile.STRICT}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, check=True)


@pytest.mark.parametrize(
    ("what", "name", "good", "bad", "finding"),
    [
        ("Dockerfile", "Dockerfile", "FROM scratch\n", "FROM debian:13\nRUN cat /a | sort\n", "DL4006"),
        ("scripts", ".ci/run", SCRIPT, f"{SCRIPT}rm -r $HOME/$1\n", "SC2086"),
        ("workflows", ".github/workflows/ci.yml", WORKFLOW,
         WORKFLOW.replace("TEXT", "${{ github.event.pull_request.title }}"), "template-injection"),
    ],
)  # fmt: skip
def test_a_fault_is_found(what: str, name: str, good: str, bad: str, finding: str, tmp_path: Path) -> None:
    """A file without a fault passes; the fault ends the scan with another code than 0, and is named."""
    write(tmp_path, name, good)
    done = scan(what, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    write(tmp_path, name, bad)
    done = scan(what, tmp_path)
    assert done.returncode != 0
    assert finding in done.stdout


def test_a_secret_of_the_past_is_found(tmp_path: Path) -> None:
    """A private key that a later commit took away still ends the scan, which shows nothing of it."""
    git(tmp_path, "init", "--quiet")
    write(tmp_path, "README.md", "Nothing secret.\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=Begin")
    assert scan("secrets", tmp_path).returncode == 0
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write(tmp_path, "key.pem", key)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=Add")
    git(tmp_path, "rm", "--quiet", "key.pem")
    git(tmp_path, "commit", "--quiet", "--message=Remove")
    done = scan("secrets", tmp_path)
    assert done.returncode != 0
    assert "key.pem" in done.stdout
    assert not any(line in done.stdout + done.stderr for line in key.splitlines()[1:-1])


def test_an_open_bucket_is_found(tmp_path: Path) -> None:
    """Our settings are read: a bucket without a public access block fails, and so does what cannot be parsed."""
    shutil.copy(ROOT / ".checkov.yaml", tmp_path)
    # As the project has it: what the machine trusts is trusted.
    write(tmp_path, "uv.toml", "system-certs = true\n")
    write(tmp_path, "infra/checkov.txt", (ROOT / "infra" / "checkov.txt").read_text())
    write(tmp_path, "infra/app/main.tf", BUCKET)
    write(tmp_path, "infra/app/tests/app.tftest.hcl", 'run "x" {\n  command = plan\n')
    done = scan("infra", tmp_path)
    assert done.returncode != 0
    assert "CKV2_AWS_6" in done.stdout
    write(tmp_path, "infra/app/main.tf", 'resource "aws_s3_bucket" {{{\n')
    done = scan("infra", tmp_path)
    assert done.returncode != 0
    assert "Parsing errors: 1" in done.stdout

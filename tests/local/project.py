"""A project in a temporary folder, driven as its user drives it: by `inv`, from outside."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.printed import check_printed

HERE = Path(__file__).resolve().parents[2]
COPIED = ("stackyard.yaml", "noxfile.py", "pyproject.toml", "uv.lock", "README.md", "infra", "src", "tasks")
OF_THE_TEST_RUN = (
    *("AWS_", "PYTHON", "NOX", "VIRTUAL_ENV", "UV_PROJECT", "UV_PYTHON", "TF_CLI_CONFIG_FILE"),
    "STACKYARD_REGISTRY",
)
"""What nox, pytest and this shell set. With UV_PROJECT_ENVIRONMENT a project's `uv run` would take the tests' own, and
with a registry it would build images, for which these projects have no Dockerfile."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*", ".pytest_cache", ".venv")


@dataclass
class Done:
    """An `inv` that ended."""

    code: int
    out: str
    err: str

    def text(self) -> str:
        """Return both streams, for messages."""
        return f"exit code {self.code}\n{self.out}\n{self.err}"


@dataclass
class Project:
    """A project of its own in a temporary folder."""

    root: Path
    inv: Path
    port: int
    env: dict[str, str] = field(default_factory=dict[str, str])

    def environment(self, **extra: str) -> dict[str, str]:
        """Return what a new shell has, and nothing of the test run's own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_TEST_RUN)}
        return {**kept, **self.env, **extra}

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Start `inv` and return the process; standard error is its pipe."""
        return subprocess.Popen(
            [str(self.inv), *arguments],
            cwd=self.root,
            env=self.environment(**extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Generator[subprocess.Popen[str]]:
        """Start `inv`, and wait for its end; a test that fails meanwhile does not wait for ever."""
        with self.start(*arguments) as process:
            try:
                yield process
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise

    def run(self, *arguments: str, timeout: float = 240, **extra: str) -> Done:
        """Run `inv` to its end; what it printed as data must be what its schema says."""
        process = self.start(*arguments, **extra)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            pytest.fail(f"inv {' '.join(arguments)} took more than {timeout} s\n{out}\n{err}")
        check_printed(arguments, out)
        return Done(process.returncode, out, err)

    def up(self) -> Done:
        """Bring it up in the background, and insist on it."""
        done = self.run("up", "--detach", "--port", str(self.port))
        assert done.code == 0, done.text()
        return done

    def deploy(self, *arguments: str) -> Done:
        """Deploy to the laptop, and insist on it."""
        done = self.run("deploy", "--env", "local", *arguments)
        assert done.code == 0, done.text()
        return done

    def down(self) -> None:
        """End what runs."""
        done = self.run("down")
        assert done.code == 0, done.text()

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> Path:
        """Every call of the embedded AWS, where `record` asked for it before `up`."""
        return self.root / ".stackyard/local/calls.jsonl"

    def record(self) -> None:
        """Have the next `up` write down every call of the embedded AWS."""
        self.env["STACKYARD_RECORD_CALLS"] = "1"

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def change(self, path: str, old: str, new: str) -> None:
        """Change a file of the project, and insist that there was something to change."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new))

    def processes(self) -> list[str]:
        """Return the command lines of every process that has to do with this project."""
        found: list[str] = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                place = (folder / "cwd").readlink()
                if str(self.root) in command or str(place).startswith(str(self.root)):
                    found.append(f"{folder.name} {command}")
        return found


def read_until(process: subprocess.Popen[str], moment: str) -> str:
    """Read what a process prints until ``moment`` is in it."""
    assert process.stderr is not None
    printed = ""
    for line in process.stderr:
        printed += line
        if moment in line:
            return printed
    raise AssertionError(f"never printed {moment!r}:\n{printed}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def copy_project(target: Path, *services: str) -> None:
    """Copy the files that a clone would have, and the lock that its first `uv run` would write.

    With ``services``, only those of the three that are shipped: a network and an ECS cluster take 10 s in each apply.
    """
    for name in COPIED:
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=LEFT_OUT)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    for folder in (target / "src/services").iterdir():
        if services and folder.name not in services:
            shutil.rmtree(folder)


def smoke(project: Project, *arguments: str) -> Done:
    """Run the smoke tests in the project, as a user does."""
    if not (project.root / "tests/smoke").is_dir():
        shutil.copytree(HERE / "tests/smoke", project.root / "tests/smoke", ignore=LEFT_OUT)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/smoke", "--env", "local", *arguments],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def find_uv() -> str:
    """Return the uv that runs this; there is one wherever nox was started as the README says."""
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv, "these tests run the project as its README says, with uv"
    return uv


def install(root: Path) -> None:
    """Make a copied project's environment of its own, bytecode included."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_TEST_RUN)}
    subprocess.run(
        [find_uv(), "sync", "-q", "--all-packages", "--compile-bytecode", "--python", sys.executable],
        cwd=root,
        env=env,
        check=True,
    )

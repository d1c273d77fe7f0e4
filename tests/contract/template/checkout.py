"""A repository in a temporary folder, and what the tests of the template know of its two versions."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.printed import check_printed

BIN = Path(sys.executable).parent
SAMPLES = ("api", "web", "worker")
MODULE = "infra/modules/lambda-service/main.tf"
NEW = "src/stackyard/brandnew.py"
NOTED = "docs/gotchas.md"


@dataclass(slots=True)
class Checkout:
    """A repository in a temporary folder."""

    root: Path
    env: dict[str, str]

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv, cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).stdout.strip()

    def inv(self, *arguments: str, code: int = 0) -> str:
        """Run `inv`, and insist on its exit code; what it said on both streams."""
        done = self.run(str(BIN / "inv"), *arguments, check=False)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        check_printed(arguments, done.stdout)
        return done.stdout + done.stderr

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def change(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{path} has no {old!r}"
        (self.root / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        return self.git("status", "--porcelain")

    def clone(self, root: Path) -> Checkout:
        self.git("clone", "--quiet", str(self.root), str(root))
        return Checkout(root, self.env)

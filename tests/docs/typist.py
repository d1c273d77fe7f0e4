"""Types what a page says into a real shell, block by block, as somebody would who follows it.

Owns the clone, the shell's surroundings and the clock. Knows no page.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.documents import ROOT, Block
from tests.local.project import find_uv, free_port
from tests.waiting import until

READY = "Ctrl-C ends all of it."
PORT = 8080
"""Where the pages say that the gateway is."""
PATIENCE = 240.0
REACHING = ("SSL_CERT", "PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "UV_INDEX", "UV_DEFAULT_INDEX", "CHROMIUM")
"""All that a typist's shell has beside HOME and PATH: how this machine reaches its package index."""
FUNCTIONS = 'inv() { uv run inv "$@"; }; nox() { uv run nox "$@"; }'
"""What both words stand for, by the README."""
FILE_BLOCK = re.compile(r"# ((?:src|infra|stackyard\.yaml)[\w./-]*)[^\n]*\n")
"""A block of a file's own language whose first line is its path is that file."""


@dataclass
class Step:
    """A block that was typed, and the seconds that it took."""

    block: Block
    seconds: float
    printed: str


@dataclass
class Background:
    """What a block left running, and what it has printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        """Read along."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def interrupt(self) -> int:
        """Type Ctrl-C into its terminal: every process of its group hears it. Return the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(60)
        self._reader.join(10)
        if self.process.stdout:
            self.process.stdout.close()
        return code


@dataclass
class Typist:
    """Somebody at a shell in a folder; ``port`` is where the gateway is to be, when the pages' own is taken."""

    root: Path
    port: int = PORT
    steps: list[Step] = field(default_factory=list[Step])
    running: list[Background] = field(default_factory=list[Background])

    def type(self, blocks: Sequence[Block]) -> None:
        """Type every block that is to be executed, write files of folders that are there, compare what is printed."""
        for number, block in enumerate(blocks):
            if block.executed:
                shown = blocks[number + 1] if number + 1 < len(blocks) and blocks[number + 1].kind == "prints" else None
                self._run(block, shown)
            elif block.language in ("yaml", "toml", "python") and (named := FILE_BLOCK.match(block.text)):
                file = self.root / named[1]
                if file.parent.is_dir():
                    file.write_text(block.text, encoding="utf-8")

    def _run(self, block: Block, shown: Block | None) -> None:
        began = time.monotonic()
        if block.kind == "until" or re.search(r"(^|\s)inv up( --port \d+)?\s*$", block.text):
            printed = self._start(block, block.value if block.kind == "until" else READY)
        else:
            printed = self._finish(block)
        while shown and (missing := lacking(shown, self._here(printed, back=True))):
            # Saving a file takes a moment to show; only questions may be asked again.
            patient = re.fullmatch(r"(?:[^\n]*\n)?curl [^\n]*\n", block.text) and time.monotonic() - began < 20
            assert patient, f"{block.place} does not print {missing!r}, but:\n{printed}"
            again = block.text.splitlines()[-1]
            printed = self._finish(Block(block.page, block.line, "bash", again))
        self.steps.append(Step(block, time.monotonic() - began, printed))

    def _here(self, text: str, *, back: bool = False) -> str:
        """Put the gateway's port here in place of the pages', or the other way round."""
        if self.port == PORT:
            return text
        if back:
            return text.replace(f":{self.port}", f":{PORT}")
        return re.sub(r"\binv up\b", f"inv up --port {self.port}", text.replace(f":{PORT}", f":{self.port}"))

    def _open(self, block: Block) -> subprocess.Popen[str]:
        kept = self.root.parent / f"{self.root.name}.env"
        before = f"source {kept}; " if kept.exists() else ""
        after = f"export -p > {kept}"
        return subprocess.Popen(
            ["bash", "-ec", f"{before}set -o pipefail; {FUNCTIONS}\n{self._here(block.text)}\n{after}\n"],
            cwd=self.root,
            env=surroundings(self.root),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _finish(self, block: Block) -> str:
        with self._open(block) as process:
            try:
                printed, _ = process.communicate(timeout=PATIENCE)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        assert process.returncode == 0, f"{block.place} ended with {process.returncode}:\n{block.text}\n{printed}"
        return printed

    def _start(self, block: Block, moment: str) -> str:
        background = Background(self._open(block))
        self.running.append(background)

        def ready() -> bool:
            assert background.process.poll() is None, f"{block.place} ended:\n{''.join(background.lines)}"
            return any(moment in line for line in list(background.lines))

        until(ready, f"{moment!r} of {block.place}", PATIENCE)
        return "".join(background.lines)

    def leave(self) -> None:
        """Type Ctrl-C where something still runs."""
        while self.running:
            self.running.pop().interrupt()

    def end(self) -> None:
        """Leave nothing running, in the background neither."""
        self.leave()
        if (self.root / ".venv").exists():
            self._finish(Block("the end", 0, "bash", "inv down\n"))


def surroundings(root: Path) -> dict[str, str]:
    """Return what `env -i` with HOME and PATH leaves, uv on PATH as the pages take for granted."""
    own = Path(sys.prefix)
    path = [each for each in os.environ["PATH"].split(os.pathsep) if own not in (Path(each), *Path(each).parents)]
    kept = {name: value for name, value in os.environ.items() if name.startswith(REACHING)}
    uv = str(root / ".uv/bin") if (root / ".uv").exists() else str(Path(find_uv()).parent)
    return {**kept, "HOME": str(Path.home()), "PATH": os.pathsep.join([uv, *path])}


def lacking(shown: Block, printed: str) -> str:
    """Return the first line of ``shown`` that ``printed`` does not have after the lines before; nothing if it has all.

    Runs of blanks may differ, and figures and hashes where it is not to be exact; ``…`` stands for anything.
    """
    exact = shown.value == "exactly"
    there = iter(normalise(line, exact=exact) for line in printed.splitlines())
    for line in shown.text.splitlines():
        wanted = re.escape(normalise(line, exact=exact)).replace("…", ".*")
        if wanted not in ("", ".*") and not any(re.fullmatch(wanted, each) for each in there):
            return line
    return ""


def normalise(line: str, *, exact: bool) -> str:
    """Take out of a line what differs from run to run: blanks alone, or figures and hashes, too."""
    if exact:
        return " ".join(line.split())
    line = re.sub(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "0", line)
    line = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b|\d+(?:[.,]\d+)*", "0", line)
    return " ".join(line.split())


@contextlib.contextmanager
def fresh_clone(folder: Path) -> Generator[Typist]:
    """Clone the working tree as git would give it to somebody, and end what was started there."""
    origin, clone = folder / "origin", folder / "clone"
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, origin / name)
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "add", "--all")
    git(origin, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message=A template")
    git(folder, "clone", "--quiet", str(origin), str(clone))
    typist = Typist(clone, PORT if is_free(PORT) else free_port())
    try:
        yield typist
    finally:
        typist.end()


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it prints."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0

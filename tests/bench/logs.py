"""`inv logs --follow` at 1,000 lines a second of five services: from an endpoint that misbehaves, and on the laptop.

Counts what is printed against what was written, and measures how far behind it is, its memory and its CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stackyard.local.gateway.journal import Journal
from tests.bench.common import ROOT, environment, goal, say, table
from tests.logsendpoint import LogsEndpoint, make_line, serving_logs

SERVICES = ("api", "desk", "mail", "shop", "web")
PROJECT = """\
project: acme
repository: acme/platform
region: eu-west-1
environments:
  dev: {account: "111111111111"}
"""
INV = str(Path(sys.executable).with_name("inv"))


@dataclass
class Followed:
    """What one run printed."""

    numbers: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """By service, in the order in which they came."""
    disorder: int = 0
    """Lines that came after one with a later time."""
    behind: list[float] = field(default_factory=list[float])
    """How old lines were when they came (s)."""
    memory: list[int] = field(default_factory=list[int])
    """Resident, in KiB, once a second."""
    code: int = 0
    errors: str = ""
    cpu: float = 0.0
    """In s, from the first line on: what came before is the start."""
    seconds: float = 0.0
    """From the first line on."""


def make_checkout(folder: Path) -> None:
    """Write a project with the five services, and the tasks."""
    (folder / "stackyard.yaml").write_text(PROJECT)
    shutil.copytree(ROOT / "tasks", folder / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SERVICES:
        package = folder / "src/services" / name / name
        package.mkdir(parents=True)
        for file in ("../pyproject.toml", "__init__.py", "lambda_handler.py"):
            (package / file).write_text("")
        (package.parent / "service.yaml").write_text("kind: lambda\n")


def log_groups() -> list[str]:
    """Return the log groups of the five services."""
    return [f"/aws/lambda/acme-dev-{name}" for name in SERVICES]


def aws_settings(url: str) -> Mapping[str, str]:
    """Return what makes `inv` speak to the endpoint."""
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "local")
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    return {**environment(), **keys, **files, "AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}


class Writer(Protocol):
    """What writes lines, numbered from 0 in each service. ``rate`` in lines a second of each service, times in s."""

    rate: int
    began: float
    ended: float


@dataclass
class JournalWriter:
    """The local gateway's journal, written as the gateway does: what five services print."""

    path: Path
    rate: int
    began: float = field(default_factory=time.time)
    ended: float = float("inf")

    async def write(self) -> None:
        """Write until the end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        journal, number = Journal(self.path, io.StringIO()), 0
        while time.time() < self.ended:
            await asyncio.sleep(0.02)
            while self.began + number / self.rate <= min(time.time(), self.ended - 0.5 / self.rate):
                for name in SERVICES:
                    journal.log(name, json.dumps(make_line(number, int((self.began + number / self.rate) * 1000))))
                number += 1
        journal.flush()


@contextlib.contextmanager
def writing(writer: JournalWriter) -> Generator[JournalWriter]:
    """Have it written by a thread."""
    thread = threading.Thread(target=lambda: asyncio.run(writer.write()))
    thread.start()
    try:
        yield writer
    finally:
        writer.ended = 0
        thread.join()


def follow(folder: Path, endpoint: LogsEndpoint, seconds: float, patience: float = 40.0) -> Followed:
    """Follow dev's logs from an endpoint until all that was written in ``seconds`` has been printed, then Ctrl-C."""
    return follow_writer(folder, "dev", aws_settings(endpoint.url), endpoint, seconds, patience)


def follow_writer(
    folder: Path, environment_name: str, env: Mapping[str, str], writer: Writer, seconds: float, patience: float = 40.0
) -> Followed:
    """Follow an environment's logs until all that was written in ``seconds`` has been printed, then send Ctrl-C."""
    found = Followed()
    argv = [INV, "logs", "--env", environment_name, "--follow", "--json", "--since", "1h", *SERVICES]
    with (
        (folder / "errors").open("w+") as errors,
        subprocess.Popen(argv, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=errors) as inv,
    ):
        assert inv.stdout is not None
        writer.ended = writer.began + seconds
        until, looked, last = time.time() + seconds + patience, 0.0, 0
        left = int(seconds * writer.rate) * len(SERVICES)
        began, spent = 0.0, 0.0
        for raw in inv.stdout:
            line = json.loads(raw)
            if not began:
                began, spent = time.time(), _cpu(inv.pid)
            found.numbers.setdefault(line["service"], []).append(line["fields"]["number"])
            found.disorder += line["time"] < last
            last = max(last, line["time"])
            found.behind.append(time.time() - line["time"] / 1000)
            left -= 1
            if time.time() - looked > 1:
                looked = time.time()
                found.memory.append(_resident(inv.pid))
            if left == 0 or time.time() > until:
                break
        found.cpu, found.seconds = _cpu(inv.pid) - spent, time.time() - began
        inv.send_signal(signal.SIGINT)
        inv.stdout.read()
        found.code = inv.wait()
        errors.seek(0)
        found.errors = errors.read()
    return found


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def _cpu(pid: int) -> float:
    """Return the CPU time of a process so far, user and system (s): fields 14 and 15 of proc(5)'s stat."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench logs", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long services write (120)")
    parser.add_argument("--rate", type=int, default=200, help="lines a second of each of five services (200)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_checkout(folder)
        with serving_logs(LogsEndpoint(log_groups(), rate=options.rate, hang_at=12)) as endpoint:
            found = follow(folder, endpoint, options.seconds)
        say("CloudWatch Logs, from an endpoint that throttles, hangs, breaks off and rotates")
        show(found, int(options.seconds * options.rate), behind=6)
        say(f"the endpoint: {endpoint.told}")
        say()
        with writing(JournalWriter(folder / ".stackyard/local/journal.jsonl", options.rate)) as writer:
            found = follow_writer(folder, "local", environment(), writer, options.seconds / 2)
        say("the laptop's journal, half as long")
        show(found, int(options.seconds / 2 * options.rate), behind=1)


def show(found: Followed, wanted: int, *, behind: float) -> None:
    """Print figures and goals: lines that were ``wanted`` of each service, seconds they may come behind."""
    printed = sum(len(each) for each in found.numbers.values())
    lost = sum(len(set(range(wanted)) - set(each)) for each in found.numbers.values())
    late, memory = sorted(found.behind), found.memory
    table(
        [
            *("lines", "lost", "twice", "out of order", "behind: median", "p99", "most (s)"),
            *("CPU s", "of a core", "exit code"),
        ],
        [
            [
                *(str(each) for each in (printed, lost, printed + lost - wanted * len(SERVICES), found.disorder)),
                *(f"{late[int(len(late) * part)]:.1f}" for part in (0.5, 0.99)),
                *(f"{late[-1]:.1f}", f"{found.cpu:.1f}", f"{found.cpu / found.seconds:.1%}", str(found.code)),
            ]
        ],
    )
    quarters = [memory[round((len(memory) - 1) * part)] / 1024 for part in (0.25, 0.5, 0.75, 1)]
    say(f"resident MiB at 25, 50, 75, 100 %: {', '.join(f'{each:.0f}' for each in quarters)}")
    goal("lines lost", lost, 0)
    goal("lines out of order", found.disorder, 0)
    goal("of a core at this rate", found.cpu / found.seconds, 0.25)
    goal("behind, median", late[len(late) // 2], behind, " s")
    goal("memory at the end beside that at the half", quarters[3] / quarters[1], 1.1)

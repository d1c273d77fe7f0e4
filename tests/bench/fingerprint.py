"""What git spares in naming the images: hashes of 2,000 files with it, and of all of them read in Python.

A repository as a checkout leaves it (files older than the index, objects packed), 2,000 files of 0.2 to 8 kB in 140
folders: nothing changed, and 20 files changed. Processes are counted for 200 files and for 2,000. CPU and wall time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from stackyard.tools.git import find_blobs
from stackyard.tools.process import SystemRunner
from stackyard.tools.tree import hash_files
from tests.bench.common import goal, median, ratios, run, say, table, take_turns
from tests.counting import Counting

GOAL = 0.5
FILES = 2_000
OLD = 1_700_000_000


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench fingerprint", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds (15)")
    rounds = parser.parse_args(argv).rounds
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name, "small"), Path(name, "large")
        _make(small, FILES // 10)
        _make(large, FILES)
        started = {root.name: _count(root) for root in (small, large)}
        kinds: dict[str, Callable[[], tuple[float, float]]] = {
            "by git": lambda: _measure(lambda: hash_files(large, ["src"], find_blobs(SystemRunner(), large, ["src"]))),
            "all in Python": lambda: _measure(lambda: hash_files(large, ["src"])),
            "SHA-256 in a bare loop": lambda: _measure(lambda: _hash_plainly(large)),
        }
        clean = take_turns(kinds, rounds)
        for number in range(20):
            (large / f"src/s{number}/p0/f{number * 7}.py").write_bytes(b"changed")
        changed = take_turns(kinds, rounds)
    rows: list[list[str]] = []
    for state, found in (("nothing changed", clean), ("20 files changed", changed)):
        for kind, figures in found.items():
            cpu, wall = ([figure[index] for figure in figures] for index in (0, 1))
            each = ratios(cpu, [figure[0] for figure in found["all in Python"]])
            row = [f"{median(values):.1f}" for values in (cpu, wall)]
            rows.append([state, kind, *row, f"{min(cpu):.1f}", f"{median(each):.2f}"])
    table([f"{FILES} files", "", "CPU ms", "wall ms", "min CPU", "ratio, by round"], rows)
    say(f"processes started: {started['large']} for {FILES} files, {started['small']} for {FILES // 10}")
    cpu = ratios([one for one, _ in clean["by git"]], [one for one, _ in clean["all in Python"]])
    goal("fingerprints by git beside hashing all in Python", median(cpu), GOAL)


def _make(root: Path, files: int) -> None:
    """Make a repository as it is after a clone."""
    chance = random.Random(1)  # noqa: S311  (content, no secrets)
    for number in range(files):
        path = root / f"src/s{number % 20}/p{number % 7}/f{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.randrange(200, 8000)))
        os.utime(path, (OLD, OLD))
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"], ["gc", "-q"]):
        run(["git", *identity, *arguments], cwd=root)


def _hash_plainly(root: Path) -> None:
    """Read and hash all, with nothing of ours."""
    for folder, _, names in os.walk(root / "src"):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123  (the fastest that there is)
                hashlib.sha256(file.read()).hexdigest()


def _measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU time, children included, and wall time of some work, in ms."""
    before, begun = _cpu(), time.perf_counter()
    work()
    return (_cpu() - before) * 1000, (time.perf_counter() - begun) * 1000


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _count(root: Path) -> int:
    runner = Counting()
    find_blobs(runner, root, ["src"])
    return runner.started

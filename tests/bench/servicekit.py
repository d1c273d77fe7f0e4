"""What servicekit costs a cold start, against a bare FastAPI and Mangum.

Each start is a fresh process that does nothing else, with bytecode compiled before; the kinds take turns, so that a
noisy machine treats them alike. What counts is CPU time (user and system) by the operating system's own books.

    python tests/bench/servicekit.py --rounds 40
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence

BUDGET = 1.1
"""Most that servicekit may cost, as a multiple of the bare application's CPU time."""

_ROUTES = """
@app.get("/")
async def index() -> dict[str, str]: return {}

@app.get("/greet")
async def greet(name: str = "World") -> dict[str, str]: return {"message": name}
"""

_PROBES = """
@app.get("/health")
async def health() -> dict[str, str]: return {}

@app.get("/liveness")
async def liveness() -> dict[str, str]: return {}

@app.get("/readiness")
async def readiness() -> dict[str, str]: return {}
"""

_BARE = f"""
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()
{_ROUTES}{_PROBES}
handler = Mangum(app, lifespan="off")
"""

_BARE_UNCOLLECTED = f"""
import gc
gc.disable()
{_BARE}
"""

_SERVICEKIT = f"""
from servicekit import create_app, handler as lambda_handler

app = create_app()
{_ROUTES}
handler = lambda_handler(app)
"""

KINDS = {
    "python alone": "",
    "bare FastAPI + Mangum": _BARE,
    "the same, gc off": _BARE_UNCOLLECTED,
    "servicekit": _SERVICEKIT,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table and the ratio; return 1 when it is over budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25, help="starts of each kind (25)")
    rounds = parser.parse_args(argv).rounds

    for program in KINDS.values():
        _start(program)
    times: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(rounds):
        for name, program in KINDS.items():
            times[name].append(_start(program))

    bare = times["bare FastAPI + Mangum"]
    table = [f"{'CPU ms to start':24}{'median':>8}{'min':>8}{'ratio of medians':>18}{'of minima':>11}"]
    for name, values in times.items():
        middle, least = statistics.median(values), min(values)
        ratios = f"{middle / statistics.median(bare):18.3f}{least / min(bare):11.3f}"
        table.append(f"{name:24}{middle:8.1f}{least:8.1f}{ratios}")
    ratio = statistics.median(times["servicekit"]) / statistics.median(bare)
    table.append(f"\nservicekit / bare: {ratio:.3f} (budget {BUDGET})")
    sys.stdout.write("\n".join(table) + "\n")
    return int(ratio > BUDGET)


def _start(program: str) -> float:
    """Run ``program`` in a fresh interpreter and return its CPU time in ms."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=kept, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


if __name__ == "__main__":
    sys.exit(main())

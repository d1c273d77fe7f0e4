"""What servicekit costs a cold start, against a bare FastAPI and Mangum.

Each start is a fresh process that does nothing else, with bytecode compiled before; the kinds take turns. What counts
is CPU time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from tests.bench.common import Cost, goal, median, python, ratios, run, table, take_turns

GOAL = 1.1

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


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench servicekit", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="starts of each kind (25)")
    rounds = parser.parse_args(argv).rounds

    def starting(program: str) -> Callable[[], Cost]:
        return lambda: run(python("-c", program))

    costs = take_turns({name: starting(program) for name, program in KINDS.items()}, rounds)
    cpu = {name: [cost.cpu for cost in found] for name, found in costs.items()}
    bare = cpu["bare FastAPI + Mangum"]
    rows: list[list[str]] = []
    for name, own in cpu.items():
        each = median(ratios(own, bare))
        rows.append([name, f"{median(own):.1f}", f"{min(own):.1f}", f"{each:.3f}", f"{min(own) / min(bare):.3f}"])
    table(["a start", "CPU ms", "min", "ratio, by round", "of minima"], rows)
    goal("servicekit and an app, CPU time beside bare FastAPI + Mangum,", median(ratios(cpu["servicekit"], bare)), GOAL)

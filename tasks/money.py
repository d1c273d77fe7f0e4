"""Tasks about what it costs."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from tasks.running import ENV, JSON, LOCAL, ROOT, attempt, begin, make_screen


@task(
    help=ENV
    | JSON
    | {
        "requests-per-month": "To each service, 1000000 by default; single ones by name: 1000000,api=5000.",
        "duration": "Milliseconds that a request takes; 100 by default.",
        "response-kb": "KB of an answer; 10 by default.",
        "log-kb": "KB that a service logs at a request; 1 by default.",
        "free-tier": "Take off what is free for ever, as if the account had nothing else.",
        "explain": "Add how each amount came about, and where its price is from.",
    }
)
def cost(
    _c: Context,
    env: str = LOCAL,
    requests_per_month: str = "",
    duration: str = "",
    response_kb: str = "",
    log_kb: str = "",
    free_tier: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Show what an environment costs a month.

    By list, from the files here; AWS is not asked. Servers at their smallest number, no discounts, no taxes.
    """
    from stackyard.commands.cost import Assumed, show_cost
    from stackyard.commands.cost import cost as run

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    assumed = Assumed(requests_per_month, duration, response_kb, log_kb)
    found = attempt(lambda: run(session, assumed, free_tier=free_tier), screen)
    if json:
        screen.json(found.record())
    else:
        show_cost(session, found, explain=explain)


@task(
    help=JSON
    | {"region": "Only this region; else those of all environments."}
    | {"check": "Say which prices changed and write nothing; exit code 2 when some did."}
)
def prices(_c: Context, region: str = "", check: bool = False, json: bool = False) -> None:
    """Fetch the prices that `inv cost` reckons with.

    From AWS's public price list, without credentials: some hundred megabytes a region. What changed is a change of
    src/stackyard/data/prices.json, to be committed.
    """
    from stackyard.commands.prices import find_regions, refresh
    from stackyard.project import read_project

    screen = make_screen(quiet=json)
    done = attempt(
        lambda: refresh(ROOT, screen, [region] if region else find_regions(read_project(ROOT)), check=check), screen
    )
    if json:
        screen.json(done.record())

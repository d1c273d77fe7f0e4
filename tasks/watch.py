"""Tasks that look at what runs."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from tasks.running import ENV, JSON, LOCAL, attempt, begin, make_screen, watch

SINCE = {"since": "From when on: 10m, 2h, 3d, 14:30 or 2026-11-23T14:30."}


@task(help=ENV | JSON)
def status(_c: Context, env: str = LOCAL, json: bool = False) -> None:
    """Show how an environment is.

    Release, services with what they run, health, the last hour's requests and errors, alarms, when drift was last
    looked for. Exit code 4 when something is not well, 3 when something cannot be told.
    """
    from stackyard.commands.status import show_status
    from stackyard.commands.status import status as run

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    code = attempt(lambda: show_status(session, run(session), json=json), screen)
    if code:
        raise Exit(code=code)


@task(
    iterable=["names"],
    help=ENV
    | JSON
    | SINCE
    | {
        "names": "Only these services (gateway: its access log); also without the flag: inv logs --env dev api web",
        "follow": "Go on with what comes; Ctrl-C ends it.",
        "until": "Up to when, said as --since.",
        "grep": "Only lines in which this regular expression is found.",
        "level": "The lowest level: debug, info, warning, error, critical.",
    },
)
def logs(
    _c: Context,
    names: list[str],
    env: str = LOCAL,
    follow: bool = False,
    since: str = "10m",
    until: str = "",
    grep: str = "",
    level: str = "info",
    json: bool = False,
) -> None:
    """Show the logs of all services in one stream.

    In order of time, with the gateway's access log. --json prints one object a line.
    """
    from stackyard.commands.logs import Request
    from stackyard.commands.logs import logs as run

    screen = make_screen(quiet=json)
    request = Request(tuple(names), follow=follow, since=since, until=until, grep=grep, level=level)
    watch(lambda: run(begin(env, screen), request, as_json=json), screen)


@task(help=ENV | JSON | SINCE | {"id": "Of a request (x-request-id) or a trace (X-Ray, W3C)."})
def trace(_c: Context, id: str, env: str = LOCAL, since: str = "", json: bool = False) -> None:
    """Show one request's way through all services.

    Its log lines in order, the gateway's first, with the time between them. Looks one hour back, or where the id of an
    X-Ray trace tells.
    """
    from stackyard.commands.trace import show_trace
    from stackyard.commands.trace import trace as run

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    watch(lambda: show_trace(session, run(session, id, since=since), as_json=json), screen)


@task(
    name="open",
    iterable=["names"],
    help=ENV
    | {
        "names": "The service; also without the flag. Without one the service that owns /, or the first.",
        "what": "Its address (service), docs, console (AWS's, or the local gateway's own), AWS's dashboard.",
        "print": "Print the address only.",
    },
)
def open_(_c: Context, names: list[str], env: str = LOCAL, what: str = "service", print: bool = False) -> None:
    """Open a service in the browser, and print its address."""
    from stackyard.commands.open import open_address as run

    screen = make_screen()
    watch(lambda: run(begin(env, screen), names, what, show=not print), screen)

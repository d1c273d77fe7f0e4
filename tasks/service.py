"""Tasks of single services."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from tasks.running import DRY, ENV, JSON, LOCAL, ROOT, YES, attempt, begin, make_screen


@task(help=ENV | JSON)
def services(_c: Context, env: str = LOCAL, json: bool = False) -> None:
    """List the services and what of each is deployed.

    DEPLOYED is current, older (the sources have moved on), no, or unknown with the reason.
    """
    from stackyard.commands.services import services as run
    from stackyard.commands.services import show_services

    screen = make_screen()
    session = begin(env, screen)
    attempt(lambda: show_services(session, run(session), json=json), screen)


@task(
    iterable=["names"],
    help=DRY
    | JSON
    | {
        "names": "The services' names; also without the flag: inv add-service web shop",
        "kind": "What it runs on: lambda, apprunner, ecs or eks. Asked for at a terminal, else lambda.",
        "path": "Its public path, / or /one-segment. Without it / for a service named api, else its name.",
        "api-key": "Callers must send an API key (x-api-key).",
        "template": "What is in it: api (JSON, the default) or page (HTML).",
    },
)
def add_service(
    _c: Context,
    names: list[str],
    kind: str = "",
    path: str = "",
    template: str = "",
    api_key: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Add services, each complete and tested.

    Each is a folder below src/services with settings, package, working example and tests, the same for every kind.
    Again, it changes nothing; a folder that lacks something gets it; what you wrote is never written over.
    At a terminal it asks for kind and path and says what each kind is for and costs; in CI it never asks.
    """
    from stackyard.commands.add_service import add_service as run
    from stackyard.commands.add_service import show_added
    from stackyard.scaffold import Request

    screen = make_screen(quiet=json)
    request = Request(tuple(names), kind, path, template, api_key)
    done = attempt(lambda: run(ROOT, screen, request, dry_run=dry_run), screen)
    if json:
        screen.json(done.record())
    else:
        show_added(screen, done)


@task(help={"name": "The service's name.", "force": "Although git could not bring all of it back."} | YES | DRY | JSON)
def remove_service(
    _c: Context, name: str, yes: bool = False, force: bool = False, dry_run: bool = False, json: bool = False
) -> None:
    """Remove a service.

    Shows what will be destroyed where, and asks. The folder goes now; what runs goes with the next deploy of each
    environment. Refuses while git could not bring the folder back.
    """
    from stackyard.commands.remove_service import record_removed, show_removed
    from stackyard.commands.remove_service import remove_service as run

    screen = make_screen(quiet=json)
    done = attempt(lambda: run(ROOT, screen, name, yes=yes, force=force, dry_run=dry_run), screen)
    if json:
        screen.json(record_removed(done, dry_run=dry_run))
    elif not dry_run:
        show_removed(screen, done)


@task(
    name="api-key",
    help=ENV | DRY | YES | JSON | {"service": "The service.", "rotate": "Replace it: the old one ends at once."},
)
def api_key(
    _c: Context,
    env: str,
    service: str,
    rotate: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Show the API key of a service, or replace it.

    The value alone goes to standard output. Its limits are `usage` in service.yaml. API Gateway takes any key of the
    environment at any service that asks for one: keys tell callers apart, they do not keep secrets.
    """
    from dataclasses import asdict

    from stackyard.commands.api_key import api_key as run
    from stackyard.commands.api_key import show_key

    screen = make_screen(quiet=json)
    session = begin(env, screen)
    key = attempt(lambda: run(session, service, rotate=rotate, dry_run=dry_run, yes=yes), screen)
    if json:
        screen.json(asdict(key))
    elif not dry_run:
        show_key(session, key)

"""Invoke tasks: parse, call one command, print. No logic here, and nothing heavy imported before it is needed."""

# Invoke's decorator has no types.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Callable, Container
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.parser import ParseMachine
from invoke.tasks import task

if TYPE_CHECKING:
    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext

    from stackyard.commands.session import Session
    from stackyard.commands.wanted import Deployed
    from stackyard.screen import Screen

T = TypeVar("T")

# What is imported stays: looking through it for garbage, every 700 objects and once more at the end, is a quarter of a
# task's own time.
gc.set_threshold(50_000, 20, 100)
atexit.register(gc.freeze)

# Invoke forbids bytecode, and every task would compile what it imports, each time; the user's own wish counts.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

ROOT = Path(__file__).resolve().parent
ENV = {"env": "The environment: local, or one of stackyard.yaml's."}
JSON = {"json": "Print data for programs, to standard output."}
DRY = {"dry-run": "Show what would be done, and do nothing."}
DIRTY = {"allow-dirty": "Build for a protected environment although not all is committed."}
YES = {"yes": "Answer the question of a protected environment with yes."}


def _screen(*, quiet: bool = False) -> Screen:
    from stackyard.screen import Screen

    return Screen(quiet=quiet)


def _run(work: Callable[[], T], screen: Screen) -> T:
    """Do the work; end with the error's own exit code, and 130 for Ctrl-C."""
    from stackyard.errors import StackyardError

    try:
        return work()
    except StackyardError as error:
        screen.error(error)
        raise Exit(code=error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command goes on from here\n")
        raise Exit(code=130) from None


def _bring(work: Callable[[Screen], Deployed], *, json: bool) -> None:
    """Bring an environment to something else, and show what came of it."""
    from stackyard.commands.bring import show_deployed

    screen = _screen(quiet=json)
    show_deployed(screen, _run(lambda: work(screen), screen), json=json)


def _session(env: str, screen: Screen) -> Session:
    from stackyard.commands.session import Session

    return Session.begin(ROOT, env, screen)


NAMED = {"add-service"}
"""Tasks that take as many names as are given. Invoke itself has no task take more than a fixed number of words."""

_handle = ParseMachine.handle


def _handle_word(self: ParseMachine, token: str) -> None:
    """Hand a word behind a task's name on to Invoke, save where Invoke mistakes it.

    ``--help`` shows the task's help whatever else is there or lacks; what begins with ``-`` is never a required word;
    and what is neither flag nor a flag's value is one more name, though a task be called the same.
    """
    context = cast("ParserContext | None", self.context)  # pyright: ignore[reportUnknownMemberType]  (Invoke's own)
    if not context or not context.name:
        _handle(self, token)
        return
    asked = cast("Argument", self.initial.args["help"])
    if asked.value:
        return
    if token in cast("Container[str]", context.flags) or token in context.inverse_flags:
        _handle(self, token)
    elif token in ("--help", "-h"):
        asked.value = context.name
        # No task will run, so nothing is required any more, nor a value of the flag before.
        context.positional_args.clear()
        self.flag = None
    elif self.waiting_for_flag_value:
        _handle(self, token)
    elif token.startswith("-"):
        if token not in cast("Container[str]", self.initial.flags):
            self.error(f"No idea what {token!r} is!")
        self.switch_to_flag(token)
    elif context.name in NAMED:
        cast("Argument", context.args["names"]).value = token
    else:
        _handle(self, token)


ParseMachine.handle = _handle_word


@task(help={"port": "The gateway's port.", "detach": "Leave it running in the background."} | DRY)
def up(_c: Context, port: int = 8080, detach: bool = False, dry_run: bool = False) -> None:
    """Start the whole system on this machine.

    An embedded AWS, the real Terraform against it, your services, one gateway in front.
    Nothing of it touches a real account. In the foreground, Ctrl-C ends everything it started; with --detach
    `inv down` does. Saving a file reloads its service; `inv deploy --env local` applies changed settings.
    """
    from stackyard.commands.up import foresee
    from stackyard.commands.up import up as run

    screen = _screen()
    _run(lambda: foresee(ROOT, screen, port=port) if dry_run else run(ROOT, screen, port=port, detach=detach), screen)


@task(help=DRY)
def down(_c: Context, dry_run: bool = False) -> None:
    """End what `inv up` started, by process id.

    What the embedded AWS held ends with it; the next `inv up` makes it anew.
    """
    from stackyard.commands.down import down as run

    screen = _screen()
    _run(lambda: run(ROOT, screen, dry_run=dry_run), screen)


@task(help=ENV | DRY | JSON)
def bootstrap(_c: Context, env: str, dry_run: bool = False, json: bool = False) -> None:
    """Prepare an AWS account, once.

    State bucket, image repository, GitHub's trust, a role to deploy and one to plan for each environment. Needs
    administrator's rights in the account. Can be run again at any time; a second run changes nothing.
    """
    from stackyard.commands.bootstrap import bootstrap as run

    screen = _screen()
    done = _run(lambda: run(_session(env, screen), dry_run=dry_run), screen)
    if json:
        screen.json({"changed": done.changed, "summary": done.summary, "outputs": done.outputs})
    elif not dry_run:
        screen.say(f"next: inv deploy --env {env}")


@task(help=ENV | JSON | {"full": "Every attribute, in Terraform's words.", "allow-empty": "No service may be left."})
def plan(_c: Context, env: str, full: bool = False, json: bool = False, allow_empty: bool = False) -> None:
    """Show what `inv deploy` would change.

    Changes nothing and builds nothing. --full adds every attribute.
    """
    from dataclasses import asdict

    from stackyard.commands.plan import plan as run

    screen = _screen(quiet=json)
    report = _run(lambda: run(_session(env, screen), full=full, allow_empty=allow_empty), screen)
    if json:
        screen.json(asdict(report))


@task(help=ENV | DRY | YES | JSON | DIRTY | {"allow-empty": "Let the last service be taken away."})
def deploy(
    _c: Context,
    env: str,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
    allow_empty: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Bring an environment to what the working tree says.

    Images, Terraform, verification, release record. With nothing changed it costs one Terraform plan. Killed at any
    point, the same command goes on.
    """
    from stackyard.commands.deploy import deploy as run
    from stackyard.commands.wanted import Options

    options = Options(dry_run=dry_run, yes=yes, allow_empty=allow_empty, allow_dirty=allow_dirty)
    _bring(lambda screen: run(_session(env, screen), options), json=json)


@task(
    name="docker-push",
    iterable=["service"],
    help=ENV | DRY | JSON | DIRTY | {"service": "Only this service's image; can be given more than once."},
)
def docker_push(
    _c: Context,
    env: str,
    service: list[str],
    dry_run: bool = False,
    json: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Build and push the images that the registry lacks.

    One bake for all of them; nothing else is changed. `inv deploy` does the same before it deploys. For `local` name
    a registry in STACKYARD_REGISTRY.
    """
    from dataclasses import asdict

    from stackyard.commands.docker_push import docker_push as run
    from stackyard.commands.docker_push import show_pushed

    screen = _screen(quiet=json)
    session = _session(env, screen)
    done = _run(lambda: run(session, service, dry_run=dry_run, allow_dirty=allow_dirty), screen)
    if json:
        screen.json([asdict(image) for image in done])
    else:
        show_pushed(session, done)


@task(help=ENV | JSON | {"count": "How many, newest first."})
def releases(_c: Context, env: str, count: int = 20, json: bool = False) -> None:
    """List an environment's releases.

    Number, when, who, commit (with + for changes that were not committed) and what changed. * runs.
    """
    from stackyard.commands.releases import releases as run
    from stackyard.commands.releases import show_releases

    screen = _screen(quiet=json)
    session = _session(env, screen)
    _run(lambda: show_releases(session, run(session, count=count), json=json), screen)


@task(
    help=DRY
    | YES
    | JSON
    | DIRTY
    | {"from": "The environment whose images are taken.", "to": "The environment that gets them."}
    | {"release": "The number of its release; without it the last."}
)
def promote(
    _c: Context,
    from_: str,
    to: str,
    release: int = 0,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Bring the images that one environment runs to another.

    The same digests; nothing is built. Settings and Terraform are the working tree's. Between accounts the images are
    copied, which needs docker with buildx.
    """
    from stackyard.commands.promote import promote as run
    from stackyard.commands.wanted import Options

    options = Options(dry_run=dry_run, yes=yes, allow_dirty=allow_dirty)
    _bring(lambda screen: run(_session(to, screen), _session(from_, screen), options, release), json=json)


@task(help=ENV | DRY | YES | JSON | DIRTY | {"to": "The number of the release; without it the one before what runs."})
def rollback(
    _c: Context,
    env: str,
    to: int = 0,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
    allow_dirty: bool = False,
) -> None:
    """Bring back the images of an earlier release.

    As a new release; twice goes two back. After a deploy that failed it goes back to the last release. Settings and
    Terraform are the working tree's.
    """
    from stackyard.commands.rollback import rollback as run
    from stackyard.commands.wanted import Options

    options = Options(dry_run=dry_run, yes=yes, allow_dirty=allow_dirty)
    _bring(lambda screen: run(_session(env, screen), options, to), json=json)


@task(help=ENV | JSON | {"full": "Every attribute of the plan, in Terraform's words."})
def diff(_c: Context, env: str, full: bool = False, json: bool = False) -> None:
    """Show what changed since the running release.

    Images, commits, settings and Terraform's plan. Changes nothing and builds nothing.
    """
    from stackyard.commands.diff import diff as run
    from stackyard.commands.diff import show_diff

    screen = _screen(quiet=json)
    session = _session(env, screen)
    _run(lambda: show_diff(session, run(session, full=full), json=json), screen)


@task(help=ENV | DRY | JSON | {"confirm": "The environment's name, typed again: answers the question."})
def destroy(_c: Context, env: str, dry_run: bool = False, confirm: str = "", json: bool = False) -> None:
    """Take an environment's services and gateway away.

    Images, release records and what `inv bootstrap` made stay. A question asks for the name; --confirm answers it.
    """
    from dataclasses import asdict

    from stackyard.commands.destroy import destroy as run

    screen = _screen(quiet=json)
    done = _run(lambda: run(_session(env, screen), dry_run=dry_run, typed=confirm), screen)
    if json:
        screen.json(asdict(done))


@task(help=ENV | JSON)
def services(_c: Context, env: str = "local", json: bool = False) -> None:
    """List the services and what of each is deployed.

    DEPLOYED is current, older (the sources have moved on), no, or unknown with the reason.
    """
    from stackyard.commands.services import services as run
    from stackyard.commands.services import show_services

    screen = _screen()
    session = _session(env, screen)
    _run(lambda: show_services(session, run(session), json=json), screen)


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
    """Add services: `inv add-service [--kind KIND] NAME [NAME ...]`.

    Each is a folder below src/services with settings, package, working example and tests, the same for every kind.
    Again, it changes nothing; a folder that lacks something gets it; what you wrote is never written over.
    At a terminal it asks for kind and path and says what each kind is for and costs; in CI it never asks.
    """
    from stackyard.commands.add_service import add_service as run
    from stackyard.commands.add_service import show_added
    from stackyard.scaffold import Request

    screen = _screen(quiet=json)
    request = Request(tuple(names), kind, path, template, api_key)
    done = _run(lambda: run(ROOT, screen, request, dry_run=dry_run), screen)
    if json:
        screen.json(done.record())
    else:
        show_added(screen, done)


@task(
    help={"name": "The service's name.", "force": "Although git could not bring all of it back."}
    | {"yes": "Do not ask."}
    | DRY
    | JSON
)
def remove_service(
    _c: Context, name: str, yes: bool = False, force: bool = False, dry_run: bool = False, json: bool = False
) -> None:
    """Remove a service: `inv remove-service NAME`.

    Shows what will be destroyed where, and asks. The folder goes now; what runs goes with the next deploy of each
    environment. Refuses while git could not bring the folder back.
    """
    from stackyard.commands.remove_service import record_removed, show_removed
    from stackyard.commands.remove_service import remove_service as run

    screen = _screen(quiet=json)
    done = _run(lambda: run(ROOT, screen, name, yes=yes, force=force, dry_run=dry_run), screen)
    if json:
        screen.json(record_removed(done, dry_run=dry_run))
    elif not dry_run:
        show_removed(screen, done)


@task(
    name="api-key",
    positional=["service"],
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

    screen = _screen(quiet=json)
    session = _session(env, screen)
    key = _run(lambda: run(session, service, rotate=rotate, dry_run=dry_run, yes=yes), screen)
    if json:
        screen.json(asdict(key))
    elif not dry_run:
        show_key(session, key)


@task(help=ENV | JSON)
def doctor(_c: Context, env: str = "local", json: bool = False) -> None:
    """Check what a deploy needs, and say what mends it.

    Tools, versions, credentials, quotas and settings, each with the command that mends it. Exit code 3 if any fails.
    """
    from stackyard.commands.doctor import doctor as run

    screen = _screen()
    good = _run(lambda: run(ROOT, env, screen, json=json), screen)
    if not good:
        raise Exit(code=3)


@task(help=ENV | DRY | JSON | {"id": "Only the lock with this id."})
def unlock(_c: Context, env: str, id: str = "", dry_run: bool = False, json: bool = False) -> None:
    """Release a state lock that a killed run left behind.

    Says whose it was and since when. Refuses while a run of this checkout is alive.
    """
    from stackyard.commands.unlock import unlock as run

    screen = _screen(quiet=json)
    released = _run(lambda: run(_session(env, screen), lock_id=id, dry_run=dry_run), screen)
    if json:
        screen.json({"released": released})


namespace = Collection(
    *(up, down, bootstrap, plan, diff, docker_push, deploy, releases, promote, rollback, destroy),
    *(services, add_service, remove_service, api_key, doctor, unlock),
)

"""``inv add-service``: one folder a service, complete and tested, in one step.

Observe (the names there are, the paths taken, what lies in the folders asked for), ask for what is missing where there
is a person to answer, plan (pure, `stackyard.scaffold`), show (``--dry-run`` ends here), write: whole folders appear by
one rename each, files that complete a folder one by one. Nothing is written before all names are known to be good.
Imports nothing slow: the models of the two YAML files, AWS and Terraform are not needed to make a folder.
"""

from __future__ import annotations

import contextlib
import sysconfig
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from stackyard.addresses import FILE, FOLDER, default_path
from stackyard.commands.ask import ask, can_ask, choose
from stackyard.errors import ConfigError, RefusedError
from stackyard.kinds import KINDS
from stackyard.local.layout import Layout
from stackyard.names import LOCAL, PREVIEWS, find_installed
from stackyard.rendering import DEFAULT, Templates, describe_template, find_templates
from stackyard.scaffold import (
    DEFAULT_KIND,
    Addition,
    Facts,
    Found,
    Request,
    check_path,
    check_request,
    plan_additions,
    settled_kind,
)
from stackyard.screen import Screen
from stackyard.tools.holding import is_held, take
from stackyard.tools.placing import complete_folder, list_files, place_folder, sweep
from stackyard.words import plural
from stackyard.yamlfile import read_yaml, skim_yaml

PROJECT = "stackyard.yaml"
PATIENCE = 10.0
"""Seconds to wait for another run that adds or removes."""

WORDS = {"new": "added", "incomplete": "completed", "there": "already there, nothing changed"}


@dataclass(frozen=True, slots=True)
class Added:
    """What became of each name, and what to type next."""

    additions: tuple[Addition, ...]
    next: str
    dry_run: bool

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "services": [
                {
                    "name": each.service.name,
                    "kind": each.service.kind.name,
                    "path": each.service.path,
                    "folder": each.folder,
                    "result": {"there": "unchanged"}.get(each.state, WORDS[each.state]),
                    "files": [f"{each.folder}/{file.path}" for file in each.files],
                    "notes": list(each.notes),
                }
                for each in self.additions
            ],
            "dry_run": self.dry_run,
            "next": self.next,
        }


def add_service(root: Path, screen: Screen, request: Request, *, dry_run: bool = False) -> Added:
    """Add services, or complete what is missing of them. Raises StackyardError."""
    if can_ask(screen):
        request = _ask(screen, request, find_facts(root, request.names))
    with contextlib.nullcontext() if dry_run else holding_services(root, "add-service"):
        if not dry_run and sweep(root / FOLDER):
            screen.note("removed what a killed run had left unfinished")
        facts = find_facts(root, request.names)
        additions = plan_additions(request, facts, Templates(cache=Layout(root).cache / "templates").render)
        if not dry_run:
            for addition in additions:
                _write(root, addition)
            sweep(root / FOLDER)
    return Added(additions, _next(root), dry_run)


@contextlib.contextmanager
def holding_services(root: Path, doing: str) -> Generator[None]:
    """Be the only one who adds or removes folders. Raises RefusedError when another run goes on doing so."""
    hold = take(Layout(root).services_lock, PATIENCE)
    if hold is None:
        why = f"another run of this checkout has been at it for {PATIENCE:g} s"
        raise RefusedError("the services are being changed", why, command=f"inv {doing}")
    try:
        yield
    finally:
        hold.release()


def find_facts(root: Path, names: tuple[str, ...], *, lenient: bool = False) -> Facts:
    """Look at the project, at every service's settings, and closely at those named.

    Raises StackyardError; ``lenient`` takes settings that cannot be read for none.
    """
    project = skim_yaml(root / PROJECT, PROJECT)
    title, environments = project.get("project"), project.get("environments")
    if not isinstance(title, str) or not isinstance(environments, Mapping):
        raise ConfigError(PROJECT, "has no `project` that is text, or no `environments`")
    services = root / FOLDER
    folders = sorted(services.iterdir()) if services.is_dir() else []
    found: dict[str, Found] = {}
    for folder in folders:
        if folder.name.startswith((".", "_")) or (folder.name not in names and not (folder / FILE).is_file()):
            continue
        if not folder.is_dir():
            raise ConfigError(f"{FOLDER}/{folder.name}", "is no folder, so there can be no service of this name")
        found[folder.name] = _look_at(folder, closely=folder.name in names, lenient=lenient)
    return Facts(
        project=title,
        environments=(LOCAL, *cast("Mapping[str, object]", environments), *({PREVIEWS} & project.keys())),
        taken=find_installed(Path(sysconfig.get_path("purelib"))),
        templates=find_templates(),
        default_template=DEFAULT,
        services=found,
    )


def _look_at(folder: Path, *, closely: bool, lenient: bool) -> Found:
    place, shown = folder / FILE, f"{FOLDER}/{folder.name}/{FILE}"
    settings: Mapping[str, object] | None = None
    with contextlib.suppress(ConfigError) if lenient else contextlib.nullcontext():
        if not closely:
            settings = skim_yaml(place, shown)
        elif place.is_file():
            settings = read_yaml(place, shown).data
    if not closely:
        return Found(settings=settings)
    project = folder / "pyproject.toml"
    text = project.read_text(encoding="utf-8", errors="replace") if project.is_file() else ""
    return Found(list_files(folder), settings, text)


def _ask(screen: Screen, request: Request, facts: Facts) -> Request:
    """Ask for name, kind and path where they are open."""
    if not request.names:
        screen.say("A service's name is its folder's: small letters, digits and dashes.")

        def check(answer: str) -> str | None:
            try:
                check_request(replace(request, names=tuple(answer.split())), facts)
            except ConfigError as error:
                return error.why or error.what
            return None

        request = replace(request, names=tuple(ask(screen, "Name", "", check).split()))
    check_request(request, facts)
    new = [name for name in request.names if name not in facts.services]
    kind = settled_kind(request, facts)
    if not kind:
        screen.say("What it runs on, when to choose that, and what it costs a month:")
        menu = [(each.name, [each.when, each.cost, *([each.notice] if each.notice else [])]) for each in KINDS.values()]
        request = replace(request, kind=choose(screen, "Kind", menu, DEFAULT_KIND))
        if len(new) == 1 and not request.path:
            path = ask(screen, "Public path", default_path(new[0]), check_path)
            request = replace(request, path=path)
    return request


def _write(root: Path, addition: Addition) -> None:
    folder = root / addition.folder
    files = [(file.path, file.text) for file in addition.files]
    if not files:
        return
    if folder.exists() and any(folder.iterdir()):
        complete_folder(folder, files)
    else:
        place_folder(folder, files)


def _next(root: Path) -> str:
    return "inv deploy --env local" if is_held(Layout(root).daemon_lock("emulator")) else "inv up"


def show_added(screen: Screen, done: Added) -> None:
    """Tell what became of each service, and what to type next."""
    many = len(done.additions) > 3
    for each in done.additions:
        service = each.service
        what = WORDS[each.state]
        if done.dry_run and each.files:
            what = {"new": "would be added", "incomplete": "would be completed"}[each.state]
        screen.say(f"{service.name}: {what}", "bold")
        if each.files:
            about = describe_template(service.template)["title"]
            screen.note(f"{service.kind.name} at {service.path}; {about}")
            if many:
                screen.note(f"{plural(len(each.files), 'file')} in {each.folder}")
            for file in () if many else sorted(each.files, key=lambda file: file.path):
                screen.note(f"{each.folder}/{file.path}")
        for note in each.notes:
            screen.warn(f"{service.name}: {note}")
    for kind in {each.service.kind.name: each.service.kind for each in done.additions if each.state == "new"}.values():
        if kind.notice:
            screen.warn(kind.notice)
    names = " ".join(each.folder for each in done.additions)
    if any(each.files for each in done.additions) and not done.dry_run:
        screen.say(f"try it: uv run --all-packages --group test pytest {names}")
        screen.say(f"next: {done.next}")

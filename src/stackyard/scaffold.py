"""Decides what `inv add-service` creates: from what is asked for and what is there, pure.

A folder that has all that its kind needs is left alone. One that lacks something gets that, and the template's example
only where there is no application yet. Nothing that is there is ever written again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, cast

from stackyard.addresses import (
    FILE,
    FOLDER,
    PATH,
    PATH_LENGTH,
    default_path,
    find_path_clashes,
    find_port_clashes,
)
from stackyard.errors import ConfigError
from stackyard.kinds import KINDS
from stackyard.names import check_service_name, check_together, module_name
from stackyard.rendering import NewService
from stackyard.words import printable

DEFAULT_KIND = "lambda"

State = Literal["new", "incomplete", "there"]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; empty where nothing was said."""

    names: tuple[str, ...]
    kind: str = ""
    path: str = ""
    template: str = ""
    api_key: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A service's folder as it is: its files, what service.yaml says, the text of pyproject.toml."""

    files: frozenset[str] = frozenset()
    settings: Mapping[str, object] | None = None
    pyproject: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to fit in with."""

    project: str
    environments: tuple[str, ...]
    taken: AbstractSet[str]
    templates: tuple[str, ...]
    default_template: str
    services: Mapping[str, Found]


@dataclass(frozen=True, slots=True)
class File:
    """A file to create, its path relative to the service's folder."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Addition:
    """What one service gets. ``files`` are in the order in which they must be written."""

    service: NewService
    state: State
    files: tuple[File, ...]
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The service's folder, relative to the project's root."""
        return f"{FOLDER}/{self.service.name}"


def plan_additions(
    request: Request, facts: Facts, render: Callable[[NewService], Mapping[str, str]]
) -> tuple[Addition, ...]:
    """Decide for every name, or for none: raises one ConfigError that names all that is wrong."""
    check_request(request, facts)
    wanted = [_settle(name, request, facts) for name in dict.fromkeys(request.names)]
    problems = [*_check_lengths(wanted, facts), *_check_addresses(wanted, facts)]
    if problems:
        _refuse(problems)
    return tuple(_plan(service, facts.services.get(service.name, Found()), render) for service in wanted)


def check_request(request: Request, facts: Facts) -> None:
    """Refuse names, kind, path and template that cannot be, whatever else is there. Raises ConfigError."""
    problems: list[str] = []
    if not request.names:
        problems.append("no name is given")
    for name in dict.fromkeys(request.names):
        wrong = check_service_name(name, facts.taken)
        if wrong:
            problems.append(f"the name `{printable(name)}` {wrong}")
    if request.kind and request.kind not in KINDS:
        problems.append(f"there is no kind `{printable(request.kind)}`; there are {', '.join(KINDS)}")
    if request.template and request.template not in facts.templates:
        known = ", ".join(facts.templates)
        problems.append(f"there is no template `{printable(request.template)}`; there are {known}")
    if request.path:
        wrong = check_path(request.path)
        if wrong:
            problems.append(wrong)
        if len(set(request.names)) > 1:
            problems.append("--path is for one service; give each name a call of its own")
    if problems:
        _refuse(problems)


def check_path(path: str) -> str | None:
    """Say what is wrong with a public path, or None."""
    if re.fullmatch(PATH, path) and len(path) <= PATH_LENGTH:
        return None
    allowed = f"it must be / or one segment of a-z, 0-9, - and _, at most {PATH_LENGTH} characters"
    return f"the path `{printable(path)}` cannot be: {allowed}"


def settled_kind(request: Request, facts: Facts) -> str:
    """Return the kind where it is clear already: asked for, or said by the service.yaml of all; else empty."""
    if request.kind:
        return request.kind
    said = {kind_of(facts.services.get(name, Found())) for name in request.names}
    return said.pop() if len(said) == 1 else ("" if "" in said else DEFAULT_KIND)


def _refuse(problems: list[str]) -> None:
    command = "inv add-service --help"
    if len(problems) == 1:
        raise ConfigError("cannot add this", problems[0], command=command)
    raise ConfigError("cannot add this, nothing was written\n" + "\n".join(f"  {p}" for p in problems), command=command)


def kind_of(found: Found) -> str:
    """Return the kind that a service's file says; empty where it says none."""
    kind = (found.settings or {}).get("kind")
    return kind if isinstance(kind, str) else ""


def _settle(name: str, request: Request, facts: Facts) -> NewService:
    """Return what a service is, its service.yaml first. Raises ConfigError where that says something else."""
    found = facts.services.get(name, Found())
    template = request.template or facts.default_template
    if found.settings is None:
        path = request.path or default_path(name)
        return NewService(name, KINDS[request.kind or DEFAULT_KIND], path, template, request.api_key)
    shown, kind = f"{FOLDER}/{name}/{FILE}", kind_of(found)
    path, keyed = path_in(name, found, ""), found.settings.get("api_key") is True
    if kind not in KINDS:
        raise ConfigError(shown, f"`kind` is `{printable(kind)}`; there are {', '.join(KINDS)}")
    differs = [
        f"its {what} is {has}, not {wants}"
        for what, has, wants in (
            ("kind", kind, request.kind or kind),
            ("path", path, request.path or path),
            ("api_key", str(keyed).lower(), "true" if request.api_key else str(keyed).lower()),
        )
        if has != wants
    ]
    if differs:
        fix = f"A service that is there is changed in {shown}; add-service never writes over it."
        raise ConfigError(f"{name} is there already", "; ".join(differs), fix=fix, command=f"inv add-service {name}")
    return NewService(name, KINDS[kind], path, template, keyed)


def path_in(name: str, found: Found, environment: str) -> str:
    """Return the path that a service has in an environment, as far as its file can be made sense of."""
    settings = found.settings or {}
    path = settings.get("path")
    overrides = settings.get("overrides")
    if isinstance(overrides, Mapping):
        over = cast("Mapping[str, object]", overrides).get(environment)
        if isinstance(over, Mapping):
            path = cast("Mapping[str, object]", over).get("path", path)
    return path if isinstance(path, str) else default_path(name)


def _check_lengths(wanted: list[NewService], facts: Facts) -> list[str]:
    return [
        f"{wrong}; shorten one of the three names"
        for service in wanted
        for environment in facts.environments
        if (wrong := check_together(facts.project, environment, service.name, service.kind.name_limit))
    ]


def _check_addresses(wanted: list[NewService], facts: Facts) -> list[str]:
    """Say which paths and ports are taken, in any environment; what others quarrel about is not ours to say."""
    new = {service.name: service for service in wanted if not _has_settings(service.name, facts)}
    others = {name: found for name, found in facts.services.items() if name not in new}
    problems: list[str] = []
    for environment in facts.environments:
        theirs = [(name, path_in(name, found, environment)) for name, found in others.items()]
        known = find_path_clashes(theirs)
        ours = [(name, service.path) for name, service in new.items()]
        problems += [clash for clash in find_path_clashes([*theirs, *ours]) if clash not in known]
    private = [name for name, found in others.items() if kind_of(found) in KINDS and KINDS[kind_of(found)].private]
    known = find_port_clashes(private)
    more = [name for name, service in new.items() if service.kind.private]
    problems += [clash for clash in find_port_clashes([*private, *more]) if more and clash not in known]
    return list(dict.fromkeys(problems))


def _has_settings(name: str, facts: Facts) -> bool:
    return name in facts.services and facts.services[name].settings is not None


def _plan(service: NewService, found: Found, render: Callable[[NewService], Mapping[str, str]]) -> Addition:
    package = module_name(service.name)
    application, called = f"{package}/app.py", f"{package}/{service.kind.handler_file}"
    needed = [FILE, "pyproject.toml", f"{package}/__init__.py", called]
    missing = [path for path in needed if path not in found.files]
    if not missing:
        return Addition(service, "there", (), _notes(service, found))
    texts = render(service)
    if found.files & {application, called}:
        chosen = missing
    else:
        # The application comes after its companions and before what calls it: killed in between, the next run can
        # tell from it what is still to come.
        order = [application, *(path for path in needed if path != application)]
        companions = [path for path in texts if path not in order]
        chosen = [path for path in (*companions, *order) if path not in found.files]
    files = tuple(File(path, texts[path]) for path in chosen)
    return Addition(service, "incomplete" if found.files else "new", files, _notes(service, found))


def _notes(service: NewService, found: Found) -> tuple[str, ...]:
    """Say what only its author can put right."""
    extra = service.kind.extra
    named = re.search(r"servicekit\s*(?:\[([^\]]*)\])?", found.pyproject)
    if named and extra not in re.split(r"[,\s]+", named[1] or ""):
        kind = service.kind.name
        return (
            f"its pyproject.toml asks for `{named[0].strip()}`; a service of kind {kind} needs servicekit[{extra}]",
        )
    return ()

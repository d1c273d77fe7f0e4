"""Decides what taking a service away means: what goes, where, whether it may, and what to type next. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from stackyard.addresses import FOLDER
from stackyard.errors import MissingError, RefusedError
from stackyard.names import LOCAL
from stackyard.scaffold import Facts, kind_of, path_in
from stackyard.words import plural, printable


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes away with a service."""

    name: str
    kind: str
    """Empty where its service.yaml does not say."""
    files: int
    paths: tuple[tuple[str, str], ...]
    """Environment and public path."""
    local: bool | None
    """Whether the laptop's environment has it; None while that does not run."""
    last: bool
    unsaved: tuple[str, ...] | None
    """Files that git could not bring back; None where there is no git to tell."""

    @property
    def folder(self) -> str:
        """Its folder, relative to the project's root."""
        return f"{FOLDER}/{self.name}"

    def lines(self) -> list[str]:
        """Say what will be destroyed where."""
        paths = dict.fromkeys(path for _, path in self.paths)
        lines = [f"{self.folder}: {plural(self.files, 'file')}, deleted now"]
        for path in paths:
            where = [environment for environment, each in self.paths if each == path]
            suffix = f" ({', '.join(where)})" if len(paths) > 1 else ""
            lines.append(f"the path {path}{suffix}: gone with the next deploy, for everybody who calls it")
        for environment, _ in self.paths:
            there = {None: "not running", True: "deployed", False: "not deployed"}[self.local]
            if environment != LOCAL:
                there = "if it is deployed there"
            what = f"; {self.deploy(environment)} destroys it" if there != "not running" else ""
            lines.append(f"{environment}: {there}{what}")
        return lines

    def deploy(self, environment: str) -> str:
        """Return the command that takes it away from an environment."""
        return f"inv deploy --env {environment}" + (" --allow-empty" if self.last else "")

    def next(self) -> str:
        """Return what to type afterwards."""
        others = [environment for environment, _ in self.paths if environment != LOCAL]
        return self.deploy(LOCAL if self.local is not None or not others else others[0])


def plan_removal(
    name: str,
    facts: Facts,
    *,
    local: AbstractSet[str] | None,
    unsaved: list[str] | None,
    force: bool = False,
) -> Removal:
    """Decide whether a service may go.

    Raises MissingError when there is none of that name, RefusedError when its folder holds what could not be brought
    back and ``force`` does not say that this is meant.
    """
    found = facts.services.get(name)
    if found is None:
        known = ", ".join(facts.services) or "none"
        raise MissingError(f"there is no service {printable(name)}", f"there are: {known}", command="inv services")
    if not force and unsaved != []:
        _refuse(name, unsaved)
    return Removal(
        name=name,
        kind=kind_of(found),
        files=len(found.files),
        paths=tuple((environment, path_in(name, found, environment)) for environment in facts.environments),
        local=None if local is None else name in local,
        last=not facts.services.keys() - {name},
        unsaved=None if unsaved is None else tuple(unsaved),
    )


def _refuse(name: str, unsaved: list[str] | None) -> None:
    if unsaved is None:
        why, fix = "there is no git repository here that could bring it back", "Keep a copy, or say that you mean it."
    else:
        shown = ", ".join(unsaved[:5]) + (f" and {len(unsaved) - 5} more" if len(unsaved) > 5 else "")
        why, fix = f"git could not bring back {shown}", "Commit it first, or say that you mean it."
    raise RefusedError(f"{name} is not all in git", why, fix=fix, command=f"inv remove-service {name} --force")

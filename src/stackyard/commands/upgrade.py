"""``inv upgrade``: bring what the template has learned into a project that was made from it.

Observe (what the project was made from, which versions there are), decide (pure, `stackyard.upgrading`), fetch, render
both versions with the project's own answers, merge without the working tree, show (``--check`` ends here), do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stackyard.answers import FILE, Record, read_record
from stackyard.commands.moving import (
    Move,
    Moved,
    carry_out,
    check_clean,
    moving,
    open_repository,
    render_commit,
    try_move,
)
from stackyard.errors import MissingError
from stackyard.screen import Screen
from stackyard.tools.gitobjects import Repository
from stackyard.tools.process import Runner, SystemRunner
from stackyard.upgrading import Version, choose_base, choose_version, find_versions, parse_version


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade is or was; ``move`` and ``moved`` are None where there is nothing newer, or nothing was done."""

    template: str
    version: str
    newest: str
    move: Move | None = None
    moved: Moved | None = None

    def document(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "template": self.template,
            "version": self.version,
            "to": self.newest,
            "changes": [{"what": each.what, "path": each.path} for each in self.move.changes] if self.move else [],
            "conflicts": list(self.move.conflicts) if self.move else [],
            "applied": self.moved is not None,
            "commit": self.moved.commit if self.moved else "",
            "undo": self.moved.undo if self.moved else "",
        }


def upgrade(
    root: Path,
    screen: Screen,
    *,
    apply: bool = False,
    to: str = "",
    template: str = "",
    runner: Runner | None = None,
) -> Upgrade:
    """Bring the project to a newer version of the template, or look what that would change. Raises StackyardError."""
    repository = Repository(runner or SystemRunner(), root)
    with moving(repository, screen, "upgrade") as hold:
        head = open_repository(repository, "upgrade")
        before = _read(root)
        address = template or before.template
        if not address:
            command = "inv upgrade --check --template https://example.com/template.git"
            raise MissingError("the template's address is not known", f"{FILE} has none", command=command)
        if apply:
            check_clean(repository, "upgrade --apply")
        with screen.stage("versions"):
            there = find_versions(repository.list_tags(address))
            chosen = choose_version(before.version, there, to)
            if chosen is None:
                return Upgrade(address, before.version, before.version)
            commit, base = _fetch(repository, address, before, chosen)
        with screen.stage("merge"):
            record = _advance(repository, before, address, chosen, commit)
            trees = render_commit(repository, base, before), render_commit(repository, commit, record)
            message = f"Upgrade from Stackyard {before.version} to {chosen}"
            move = try_move(repository, head, *trees, message)
        moved = carry_out(repository, move, hold) if apply else None
    return Upgrade(address, before.version, str(chosen), move, moved)


def _read(root: Path) -> Record:
    record = read_record(root)
    if record is None:
        raise MissingError(FILE, "there is none: this project was not made by `inv init`", command="inv init")
    return record


def _fetch(repository: Repository, address: str, before: Record, chosen: Version) -> tuple[str, str]:
    """Get the version and its history; return its commit, and the one that the project was made from.

    Raises MissingError where nothing in that history is what the project was made from.
    """
    commit = repository.fetch(address, f"refs/tags/{chosen.tag}")
    history = repository.list_history(commit)
    base = choose_base(before.commit, before.tree, "", history)
    if not base:
        now = parse_version(before.version)
        tags = repository.list_tags(address)
        if now is None or now.tag not in tags:
            why = f"neither the commit {before.commit[:12]} nor a version {before.version} is there"
            fix = "Name the template that the project was made from."
            raise MissingError(f"{address} is not this project's template", why, fix=fix, command="inv upgrade --help")
        base = repository.fetch(address, f"refs/tags/{now.tag}")
    return commit, base


def _advance(repository: Repository, before: Record, address: str, chosen: Version, commit: str) -> Record:
    update = {"template": address, "version": str(chosen), "commit": commit, "tree": repository.tree_of(commit)}
    return before.model_copy(update=update)


def show_upgrade(screen: Screen, done: Upgrade) -> None:
    """Say what it came to, and what to type next."""
    if done.move is None:
        screen.say(f"up to date: {done.version} is the newest version", "bold")
    elif done.moved is None:
        conflicts = f"; {len(done.move.conflicts)} with conflicts" if done.move.conflicts else "; no conflicts"
        screen.say(f"{done.version} → {done.newest}: {len(done.move.changes)} files{conflicts}", "bold")
        screen.say("next: inv upgrade --apply")
    elif done.moved.commit:
        screen.say(f"{done.version} → {done.newest}: done, commit {done.moved.commit[:12]}", "bold")
        screen.say("next: uv sync --all-packages, nox, and a plan of each environment (`inv plan --env dev`)")
    else:
        screen.say(f"{done.version} → {done.newest}: merged, but for conflicts", "bold")

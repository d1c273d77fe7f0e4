"""Moves a project from one rendering of the template to another; what `inv init` and `inv upgrade` share.

Both are a three-way merge by git: the rendering that the project was made from, what the project has become, and the
rendering that it shall be made from. It is tried without the working tree first, and shown; then `git cherry-pick`
does the same in the working tree, so that what is left to a person is left as git leaves it. All work is in a commit
before: a dirty tree is refused. Killed at any moment, the next run takes back what was half done, and begins anew.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from stackyard.answers import Record
from stackyard.errors import ConfigError, MissingError, RefusedError
from stackyard.local.layout import Layout
from stackyard.screen import Screen
from stackyard.template import RULES, find_texts, parse_rules, render
from stackyard.tools.gitobjects import OURS, Change, Repository
from stackyard.tools.holding import Hold, take, write_atomically
from stackyard.words import plural

PATIENCE = 10.0
"""Seconds to wait for another run, or for the git that a killed one has left."""

STALE = 2.0
"""Seconds that git's own lock may still be somebody's."""


@dataclass(frozen=True, slots=True)
class Move:
    """What the merge comes to, before anything is changed."""

    head: str
    base: str
    target: str
    message: str
    merged: str
    """The tree of the result."""
    changes: tuple[Change, ...]
    """How it differs from what is checked out."""
    conflicts: tuple[str, ...]
    """Files that a person has to decide about."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of it."""

    commit: str
    """Empty where conflicts are left, or nothing had to be changed."""
    conflicts: tuple[str, ...]
    undo: str


def open_repository(repository: Repository, doing: str) -> str:
    """Return the commit that is checked out, once it is sure that nothing can be lost. Raises StackyardError."""
    repository.runner.run(["git", "--version"])
    head = repository.head()
    if not head:
        fix = "Make it one, so that every change can be taken back."
        command = "git init && git add --all && git commit --message 'Begin'"
        raise MissingError("this is no git repository with a commit", fix=fix, command=command)
    if repository.ask("rev-parse", "--show-prefix"):
        raise RefusedError(f"`inv {doing}` works at the top of a repository", "this folder is within another's")
    if repository.ask("rev-parse", "--verify", "--quiet", "CHERRY_PICK_HEAD"):
        why = "its conflicts are not all resolved and committed"
        fix = "Go on with `git cherry-pick --continue`, or take it back."
        raise RefusedError("an earlier one is under way", why, fix=fix, command="git cherry-pick --abort")
    return head


def check_clean(repository: Repository, doing: str) -> None:
    """Raise RefusedError while something is not in a commit."""
    dirty = repository.list_dirty()
    if dirty:
        more = f" and {len(dirty) - 3} more" if len(dirty) > 3 else ""
        fix = f"Commit or stash that, then run `inv {doing}` again."
        raise RefusedError("not all is committed", ", ".join(dirty[:3]) + more, fix=fix, command="git status")
    if not repository.ask("var", "GIT_COMMITTER_IDENT"):
        command = "git config user.name 'Your Name' && git config user.email you@example.com"
        raise MissingError("git does not know who you are", "it cannot commit", command=command)


def render_commit(repository: Repository, commit: str, record: Record) -> str:
    """Render the template as a commit has it, and return the tree. Raises ConfigError for what is no template."""
    tree = repository.list_tree(commit)
    if RULES not in tree:
        raise ConfigError(f"{commit[:12]} is no version of the template", f"it has no {RULES}")
    rules = parse_rules(repository.read_blob(tree[RULES].blob))
    texts = repository.read_texts(find_texts(tree, rules))
    return repository.write_tree(render(tree, texts, rules, record))


def try_move(repository: Repository, head: str, base: str, target: str, message: str) -> Move:
    """Merge without the working tree."""
    ours = repository.tree_of(head)
    merged = repository.merge_trees(base, ours, target)
    changes = tuple(repository.diff_trees(ours, merged.tree))
    return Move(head, base, target, message, merged.tree, changes, merged.conflicts)


def carry_out(repository: Repository, move: Move, hold: Hold) -> Moved:
    """Do it in the working tree; ``hold`` is what a git that outlives us goes on holding. Raises StackyardError."""
    undo = f"git reset --keep {move.head[:12]}"
    if not move.changes and not move.conflicts:
        return Moved("", (), "")
    tracked = repository.list_tree(move.head)
    in_the_way = [
        change.path
        for change in move.changes
        if change.what == "A" and change.path not in tracked and (repository.root / change.path).exists()
    ]
    if in_the_way:
        why = f"{', '.join(in_the_way[:3])}: there, and not in a commit"
        raise RefusedError("files are in the way", why, fix="Commit them, or move them away.", command="git status")
    start = repository.commit_tree(move.base, "What the project was made from")
    step = repository.commit_tree(move.target, move.message, start, env={})
    aside = repository.commit_tree(move.merged, "Half way", env=OURS)
    note = _note(repository)
    write_atomically(note, json.dumps({"head": move.head, "aside": aside}))
    done = repository.pick(step, keep_fds=(hold.fd,))
    note.unlink()
    if not done:
        return Moved("", tuple(repository.list_unmerged()), "git cherry-pick --abort")
    return Moved(repository.head(), (), undo)


@contextlib.contextmanager
def moving(repository: Repository, screen: Screen, doing: str) -> Generator[Hold]:
    """Be the only one, and take back what a killed run has left half done. Raises RefusedError."""
    layout = Layout(repository.root)
    hold = take(layout.template_lock, PATIENCE)
    if hold is None:
        why = f"another run of this checkout has been at it for {PATIENCE:g} s"
        raise RefusedError("the project is being changed", why, command=f"inv {doing}")
    try:
        _take_back(repository, screen)
        yield hold
    finally:
        hold.release()


def _note(repository: Repository) -> Path:
    return Layout(repository.root).template_lock.with_suffix(".underway")


def _take_back(repository: Repository, screen: Screen) -> None:
    """Bring back the files as they were before a run that was killed while git wrote."""
    note = _note(repository)
    try:
        told = cast("dict[str, str]", json.loads(note.read_text(encoding="utf-8")))
        head, aside = told["head"], told["aside"]
    except (OSError, ValueError, KeyError):
        return
    if repository.list_unmerged():
        note.unlink()
        return
    if repository.head() == head:
        _break_lock(repository, screen)
        if repository.list_dirty():
            kept = repository.shelve("as a killed run had left it")
            screen.note(f"took back what a killed run had left half done; it is kept: git stash show {kept[:12]}")
        # Through what it was bringing: files that only that has are git's own then, and go away again.
        repository.reset_files(aside, head)
    if repository.ask("rev-parse", "--verify", "--quiet", "CHERRY_PICK_HEAD"):
        repository.git("cherry-pick", "--quit")
    note.unlink()


def _break_lock(repository: Repository, screen: Screen) -> None:
    """Remove the lock on git's index that a killed git has left: we hold what it held."""
    lock = repository.root / repository.ask("rev-parse", "--git-path", "index.lock")
    until = time.monotonic() + STALE
    while lock.exists():
        if time.monotonic() > until:
            lock.unlink(missing_ok=True)
            screen.note("removed the index.lock that a killed git had left")
            return
        time.sleep(0.05)


def show_changes(screen: Screen, move: Move) -> None:
    """List what the merge would change, a line for each file, or their numbers where they are many."""
    words = {"A": "new", "M": "changed", "D": "removed", "T": "changed"}
    counted = {word: sum(words[each.what] == word for each in move.changes) for word in ("new", "changed", "removed")}
    screen.note(", ".join(f"{count} {word}" for word, count in counted.items() if count) or "no changes")
    if len(move.changes) <= 40:
        for each in move.changes:
            mark = {"A": "+", "D": "-"}.get(each.what, "~")
            screen.note(f"{mark} {each.path}" + ("   CONFLICT" if each.path in move.conflicts else ""))
    unlisted = [path for path in move.conflicts if len(move.changes) > 40 or path not in {c.path for c in move.changes}]
    for path in unlisted:
        screen.note(f"! {path}   CONFLICT")


def show_moved(screen: Screen, moved: Moved) -> None:
    """Say what to do with conflicts, or how to take it all back."""
    if moved.conflicts:
        screen.warn(f"conflicts in {plural(len(moved.conflicts), 'file')}: {', '.join(moved.conflicts)}")
        screen.say("resolve them, `git add` each, then: git cherry-pick --continue")
    if moved.undo:
        screen.say(f"take it back: {moved.undo}")

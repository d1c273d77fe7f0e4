"""Git beneath its commands for people: trees, commits, merges that no working tree sees, and what another holds.

What it writes are objects, which nothing refers to until a command for people does; git removes them in its own time.
The few calls that change the working tree are named for that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackyard.errors import MissingError, ToolError
from stackyard.template import File, Tree
from stackyard.tools.process import Completed, Runner

OURS = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Stackyard"), ("EMAIL", "stackyard@localhost"))
}
"""Who makes commits that never become a part of any history."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file that differs: ``A`` added, ``M`` changed, ``D`` removed, ``T`` another type."""

    what: str
    path: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge comes to: a tree, in which files of conflicts have git's marks."""

    tree: str
    conflicts: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository that a folder is the top of."""

    runner: Runner
    root: Path

    def git(
        self,
        *arguments: str,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        fine: Sequence[int] = (0,),
        keep_fds: Sequence[int] = (),
    ) -> Completed:
        """Run git. Raises ToolError with its own words unless its exit code is one of ``fine``."""
        own = {**os.environ, **env} if env else None
        done = self.runner.run(["git", *arguments], cwd=self.root, env=own, stdin=stdin, keep_fds=keep_fds)
        if done.code not in fine:
            words = (done.stderr or done.stdout).strip()
            raise ToolError(f"git {arguments[0]} failed", f"exit code {done.code}", detail=words, command="git status")
        return done

    def ask(self, *arguments: str) -> str:
        """Run git, and return what it says without its last line end; nothing where it fails."""
        done = self.runner.run(["git", *arguments], cwd=self.root)
        return done.stdout.rstrip("\n") if done.code == 0 else ""

    def head(self) -> str:
        """Return the commit that is checked out; empty outside a repository and before its first commit."""
        return self.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def tree_of(self, commit: str) -> str:
        """Return what a commit holds, as git names it."""
        return self.git("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}").stdout.strip()

    def has(self, commit: str) -> bool:
        """Tell whether a commit is here."""
        return self.runner.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=self.root).code == 0

    def list_dirty(self) -> list[str]:
        """Return the tracked files that differ from the commit; what git does not track it leaves alone anyway."""
        argv = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no")
        return [line[3:] for line in self.git(*argv).stdout.split("\0") if line]

    def list_unmerged(self) -> list[str]:
        """Return the files that a merge has left for a person."""
        lines = self.git("ls-files", "--unmerged", "-z").stdout.split("\0")
        return sorted({line.partition("\t")[2] for line in lines if line})

    def list_tree(self, commit: str) -> dict[str, File]:
        """Return every file of a commit."""
        lines = self.git("ls-tree", "-r", "-z", "--full-tree", commit).stdout.split("\0")
        found = (line.partition("\t") for line in lines if line)
        return {path: File(facts.split()[0], facts.split()[2]) for facts, _, path in found}

    def read_blob(self, blob: str) -> str:
        """Return the text of a file."""
        return self.git("cat-file", "blob", blob).stdout

    def read_texts(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Return the texts of blobs, by path."""
        return {path: self.read_blob(blob) for path, blob in wanted.items()}

    def write_tree(self, tree: Tree) -> str:
        """Make a tree of files, and return how git names it."""
        lines: list[str] = []
        for path, file in tree.items():
            blob = file.blob
            if file.text is not None:
                blob = self.git("hash-object", "-w", "--stdin", stdin=file.text).stdout.strip()
            lines.append(f"{file.mode} {blob}\t{path}\0")
        index = Path(self.git("rev-parse", "--absolute-git-dir").stdout.strip()) / f"stackyard-index-{os.getpid()}"
        env = {"GIT_INDEX_FILE": str(index)}
        try:
            self.git("update-index", "-z", "--index-info", stdin="".join(lines), env=env)
            return self.git("write-tree", env=env).stdout.strip()
        finally:
            index.unlink(missing_ok=True)

    def commit_tree(self, tree: str, message: str, *parents: str, env: Mapping[str, str] = OURS) -> str:
        """Make a commit that nothing refers to, and return it."""
        given = [argument for parent in parents for argument in ("-p", parent)]
        return self.git("commit-tree", tree, *given, "-m", message, env=env).stdout.strip()

    def merge_trees(self, base: str, ours: str, theirs: str) -> Merged:
        """Merge two trees made from a third, without touching the working tree.

        Raises MissingError for a git older than 2.38, which knew of no such merge.
        """
        start = self.commit_tree(base, "base")
        sides = [self.commit_tree(tree, "side", start) for tree in (ours, theirs)]
        argv = ("merge-tree", "--write-tree", "-z", "--name-only", "--messages", *sides)
        done = self.git(*argv, fine=(0, 1, 129))
        if done.code == 129:
            why = "it cannot merge without a working tree"
            raise MissingError("git is too old", why, fix="Install git 2.38 or newer.", command="git --version")
        told, _, words = done.stdout.partition("\0\0")
        tree, *conflicts = told.rstrip("\0").split("\0")
        return Merged(tree, tuple(sorted(conflicts)) if done.code else (), words)

    def diff_trees(self, before: str, after: str) -> list[Change]:
        """Return the files in which two trees differ."""
        parts = self.git("diff-tree", "-r", "-z", "--name-status", "--no-renames", before, after).stdout.split("\0")
        return [Change(what, path) for what, path in zip(parts[::2], parts[1::2], strict=False)]

    def list_tags(self, address: str) -> list[str]:
        """Return the tags of another repository. Raises ToolError where it cannot be reached."""
        lines = self.git("ls-remote", "--tags", "--refs", "--", address).stdout.splitlines()
        return [line.partition("\trefs/tags/")[2] for line in lines]

    def fetch(self, address: str, what: str) -> str:
        """Get a tag or a commit of another repository with its history, and return the commit; makes no reference."""
        self.git("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--", address, what)
        return self.git("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}").stdout.strip()

    def list_history(self, commit: str) -> dict[str, str]:
        """Return a commit and those before it, newest first, each with what it holds."""
        lines = self.git("log", "--format=%H %T", commit, "--").stdout.splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def pick(self, commit: str, keep_fds: Sequence[int] = ()) -> bool:
        """Merge what a commit changes into the working tree, and commit it; False: it left conflicts, as git does.

        Raises ToolError where git did nothing.
        """
        done = self.runner.run(["git", "cherry-pick", commit], cwd=self.root, keep_fds=keep_fds)
        if done.code == 0:
            return True
        if self.list_unmerged():
            return False
        words = done.stderr.strip()
        raise ToolError("git cherry-pick failed", f"exit code {done.code}", detail=words, command="git status")

    def reset_files(self, *trees: str) -> None:
        """Bring index and files to one tree after the other, whatever they are; the branch stays where it is."""
        for tree in trees:
            self.git("read-tree", "--reset", "-u", tree)

    def shelve(self, message: str) -> str:
        """Keep what differs from the commit among git's stashes, without touching it; empty where nothing does."""
        kept = self.ask("stash", "create", message)
        if kept:
            self.git("stash", "store", "--message", message, kept)
        return kept

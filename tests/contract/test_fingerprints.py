"""What git knows of a file saves reading it, and never changes a hash: real git, whatever state the tree is in."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stackyard.tools.git import find_blobs
from stackyard.tools.process import SystemRunner
from stackyard.tools.tree import hash_files
from tests.counting import Counting
from tests.waiting import until

PLAIN = "src/plain.py"
OLD = 1_700_000_000
SETTINGS = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "protocol.file.allow=always")


class Repository:
    """A git repository in a temporary folder, without this machine's settings."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", *options)

    def git(self, *arguments: str) -> str:
        done = SystemRunner().run(["git", *SETTINGS, *arguments], cwd=self.root)
        assert done.code == 0, f"git {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def write(self, name: str, text: str | bytes = "x = 1\n") -> Path:
        """Write a file that is older than any index, so that git trusts what it knows of it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, (OLD, OLD))
        return path

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def check(self) -> dict[str, str]:
        """Insist that hashes are the same with git and without; return what git knew."""
        known = find_blobs(SystemRunner(), self.root, ["src"])
        assert hash_files(self.root, ["src"], known) == hash_files(self.root, ["src"])
        return known


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a few committed files."""
    made = Repository(tmp_path / "project")
    for name in (PLAIN, "src/a/b/c.py", "src/two words.txt", "src/ümlaut.txt", "src/new\nline.txt"):
        made.write(name, f"{name}\n")
    made.write("src/run.sh").chmod(0o755)
    made.commit()
    return made


def rewrite_in_place(repository: Repository) -> None:
    """Change a file and nothing that its name, length and date would tell; in another second, which git can tell."""
    path = repository.root / PLAIN
    then = int(path.stat().st_ctime)
    until(lambda: int(time.time()) != then, "the next second")
    (repository.root / PLAIN).write_bytes(b"y" * len(f"{PLAIN}\n"))
    os.utime(repository.root / PLAIN, (OLD, OLD))


def change_unseen(flag: str) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        repository.git("update-index", flag, PLAIN)
        repository.write(PLAIN, "changed\n")

    return change


def change_mode_unseen(repository: Repository) -> None:
    repository.git("config", "core.fileMode", "false")
    (repository.root / PLAIN).chmod(0o755)


def become_a_link(repository: Repository) -> None:
    (repository.root / PLAIN).unlink()
    (repository.root / PLAIN).symlink_to("run.sh")


def look_weakly(repository: Repository) -> None:
    repository.git("config", "core.checkStat", "minimal")
    repository.git("config", "core.trustctime", "false")
    rewrite_in_place(repository)


def conflict(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "other")
    repository.write(PLAIN, "theirs\n")
    repository.commit()
    repository.git("checkout", "-q", "-")
    repository.write(PLAIN, "ours\n")
    repository.commit()
    done = SystemRunner().run(["git", *SETTINGS, "merge", "other"], cwd=repository.root)
    assert "CONFLICT" in done.stdout


def intend_to_add(repository: Repository) -> None:
    repository.write("src/meant.py", "")
    repository.git("add", "--intent-to-add", "src/meant.py")


STATES: dict[str, Callable[[Repository], object]] = {
    "committed": lambda repository: None,
    "changed": lambda repository: repository.write(PLAIN, "changed\n"),
    "changed, of the same length and date": rewrite_in_place,
    "changed, where git looks less closely": look_weakly,
    "changed, assumed to be unchanged": change_unseen("--assume-unchanged"),
    "changed, outside of a sparse checkout": change_unseen("--skip-worktree"),
    "staged": lambda repository: (repository.write(PLAIN, "staged\n"), repository.git("add", "-A")),
    "staged, then changed": lambda repository: (
        repository.write(PLAIN, "staged\n"),
        repository.git("add", "-A"),
        repository.write(PLAIN, "later\n"),
    ),
    "meant to be added": intend_to_add,
    "new": lambda repository: repository.write("src/new.py"),
    "ignored": lambda repository: (repository.write(".gitignore", "*.json\n"), repository.write("src/data.json")),
    "deleted": lambda repository: (repository.root / PLAIN).unlink(),
    "removed from the index only": lambda repository: repository.git("rm", "-q", "--cached", PLAIN),
    "can be run now": lambda repository: (repository.root / PLAIN).chmod(0o755),
    "can be run now, where git does not look": change_mode_unseen,
    "a link now": become_a_link,
    "a folder now": lambda repository: (
        (repository.root / PLAIN).unlink(),
        repository.write(f"{PLAIN}/inside.py"),
    ),
    "in conflict": conflict,
}


@pytest.mark.parametrize("state", STATES)
def test_a_hash_is_the_same_in_every_state(repository: Repository, state: str) -> None:
    """Whatever git thinks of one file, the others need not be read."""
    STATES[state](repository)
    known = repository.check()
    assert {"src/a/b/c.py", "src/run.sh", "src/two words.txt", "src/new\nline.txt", "src/ümlaut.txt"} <= set(known)
    assert (PLAIN in known) == (state in {"committed", "new", "ignored", "meant to be added", "staged"})


def test_no_git_gives_the_same_hashes(repository: Repository) -> None:
    """A tarball of a commit is that commit."""
    before = hash_files(repository.root, ["src"], repository.check())
    shutil.rmtree(repository.root / ".git")
    assert find_blobs(SystemRunner(), repository.root, ["src"]) == {}
    assert hash_files(repository.root, ["src"]) == before


def test_links_are_what_they_lead_to(repository: Repository) -> None:
    """Committed or not: the content of a file, the way to anything else."""
    for name, to in (("file", "plain.py"), ("folder", "a"), ("nowhere", "../none")):
        (repository.root / "src" / name).symlink_to(to)
    repository.commit()
    assert not {"src/file", "src/folder", "src/nowhere"} & set(repository.check())
    hashes = hash_files(repository.root, ["src"])
    assert hashes["src/file"] == hashes[PLAIN]
    assert (hashes["src/folder"], hashes["src/nowhere"]) == ("la", "l../none")


@pytest.mark.parametrize("setting", ["true", "input"])
def test_line_ends_are_those_of_the_file(tmp_path: Path, setting: str) -> None:
    """With autocrlf git keeps other bytes than docker copies; files without such line ends are still git's."""
    repository = Repository(tmp_path / "project")
    repository.git("config", "core.autocrlf", setting)
    repository.git("config", "core.safecrlf", "false")
    repository.write(PLAIN, "one\r\ntwo\r\n")
    repository.write("src/other.py", "one\n")
    repository.commit()
    assert set(repository.check()) == {"src/other.py"}


@pytest.mark.parametrize(
    ("attributes", "content", "kept"),
    [
        ("*.py text=auto", "one\r\n", False),
        ("*.py text=auto", "one\n", True),
        ("*.py text eol=crlf", "one\r\n", False),
        ("*.py -text", "one\r\n", True),
        ("*.py ident", "# $Id$\n", False),
        ("*.py filter=turn", "abc\n", False),
        ("*.py working-tree-encoding=UTF-16LE", "one\n".encode("utf-16-le"), False),
        ("*.py diff=python", "one\n", True),
    ],
)
def test_what_git_hands_out_other_than_it_keeps_it_is_read(
    tmp_path: Path, attributes: str, content: str | bytes, *, kept: bool
) -> None:
    """Attributes change bytes on the way in and out; the image gets those of the working tree."""
    repository = Repository(tmp_path / "project")
    repository.git("config", "filter.turn.clean", "tr a-c b-d")
    repository.git("config", "filter.turn.smudge", "tr b-d a-c")
    repository.write(".gitattributes", f"{attributes}\n")
    repository.write(PLAIN, content)
    repository.commit()
    assert (PLAIN in repository.check()) == kept


def test_repositories_within_are_read(repository: Repository, tmp_path: Path) -> None:
    """A submodule, a repository that nobody declared, a service that is one: their files are files."""
    inner = Repository(tmp_path / "inner")
    inner.write("kit.py")
    inner.commit()
    repository.git("submodule", "add", "-q", str(inner.root), "src/module")
    nested = Repository(repository.root / "src/nested")
    nested.write("app.py")
    nested.commit()
    known = repository.check()
    assert PLAIN in known
    assert not [path for path in known if path.startswith(("src/module/", "src/nested/"))]
    inside = hash_files(repository.root, ["src/module", "src/nested"])
    assert {"src/module/kit.py", "src/nested/app.py"} <= set(inside)


def test_names_by_sha256_are_not_taken(tmp_path: Path) -> None:
    """The same file has the same hash, whatever a repository names it."""
    repository = Repository(tmp_path / "project", "--object-format=sha256")
    repository.write(PLAIN)
    repository.commit()
    assert repository.check() == {}


def test_a_project_may_be_a_folder_of_a_repository(tmp_path: Path) -> None:
    """Paths begin at the project."""
    outer = Repository(tmp_path / "all")
    outer.write("platform/src/app.py")
    outer.commit()
    root = outer.root / "platform"
    known = find_blobs(SystemRunner(), root, ["src"])
    assert known == hash_files(root, ["src"])


def test_the_number_of_processes_does_not_grow(repository: Repository) -> None:
    """Three, and one more where line ends may be converted."""
    few, many = Counting(), Counting()
    find_blobs(few, repository.root, ["src"])
    for number in range(300):
        repository.write(f"src/many/{number}.py")
    repository.commit()
    assert len(find_blobs(many, repository.root, ["src"])) > 300
    assert few.started == many.started == 3

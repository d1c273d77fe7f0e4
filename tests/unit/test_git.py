"""What git says of the working tree, as it says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from stackyard.errors import MissingError
from stackyard.testing import ScriptedRunner
from stackyard.tools.git import Revision, describe_revision
from stackyard.tools.process import Completed

HEAD = "# branch.oid 0123456789abcdef0123456789abcdef01234567\0# branch.head main\0# branch.ab +0 -0\0"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHANGED = "1 .M N... 100644 100644 100644 a b a page.md\0? src/new/\0u UU N... 1 2 3 4 a b c tasks.py\0"


@pytest.mark.parametrize(
    ("stdout", "code", "revision"),
    [
        pytest.param(HEAD, 0, Revision(COMMIT, dirty=False), id="clean"),
        pytest.param(HEAD + "? new.txt\0", 0, Revision(COMMIT, dirty=True, changed=("new.txt",)), id="untracked"),
        pytest.param(
            HEAD + CHANGED, 0, Revision(COMMIT, dirty=True, changed=("a page.md", "src/new/", "tasks.py")), id="changed"
        ),
        pytest.param("# branch.oid (initial)\0# branch.head main\0? a\0", 0, None, id="before the first commit"),
        pytest.param("", 128, None, id="no repository"),
        pytest.param("", 0, None, id="nothing said"),
    ],
)
def test_a_revision_is_read(runner: ScriptedRunner, stdout: str, code: int, revision: Revision | None) -> None:
    """One command tells the commit and which files differ from it."""
    argv = ("git", "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=normal")
    runner.expect(*argv, stdout=stdout, code=code)
    assert describe_revision(runner, Path("/project")) == revision
    assert runner.calls[0].cwd == Path("/project")


def test_paths_begin_at_the_project(runner: ScriptedRunner, tmp_path: Path) -> None:
    """A project may be one folder of a repository; git tells paths from the repository's top."""
    (tmp_path / ".git").mkdir()
    runner.expect("git", "status", ..., stdout=HEAD + "? platform/src/new/\0? other/page.md\0")
    found = describe_revision(runner, tmp_path / "platform")
    assert found == Revision(COMMIT, dirty=True, changed=("src/new/", "other/page.md"))


class NoGit(ScriptedRunner):
    """A machine without git."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout: float | None = None,
        keep_fds: Sequence[int] = (),
    ) -> Completed:
        """Find no program."""
        raise MissingError(f"cannot start {argv[0]}")


def test_a_machine_without_git_has_no_revision() -> None:
    """A deploy goes on without; its record says that the tree is unknown."""
    assert describe_revision(NoGit(), Path("/project")) is None

"""What git says of the working tree, as it says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from stackyard.errors import MissingError
from stackyard.testing import ScriptedRunner
from stackyard.tools.git import Revision, describe_revision
from stackyard.tools.process import Completed

HEAD = "# branch.oid 0123456789abcdef0123456789abcdef01234567\n# branch.head main\n# branch.ab +0 -0\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("stdout", "code", "revision"),
    [
        pytest.param(HEAD, 0, Revision(COMMIT, dirty=False), id="clean"),
        pytest.param(HEAD + "? new.txt\n", 0, Revision(COMMIT, dirty=True), id="untracked"),
        pytest.param(
            HEAD + "1 .M N... 100644 100644 100644 a b tasks.py\n", 0, Revision(COMMIT, dirty=True), id="changed"
        ),
        pytest.param("# branch.oid (initial)\n# branch.head main\n? a\n", 0, None, id="before the first commit"),
        pytest.param("", 128, None, id="no repository"),
        pytest.param("", 0, None, id="nothing said"),
    ],
)
def test_a_revision_is_read(runner: ScriptedRunner, stdout: str, code: int, revision: Revision | None) -> None:
    """One command tells the commit and whether the files differ from it."""
    runner.expect("git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal", stdout=stdout, code=code)
    assert describe_revision(runner, Path("/project")) == revision
    assert runner.calls[0].cwd == Path("/project")


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

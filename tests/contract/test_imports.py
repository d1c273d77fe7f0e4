"""`inv --list` costs what Invoke costs: tasks/ imports nothing that is heavy, or ours, before a task runs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from stackyard.tools.process import SystemRunner

ROOT = Path(__file__).resolve().parents[2]

LOADED = "json.dumps(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
IMPORT = f"import sys, json; sys.path.insert(0, sys.argv[1]); import tasks; print({LOADED})"
LIST = f"""
import sys, json
from invoke.main import program
program.run(["inv", "--search-root", sys.argv[1], "--list"], exit=False)
print({LOADED})
"""


def loaded(code: str, folder: Path) -> tuple[set[str], str]:
    """Return the top-level modules that are not Python's own, and what was printed, in a fresh interpreter."""
    done = SystemRunner().run([sys.executable, "-c", code, str(folder)], cwd=folder, timeout=60)
    assert done.code == 0, done.stderr
    *printed, modules = done.stdout.splitlines()
    return set(json.loads(modules)), "\n".join(printed)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with an empty tasks.py."""
    (tmp_path / "tasks.py").touch()
    return tmp_path


def test_importing_the_tasks_imports_nothing_of_ours() -> None:
    """Each task imports its own command when it runs."""
    modules, _ = loaded(IMPORT, ROOT)
    assert "tasks" in modules
    assert not modules & {"stackyard", "servicekit", "pydantic", "boto3", "botocore", "rich", "httpx", "moto"}


def test_only_who_speaks_to_a_cluster_pays_for_its_client() -> None:
    """The official client is big: importing what uses it does not import it."""
    modules, _ = loaded(
        f"import sys, json, stackyard.tools.kubernetes, stackyard.kinds.manifests; print({LOADED})", ROOT
    )
    assert "stackyard" in modules
    assert not modules & {"kubernetes", "boto3", "botocore", "urllib3"}


def test_only_a_terminal_pays_for_the_bar() -> None:
    """A log and a pipe get lines, which need no library."""
    count = "with Screen().progress('apply', 1) as done: done.advance('x')"
    modules, _ = loaded(f"import sys, json\nfrom stackyard.screen import Screen\n{count}\nprint({LOADED})", ROOT)
    assert "stackyard" in modules
    assert "rich" not in modules


def test_listing_the_tasks_imports_what_an_empty_tasks_file_does(empty: Path) -> None:
    """The same set of modules, and so about the same time; what is listed is real."""
    ours, printed = loaded(LIST, ROOT)
    theirs, _ = loaded(LIST, empty)
    assert "up" in printed
    assert "deploy" in printed
    assert ours == theirs


def test_a_file_of_tasks_stands_for_no_other_module() -> None:
    """Invoke has the folder searched for every import, before all others: `import release` would find ours."""
    _, printed = loaded(
        f"{LIST}\nimport os\nprint([os.path.basename(path) for path in sys.path])\nprint({LOADED})", ROOT
    )
    [*_, folders, _] = printed.splitlines()
    assert folders.startswith("[")
    assert "'tasks'" not in folders


@pytest.mark.parametrize(("wish", "kept"), [("", True), ("1", False)])
def test_what_a_task_imports_is_compiled_once_unless_told_otherwise(tmp_path: Path, wish: str, kept: bool) -> None:
    """Invoke alone would have every task compile all it imports, each time."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"), "PYTHONDONTWRITEBYTECODE": wish}
    inv = str(Path(sys.executable).with_name("inv"))
    done = SystemRunner().run([inv, "services"], cwd=ROOT, env=environment, timeout=60)
    assert done.code == 0, done.stderr
    compiled = {path.name.partition(".")[0] for path in (tmp_path / "compiled").rglob("*.pyc")}
    assert ({"services", "yamlfile", "running", "service"} <= compiled) == kept
    assert bool(compiled) == kept

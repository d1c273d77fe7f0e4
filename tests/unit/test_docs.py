"""What the documentation names is there: links, tasks and flags, modules, error texts, settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

import tasks
from stackyard.manifest import ServiceFile
from stackyard.project import Project

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {"node_modules", "__pycache__", "templates"}
COMMANDS = [
    "python3 -m venv .uv && .uv/bin/pip install -q uv && .uv/bin/uv run inv up",
    "python3 -m venv .uv && .uv/bin/pip install -q uv && .uv/bin/uv run nox",
]


def find_pages() -> Iterator[Path]:
    """Find every Markdown file of the project."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith(".")]
        yield from (Path(folder, name) for name in names if name.endswith(".md"))


PAGES = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in sorted(find_pages())}
OURS = {name: text for name, text in PAGES.items() if name == "README.md" or name.startswith("docs/")}
TASKS = cast("dict[str, Any]", tasks.namespace.tasks)  # Invoke's tasks have no types
WORDS = {
    ("remove-service", "name"),
    ("add-service", "names"),
    ("api-key", "service"),
    ("logs", "names"),
    ("open", "names"),
    ("help", "names"),
    ("trace", "id"),
}
"""Arguments that are given as plain words, without a flag."""
FLAGS = {
    name: {
        f"--{each.name.strip('_').replace('_', '-')}" for each in task.get_arguments() if (name, each.name) not in WORDS
    }
    for name, task in TASKS.items()
}


def without_fences(text: str) -> str:
    """Take code blocks out."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def without_code(text: str) -> str:
    """Take code blocks and code within lines out."""
    return re.sub(r"`[^`\n]*`", "", without_fences(text))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_fences(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    """A relative link names a file or folder that is there, and a heading that it has."""
    broken: list[str] = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(PAGES[name])):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", OURS)
def test_every_task_and_flag_exists(name: str) -> None:
    """`inv NAME --flag` can be typed as it is written."""
    wrong: list[str] = []
    for task, rest in re.findall(r"\binv\s+([a-z][\w-]*)([^`\n&;|#]*)", PAGES[name]):
        flags = set(re.findall(r"--[a-z][a-z-]*", rest)) - {"--help"}
        if task not in FLAGS or not flags <= FLAGS[task]:
            wrong.append(f"inv {task}{rest}")
    assert not wrong


def test_the_table_of_tasks_is_complete() -> None:
    """The README's table has every task with all of its flags."""
    rows = re.findall(r"^\| `inv ([\w-]+)` \|.*\|(.*)\|$", PAGES["README.md"], re.MULTILINE)
    assert {task: set(re.findall(r"--[a-z-]+", flags)) for task, flags in rows} == FLAGS


@pytest.mark.parametrize("name", OURS)
def test_every_nox_session_and_path_exists(name: str) -> None:
    """`nox -s NAME` is a session; what looks like a path of the project is one."""
    sessions = re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bnox -s (\w+)", PAGES[name])) <= set(sessions)
    paths = re.findall(r"`((?:src|tests|infra|docs)/[\w./-]+)`", without_fences(PAGES[name]))
    mentioned = [path for path in paths if not path.startswith(("src/services/order-desk", "src/services/worker"))]
    assert [path for path in mentioned if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_two_commands_stand_in_the_readme(command: str) -> None:
    """Each on a line of its own: people copy them, and continuous integration looks for the second."""
    assert command in PAGES["README.md"].splitlines()


def listed_modules() -> set[str]:
    """Return every path that docs/architecture.md lists under a folder's heading."""
    found: set[str] = set()
    folder = ""
    for line in PAGES["docs/architecture.md"].splitlines():
        if heading := re.match(r"### `([\w./-]+/)`$", line):
            folder = heading[1]
        elif item := re.match(r"- `([\w./-]+)`: \S", line):
            assert folder + item[1] not in found, f"{folder}{item[1]} is listed twice"
            found.add(folder + item[1])
    return found


def test_every_module_that_is_named_exists() -> None:
    """In docs/architecture.md."""
    assert [path for path in sorted(listed_modules()) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("package", ["src/stackyard", "src/servicekit/servicekit", "tasks"])
def test_every_module_is_named(package: str) -> None:
    """In docs/architecture.md; packages' own docstrings speak for their ``__init__.py``."""
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*.py")}
    unnamed = {path for path in modules if not path.endswith("__init__.py")} - listed_modules()
    assert {path for path in unnamed if not path.startswith("src/stackyard/templates/")} == set()


def test_every_terraform_module_is_named() -> None:
    """In docs/architecture.md."""
    modules = {f"{path.relative_to(ROOT).as_posix()}/" for path in (ROOT / "infra/modules").iterdir() if path.is_dir()}
    assert modules - listed_modules() == set()


def test_every_error_of_the_troubleshooting_page_can_happen() -> None:
    """Each heading is the text of an error as the sources have it, with … for what they fill in."""
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "src/stackyard").rglob("*.py")]
    sources = re.sub(r'"\s*\n\s*f?"', "", "\n".join(code))
    headings = re.findall(r"^### `(.+)`$", PAGES["docs/guides/troubleshooting.md"], re.MULTILINE)
    assert len(headings) > 30
    uv = {"Failed to spawn: inv"}
    pieces = {heading: [each.strip() for each in heading.split("…")] for heading in headings if heading not in uv}
    assert [heading for heading, parts in pieces.items() if not all(part in sources for part in parts)] == []


def test_every_example_of_the_yaml_files_is_valid() -> None:
    """What is copied from a page is taken by the models."""
    blocks = [block for text in OURS.values() for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)]
    for block in blocks:
        data = yaml.safe_load(block)
        (Project if "project" in data else ServiceFile).model_validate(data)
    assert len(blocks) >= 4


def test_decisions_are_numbered_and_in_the_index() -> None:
    """0001, 0002 … without a gap, each with its title in docs/README.md."""
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    index = PAGES["docs/README.md"]
    for name in names:
        title = PAGES[f"docs/decisions/{name}"].splitlines()[0].removeprefix(f"# {name[:4]}: ")
        assert f"| [{name[:4]}](decisions/{name}) | {title} |" in index


def test_every_gotcha_has_a_date() -> None:
    """What was true once may be mended by now."""
    entries = re.split(r"^(?:- |#)", PAGES["docs/gotchas.md"], flags=re.MULTILINE)
    gotchas = [entry.strip() for entry in entries if entry.startswith("**")]
    assert len(gotchas) > 40
    assert [entry for entry in gotchas if not re.search(r"\(20\d\d-\d\d\)$", entry)] == []


def test_every_page_is_reached_from_the_index() -> None:
    """docs/README.md leads to all that lies below docs."""
    index = PAGES["docs/README.md"]
    pages = [name.removeprefix("docs/") for name in OURS if name.startswith("docs/") and name != "docs/README.md"]
    assert [page for page in pages if f"({page})" not in index] == []

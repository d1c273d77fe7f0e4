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
from tests.documents import (
    FENCE,
    LANGUAGES,
    MARKS,
    ROOT,
    check_task,
    find_blocks,
    names_command,
    read_blocks,
    read_pages,
)

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
TEXTS = read_pages()
BLOCKS = read_blocks()
SESSIONS = re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
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
    assert set(re.findall(r"\bnox -s (\w+)", PAGES[name])) <= set(SESSIONS)
    paths = re.findall(r"`((?:src|tests|infra|docs)/[\w./-]+)`", without_fences(PAGES[name]))
    mentioned = [path for path in paths if not path.startswith(("src/services/order-desk", "src/services/worker"))]
    assert [path for path in mentioned if not (ROOT / path).exists()] == []


def test_fences_say_what_they_hold() -> None:
    """A language that is known: what is to be typed is bash, what it prints or what lies in a file is not."""
    assert [f"{block.place}: {block.language!r}" for block in BLOCKS if block.language not in LANGUAGES] == []
    assert [page for page, text in TEXTS.items() if FENCE.sub("", text).count("```")] == []


def test_shell_blocks_hold_commands_only() -> None:
    """No prompt, and nothing that a shell could not read."""
    shell = [block for block in BLOCKS if block.language == "bash"]
    assert len(shell) > 40
    assert [block.place for block in shell if not block.commands() or re.search(r"^\s*\$ ", block.text, re.M)] == []


def test_marks_are_known_and_say_why() -> None:
    """Only those of tests/documents.py, each before a block, `live` and `run` with a reason."""
    wrong = [block.place for block in BLOCKS if block.kind and block.kind not in MARKS]
    wrong += [block.place for block in BLOCKS if block.kind in ("live", "run", "until") and not block.value]
    wrong += [block.place for block in BLOCKS if block.kind == "prints" and block.value not in ("", "exactly")]
    wrong += [block.place for block in BLOCKS if (block.kind == "prints") == (block.language == "bash") and block.kind]
    assert wrong == []
    written = sum(len(re.findall(rf"^ *<!-- (?:{'|'.join(MARKS)})\b", text, re.M)) for text in TEXTS.values())
    assert written == sum(block.kind in MARKS for block in BLOCKS)


def test_blocks_that_a_test_runs_stand_in_that_test() -> None:
    """Each command literally, or the page's name where the test reads the block from it."""
    wrong: list[str] = []
    for block in BLOCKS:
        if block.kind == "run":
            text = (ROOT / block.value).read_text(encoding="utf-8") if (ROOT / block.value).is_file() else ""
            missing = [each for each in block.commands() if not names_command(text, each)]
            if missing and block.page not in text:
                wrong.append(f"{block.place}: {block.value} does not run {missing}")
    assert wrong == []


def test_every_command_of_a_shell_block_can_be_typed() -> None:
    """Invoke itself, with the real tasks, takes each `inv …`; sessions of nox and tools that uv runs are there."""
    wrong: list[str] = []
    for block in BLOCKS:
        for words in block.commands() if block.language == "bash" else []:
            if "inv" in words[:3]:
                said = check_task(words[words.index("inv") + 1 :])
                wrong += [f"{block.place}: {' '.join(words)}: {said}"] if said else []
            elif "nox" in words[:3] and "-s" in words:
                wrong += [] if words[words.index("-s") + 1] in SESSIONS else [f"{block.place}: {' '.join(words)}"]
    assert wrong == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("```bash\nls\n```\n", ("bash", "", "", [["ls"]])),
        ("<!-- live: needs AWS -->\n```bash\ninv plan --env dev   # why\n```\n", ("bash", "live", "needs AWS", None)),
        ("  <!-- run: tests/x.py -->\n  ```bash\n  a | b 'c d' && e\n  ```\n", ("bash", "run", "tests/x.py", None)),
        ("<!-- live: too far -->\n\n```bash\nA=1 ls \\\n -l\n```\n", ("bash", "", "", [["ls", "-l"]])),
    ],
)
def test_a_block_is_read_with_its_mark(page: str, found: tuple[str, str, str, list[list[str]] | None]) -> None:
    """The mark stands in the line right before the fence; comments and assignments are no words of a command."""
    [block] = find_blocks("page.md", page)
    assert (block.language, block.kind, block.value) == found[:3]
    assert found[3] is None or block.commands() == found[3]
    assert not any(word.startswith("#") for words in block.commands() for word in words)


def test_links_to_elsewhere_have_an_address() -> None:
    """An https one with a host; nobody asks them, since a test has no internet."""
    links = {link for text in TEXTS.values() for link in re.findall(r"\]\(([a-z]+:[^)\s]*)\)", without_code(text))}
    assert links
    assert [link for link in links if not re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/[^\s()<>]*)?", link)] == []


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

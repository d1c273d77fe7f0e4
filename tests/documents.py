"""The Markdown pages of the project, and the blocks of code in them, as the tests read them.

A shell block is fenced as ``bash`` and executed by tests/docs, unless a comment in the line before its fence says
why not: ``<!-- live: needs an AWS account -->``, or ``<!-- run: tests/x.py -->`` where that file runs its commands.
What goes on until Ctrl-C has ``<!-- until: … -->`` with words that it prints when it is ready (`inv up` needs none).
A block of text with ``<!-- prints -->`` is compared with what the block before it printed; after ``prints: exactly``
the figures in it, too.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from invoke.exceptions import ParseError
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser
from invoke.program import Program

import tasks

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "SECURITY.md", "docs")
LANGUAGES = {"bash", "text", "yaml", "toml", "json", "python", "mermaid", "dockerfile", "hcl", "html", "diff", "ini"}
"""What a fence may say. ``sh``, ``shell`` and ``console`` would be shell blocks that nobody runs."""

FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks) *$", re.M | re.S
)
MARK = re.compile(r"<!-- (?P<kind>[a-z]+)(?:: (?P<value>.+?))? -->")
MARKS = {"live", "run", "until", "prints"}


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, what it says, and its mark."""

    page: str
    line: int
    language: str
    text: str
    kind: str = ""
    """``live``, ``run`` or ``until``, and ``prints`` on what the block before it prints."""
    value: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def executed(self) -> bool:
        """Whether tests/docs runs it."""
        return self.language == "bash" and self.kind not in ("live", "run")

    def commands(self) -> list[list[str]]:
        """Return the words of each command, without comments and assignments; pipes and lists are taken apart.

        Raises ValueError where the shell would not understand it.
        """
        joined = re.sub(
            r"<<-? ?['\"]?(\w+)['\"]?[^\n]*\n.*?^\s*\1$", "", self.text.replace("\\\n", " "), flags=re.M | re.S
        )
        bare = re.sub(r"(^|(?<=\s))#( .*|$)", "", joined, flags=re.MULTILINE)
        lexer = shlex.shlex(bare.replace("\n", " ; "), posix=True, punctuation_chars=";|&<>()")
        lexer.whitespace_split, lexer.commenters = True, ""
        found: list[list[str]] = [[]]
        for word in lexer:
            if word and set(word) <= set(";|&()"):
                found.append([])
            elif found[-1] or not re.match(r"\w+=", word):
                found[-1].append(word)
        return [words for words in found if words]


def find_blocks(page: str, text: str) -> list[Block]:
    """Return every fenced block of a page, in order."""
    found: list[Block] = []
    for fence in FENCE.finditer(text):
        before = text[: fence.start()].rstrip("\n").rpartition("\n")[2].strip()
        mark = MARK.fullmatch(before) if text[: fence.start()].endswith("-->\n") else None
        kind, value = (mark["kind"], mark["value"] or "") if mark else ("", "")
        indent = len(fence["indent"])
        lines = [line[indent:] if line[:indent].isspace() else line for line in fence["text"].splitlines()]
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Block(page, line, fence["language"].strip(), "\n".join(lines) + "\n", kind, value))
    return found


def read_pages() -> dict[str, str]:
    """Return the text of the project's documentation by path, decisions and reference included."""
    paths = [
        path for name in PAGES for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*.md"))
    ]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(paths)}


def read_blocks() -> list[Block]:
    """Return every block of every page."""
    return [block for page, text in read_pages().items() for block in find_blocks(page, text)]


def check_task(words: list[str]) -> str:
    """Say what Invoke would not understand of ``inv …``, by the real tasks; nothing where it would."""
    initial = ParserContext(args=Program().core_args())
    contexts = tasks.namespace.to_contexts()
    try:
        Parser(initial=initial, contexts=contexts).parse_argv(words)
    except ParseError as error:
        return str(error)
    return ""


def names_command(file: str, command: list[str]) -> bool:
    """Tell whether a file has a command, as one line or as the words of a call, in their order.

    A file that greps for a line of the README has what its pattern takes.
    """
    plain = " ".join(re.sub(r"[\"'`,()\[\]\s]+", " ", file).split())
    if " ".join(re.sub(r"[\"'`,()\[\]]+", " ", " ".join(command)).split()) in plain:
        return True
    return any(re.search(pattern, " ".join(command)) for pattern in re.findall(r"grep -E '(.+?)' README", file))

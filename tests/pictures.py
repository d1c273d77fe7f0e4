"""Draws what a command printed as an SVG: ``python -m tests.pictures docs/pictures/deploy.svg inv deploy --env local``.

The command is really run, its standard error a terminal and its standard output none, so that colours are there and a
bar that redraws itself is not. The picture asks no other host for a font. Knows nothing of what is printed.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

WIDTH = 80
"""Columns."""
FORMAT = re.sub(r"\s*@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""rich's own, without the font that it would fetch."""


def render_svg(printed: str, title: str) -> str:
    """Return the picture of a terminal with that title, in which ``printed`` stands in its colours."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="standard")
    for line in printed.splitlines():
        console.print(Text.from_ansi(line), soft_wrap=False)
    return console.export_svg(title=title, code_format=FORMAT, unique_id="stackyard")


def run(argv: Sequence[str]) -> str:
    """Run a command and return what it printed. Raises RuntimeError, with that, where it does not end well."""
    ours, its = os.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=its, env=environment
    ) as process:
        os.close(its)
        printed = bytearray()
        # Linux answers EIO where the last holder of the other end is gone.
        while piece := _read(ours):
            printed += piece
        assert process.stdout is not None
        printed += process.stdout.read()
    os.close(ours)
    text = printed.decode().replace("\r\n", "\n")
    if process.returncode:
        raise RuntimeError(f"{argv} ended with {process.returncode}:\n{text}")
    return text


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def main(arguments: Sequence[str]) -> int:
    """Write the picture that the first word names, of the command that the others are."""
    target, *command = arguments
    typed = " ".join(command)
    Path(target).write_text(render_svg(f"$ {typed}\n{run(command)}", typed), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

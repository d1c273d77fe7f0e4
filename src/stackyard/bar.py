"""The bar that counts along at the bottom of a terminal, drawn by rich.

Imported only where both ends are a terminal: rich costs 40 ms. Knows neither stages nor what is counted.
"""

from __future__ import annotations

from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

_A_SECOND = 4
"""How often it is drawn anew: enough for its seconds, and too little to be seen in a deploy's CPU time."""


class Bar:
    """One line at the bottom: title, bar, how many of how many, since when, what is waited for."""

    def __init__(self, stream: IO[str], title: str, total: int | None) -> None:
        """Draw it for the first time."""
        self._console = Console(file=stream, highlight=False)
        self._progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn(
                "{task.fields[waiting]}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=self._console,
            refresh_per_second=_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            expand=True,
        )
        self._task = self._progress.add_task(title, total=total, waiting="")
        self._progress.start()
        # rich hides it until the end; who is killed never gets there, and leaves a terminal without a cursor.
        self._console.show_cursor()

    def line(self, text: str) -> None:
        """Print a line above it; colours in it stay."""
        self._console.print(Text.from_ansi(text), soft_wrap=True)

    def advance(self) -> None:
        """Count one more."""
        self._progress.update(self._task, advance=1, waiting="")

    def waiting(self, text: str) -> None:
        """Say at its end what is waited for."""
        self._progress.update(self._task, waiting=text)

    def close(self) -> None:
        """Take it away; the lines stay."""
        self._progress.stop()

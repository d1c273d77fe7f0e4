"""What a shell offers while a line is typed: tasks, flags, environments, services. Asked through `inv --complete`."""

# Half of what Invoke holds has no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn, cast

from invoke.exceptions import Exit

from tasks.listing import show
from tasks.parsing import NAMED
from tasks.running import ROOT

if TYPE_CHECKING:
    from invoke.collection import Collection
    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext
    from invoke.parser.parser import Parser, ParseResult

ENVIRONMENTS, SERVICES = {"env", "from", "to"}, {"service", "names", "name"}
"""Flags by what their values name. A rollback's --to is a number, a restore's --from a folder."""

FIXED = {
    "kind": ("lambda", "apprunner", "ecs", "eks"),
    "level": ("debug", "info", "warning", "error", "critical"),
    "stack": ("app", "bootstrap"),
    "purpose": ("deploy", "plan"),
}


def complete(
    names: Sequence[str], core: ParseResult, initial_context: ParserContext, collection: Collection, parser: Parser
) -> NoReturn:
    """Print what may stand where the cursor is; the shell takes what begins with what is there already."""
    del names, initial_context, collection
    try:
        _, *words = shlex.split(core.remainder) or [""]
    except ValueError:
        words = []
    from stackyard.offered import list_environments, list_services

    offers = Offers(
        cast("Mapping[str, ParserContext]", parser.contexts),
        lambda: list_environments(ROOT),
        lambda: list_services(ROOT),
    )
    show(dict.fromkeys(offers.find([word for word in words if word != "="])))
    raise Exit(code=0)


class Offers:
    """What may stand where. Names are looked up only where they are wanted."""

    def __init__(
        self,
        tasks: Mapping[str, ParserContext],
        environments: Callable[[], Sequence[str]],
        services: Callable[[], Sequence[str]],
    ) -> None:
        """Take the tasks, and where names come from."""
        self.tasks, self.environments, self.services = tasks, environments, services

    def find(self, words: Sequence[str]) -> Iterator[str]:
        """Return what may stand at the end of these words.

        A shell leaves an empty last word out, so the last word may be half there or whole: both are answered.
        """
        *before, last = words or [""]
        begun = [each for each in self._after(before, last) if each.startswith(last)]
        if self._walk(words)[1] is None:
            yield from begun
        if last in begun or last in self.tasks:
            yield from self._after(words, "")

    def _after(self, words: Sequence[str], begun: str) -> Iterator[str]:
        task, flag = self._walk(words)
        if flag is not None:
            yield from self._values(task, flag.names[0])
        elif task is None:
            yield from self.tasks
        else:
            if not begun.startswith("-"):
                yield from self._words(task)
            yield from (name for name in task.flags if name.startswith("--"))
            yield from (*task.inverse_flags, "--help")

    def _walk(self, words: Sequence[str]) -> tuple[ParserContext | None, Argument | None]:
        """Return the task that the words end in, and the flag that waits for its value."""
        task: ParserContext | None = None
        flag: Argument | None = None
        for word in words:
            if flag is not None:
                flag = None
            elif word.startswith("-"):
                name, equals, _ = word.partition("=")
                found = cast("Argument | None", task.flags[name] if task and name in task.flags else None)
                flag = found if found and found.takes_value and not equals else None
            elif word in self.tasks and (task is None or task.name not in NAMED):
                task = self.tasks[word]
        return task, flag

    def _words(self, task: ParserContext) -> Iterator[str]:
        """Return what a task takes without a flag."""
        if task.name == "help":
            yield from self.tasks
        elif task.name in {"logs", "open", "remove-service", "api-key"}:
            yield from self.services()

    def _values(self, task: ParserContext | None, name: str) -> Iterator[str]:
        numbered = task is not None and task.name in {"rollback", "restore", "backup"}
        if name in ENVIRONMENTS and (name == "env" or not numbered):
            yield from self.environments()
        elif name in SERVICES and not (task and task.name == "add-service"):
            yield from self.services()
        else:
            yield from FIXED.get(name, ())

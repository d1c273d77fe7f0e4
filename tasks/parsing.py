"""How the words behind a task's name are read, where Invoke itself reads them otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from invoke.parser.parser import ParseMachine

if TYPE_CHECKING:
    from collections.abc import Container

    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext

NAMED = {"add-service", "logs", "open"}
"""Tasks that take as many names as are given. Invoke itself has no task take more than a fixed number of words."""

_handle = ParseMachine.handle


def _handle_word(self: ParseMachine, token: str) -> None:
    """Hand a word behind a task's name on to Invoke, save where Invoke mistakes it.

    ``--help`` shows the task's help whatever else is there or lacks; what begins with ``-`` is never a required word;
    and what is neither flag nor a flag's value is one more name, though a task be called the same.
    """
    context = cast("ParserContext | None", self.context)  # pyright: ignore[reportUnknownMemberType]  (Invoke's own)
    if not context or not context.name:
        _handle(self, token)
        return
    asked = cast("Argument", self.initial.args["help"])
    if asked.value:
        return
    if token in cast("Container[str]", context.flags) or token in context.inverse_flags:
        _handle(self, token)
    elif token in ("--help", "-h"):
        asked.value = context.name
        # No task will run, so nothing is required any more, nor a value of the flag before.
        context.positional_args.clear()
        self.flag = None
    elif self.waiting_for_flag_value:
        _handle(self, token)
    elif token.startswith("-"):
        if token not in cast("Container[str]", self.initial.flags):
            self.error(f"No idea what {token!r} is!")
        self.switch_to_flag(token)
    elif context.name in NAMED:
        cast("Argument", context.args["names"]).value = token
    else:
        _handle(self, token)


def mend() -> None:
    """Have Invoke's parser read words our way, in this process."""
    ParseMachine.handle = _handle_word

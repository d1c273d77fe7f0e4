"""How the words behind a task's name are read, where Invoke itself reads them otherwise."""

# Half of what Invoke holds has no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, cast

from invoke.exceptions import ParseError
from invoke.parser.parser import ParseMachine

if TYPE_CHECKING:
    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext

NAMED = {"add-service", "logs", "open", "help"}
"""Tasks that take as many names as are given. Invoke itself has no task take more than a fixed number of words."""

WORDS = {"id", "name", "service"}
"""Arguments that may stand without their flag where a task cannot do without them. An environment never does."""

HELP = ("--help", "-h")

_handle = ParseMachine.handle
_complete_flag = ParseMachine.complete_flag
_complete_context = ParseMachine.complete_context


class MisreadError(ParseError):
    """What was typed cannot be understood."""

    def __init__(
        self,
        context: ParserContext | None,
        what: str,
        why: str = "",
        *,
        command: str = "",
        lacks: tuple[str, ...] = (),
        instead: tuple[str, ...] = (),
    ) -> None:
        """Describe it; ``lacks`` was left out and must be there, ``instead`` is a word and the one that was meant."""
        super().__init__(f"{what}: {why}" if why else what, context)
        self.what, self.why, self.command, self.lacks, self.instead = what, why, command, lacks, instead


def find_near(word: str, known: Iterable[str]) -> list[str]:
    """Return those of the known words that may have been meant, likeliest first."""
    from difflib import get_close_matches

    return get_close_matches(word, list(known), 2, 0.7)


def did_you_mean(near: list[str]) -> str:
    """Ask whether one of these was meant."""
    return f"did you mean {' or '.join(near)}?" if near else ""


def unknown_task(word: str, known: Iterable[str], context: ParserContext | None = None) -> MisreadError:
    """Return what to say of a word that is no task."""
    near = find_near(word, known)
    return MisreadError(context, f"there is no task {word}", did_you_mean(near), instead=correct(word, near))


def correct(word: str, near: list[str]) -> tuple[str, ...]:
    """Return a word and the only one that can have been meant, or nothing."""
    return (word, near[0]) if len(near) == 1 else ()


def list_missing(context: ParserContext) -> list[Argument]:
    """Return the arguments that a task cannot do without and has not got."""
    return context.missing_positional_args


def _handle_word(self: ParseMachine, token: str) -> None:
    """Hand a word on to Invoke, save where Invoke mistakes it.

    ``--help`` shows the task's help whatever else is there or lacks; Invoke's own flags stand before a task's name, not
    behind it, where ``--dry`` would be taken and do nothing; what begins with ``-`` is never a required word; and what
    is neither flag nor a flag's value is one more name, though a task be called the same.
    """
    context = cast("ParserContext | None", self.context)
    tasks = cast("Container[str]", self.contexts)
    asked = cast("Argument", self.initial.args["help"])
    if self.ignore_unknown:
        _handle(self, token)
    elif not context or not context.name:
        _handle_first(self, token, tasks)
    elif asked.value:
        return
    elif token in cast("Container[str]", context.flags) or token in context.inverse_flags:
        _handle(self, token)
    elif token in HELP:
        asked.value = context.name
        # No task will run, so nothing is required any more, nor a value of the flag before.
        context.positional_args.clear()
        self.flag = None
    elif self.waiting_for_flag_value:
        _read_value(self, token, context)
    elif token.startswith("-"):
        raise _unknown_flag(token, context)
    elif context.name in NAMED:
        cast("Argument", context.args["names"]).value = token
    elif wanted := [each for each in list_missing(context) if each.name in WORDS]:
        wanted[0].value = token
    elif token in tasks:
        self.see_context(token)
    else:
        raise _stray(token, context, cast("Iterable[str]", tasks))


def _handle_first(self: ParseMachine, token: str, tasks: Container[str]) -> None:
    """Hand on what stands before the first task's name."""
    if token in tasks or self.waiting_for_flag_value or token in cast("Container[str]", self.initial.flags):
        _handle(self, token)
    elif token.startswith("-"):
        raise MisreadError(None, f"inv has no {token}", "a task's flags stand behind its name", command="inv --help")
    else:
        raise unknown_task(token, cast("Iterable[str]", tasks))


def _read_value(self: ParseMachine, token: str, context: ParserContext) -> None:
    flag = cast("Argument", self.flag)
    try:
        _handle(self, token)
    except ValueError:
        shown = f"inv {context.name} --{flag.names[0]} {token}"
        raise MisreadError(context, shown, "it must be a whole number", command=f"inv {context.name} --help") from None


def _unknown_flag(token: str, context: ParserContext) -> MisreadError:
    near = find_near(token, [*cast("Iterable[str]", context.flags), *context.inverse_flags, "--help"])
    what, command = f"inv {context.name} has no {token}", f"inv {context.name} --help"
    return MisreadError(context, what, did_you_mean(near), command=command, instead=correct(token, near))


def _stray(token: str, context: ParserContext, tasks: Iterable[str]) -> MisreadError:
    """Return what to say of a word that belongs to nothing: an environment without its flag, a task mistyped."""
    from stackyard.offered import list_environments
    from tasks.running import ROOT

    what = f"inv {context.name} cannot make out {token}"
    if "env" in context.args and token in list_environments(ROOT):
        return MisreadError(context, what, "an environment has its flag", command=f"inv {context.name} --env {token}")
    why = did_you_mean(find_near(token, tasks)) or "it is neither a flag's value nor a task"
    return MisreadError(context, what, why, command=f"inv {context.name} --help")


def _end_flag(self: ParseMachine) -> None:
    """See that a flag that takes a value has one."""
    flag = cast("Argument | None", self.flag)
    context = cast("ParserContext", self.context)
    if flag and context.name and flag.takes_value and flag.raw_value is None and not flag.optional:
        what = f"inv {context.name} --{flag.names[0]}"
        raise MisreadError(context, what, "it needs a value behind it", command=f"inv {context.name} --help")
    _complete_flag(self)


def _end_task(self: ParseMachine) -> None:
    """See that a task has what it cannot do without."""
    context = cast("ParserContext | None", self.context)
    if context and context.name and (missing := list_missing(context)):
        words = [each.names[0].upper() if each.name in WORDS else f"--{each.names[0]}" for each in missing]
        raise MisreadError(context, f"inv {context.name} needs {' and '.join(words)}", lacks=tuple(words))
    _complete_context(self)


def mend() -> None:
    """Have Invoke's parser read words our way, in this process."""
    ParseMachine.handle = _handle_word
    ParseMachine.complete_flag = _end_flag
    ParseMachine.complete_context = _end_task

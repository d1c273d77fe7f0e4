"""Invoke's own program, where it answers otherwise than the tasks do: lists, help, errors, exit codes, completion."""

# Half of what Invoke holds has no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, cast

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from tasks.listing import find_width, render_help, render_list, show
from tasks.parsing import MisreadError, unknown_task
from tasks.running import ROOT, make_screen, piped

if TYPE_CHECKING:
    from invoke.collection import Collection
    from invoke.parser.argument import Argument
    from invoke.parser.context import ParserContext
    from invoke.parser.parser import Parser
    from invoke.tasks import Task

SHORT = {
    "env": "e",
    "service": "s",
    "json": "j",
    "yes": "y",
    "dry-run": "n",
    "follow": "f",
    "detach": "d",
    "port": "p",
}
"""The short flags there are: a letter is the same flag in every task."""

_parse_tasks, _parse_cleanup, _execute = Program.parse_tasks, Program.parse_cleanup, Program.execute
_list_tasks, _make_parser = Program.list_tasks, Program._make_parser  # pyright: ignore[reportPrivateUsage]  (no other way)
_parsers: dict[tuple[str, ...], Parser] = {}
_words: list[tuple[Task[Any], dict[str, str]]] = []
"""Tasks with the words of their flags, which Invoke takes out of them whenever it looks at a task's flags."""


def make_parser(self: Program) -> Parser:
    """Return the parser of a collection, made once."""
    collection: Collection = self.collection
    names = _key(collection)
    if names not in _parsers:
        for task, words in _words:
            task.help = dict(words)
        parser = _make_parser(self)
        for context in cast("list[ParserContext]", list(parser.contexts.values())):
            _add_short(context)
        _parsers[names] = parser
    return _parsers[names]


def _key(collection: Collection) -> tuple[str, ...]:
    return tuple(sorted(cast("dict[str, object]", collection.task_names)))


def _add_short(context: ParserContext) -> None:
    for name, letter in SHORT.items():
        if name in context.args:
            flag = cast("Argument", context.args[name])
            flag.names = (*flag.names, letter)
            context.flags.alias(f"-{letter}", to=f"--{name}")


def show_list(collection: Collection) -> None:
    """Print every task, by groups; those of no group stand last."""
    from tasks import GROUPS

    words = {name: collection[name].__doc__ or "" for name in cast("dict[str, object]", collection.task_names)}
    groups = {title: [task.name.replace("_", "-") for task in tasks] for title, tasks in GROUPS.items()}
    listed = {name for names in groups.values() for name in names}
    groups["Others"] = [name for name in words if name not in listed]
    show(
        render_list(
            {title: [(n, words[n]) for n in names if n in words] for title, names in groups.items() if names},
            find_width(),
        )
    )


def show_words(collection: Collection, names: list[str]) -> None:
    """Print the list of tasks, or the help of those named. Raises UsageError for what is no task."""
    from stackyard.errors import UsageError

    contexts = cast("dict[str, ParserContext]", _parsers[_key(collection)].contexts)
    for name in names:
        if name not in contexts:
            error = unknown_task(name, contexts)
            raise UsageError(error.what, error.why, command=error.command)
    with piped():
        if not names:
            show_list(collection)
        for name in names:
            show(render_help(contexts[name], inspect.getdoc(collection[name]) or "", find_width()))


def _help(self: Program, name: str) -> None:
    show_words(self.collection, [name])


def _misread(program: Program, error: ParseError) -> NoReturn:
    """Say what cannot be understood, as every error is said; exit code 2."""
    from stackyard.errors import UsageError

    if isinstance(error, MisreadError):
        why, command = error.why, error.command
        if error.lacks:
            why, command = _complete(program, error)
        elif error.instead and error.instead[0] in program.argv:
            wrong, right = error.instead
            command = f"inv {shlex.join([right if word == wrong else word for word in program.argv[1:]])}"
        shown = UsageError(error.what, why, command=command)
    else:
        shown = UsageError(str(error))
    make_screen().error(shown)
    raise Exit(code=UsageError.exit_code)


def _complete(program: Program, error: MisreadError) -> tuple[str, str]:
    """Return why what was typed is not enough, and the line to type where that is known."""
    from stackyard.offered import list_environments

    name = cast("ParserContext", error.context).name
    environments = ", ".join(list_environments(ROOT))
    if error.lacks == ("--env",):
        typed = program.argv[1:] if name in program.argv else [str(name)]
        behind = typed.index(str(name)) + 1
        line = [*typed[:behind], "--env", "local", *typed[behind:]]
        return f"there are {environments}", f"inv {shlex.join(line)}"
    why = f"there are {environments}" if {"--env", "--from", "--to"} & set(error.lacks) else ""
    return why, f"inv {name} --help"


def _read(self: Program) -> None:
    """Read the tasks' words."""
    try:
        _parse_tasks(self)
        if self.args.dry.value:
            raise MisreadError(
                None, "inv --dry", "it is Invoke's own and would stop nothing", command="inv TASK --dry-run"
            )
    except ParseError as error:
        _misread(self, error)


def _answer(self: Program) -> None:
    """Answer what Invoke answers by itself: the list, help, completion. A reader that has seen enough is no error."""
    asked = self.args.help.value
    try:
        if isinstance(asked, str) and asked not in self.parser.contexts:
            raise unknown_task(asked, self.parser.contexts)
        with piped():
            _parse_cleanup(self)
    except ParseError as error:
        _misread(self, error)


def _run(self: Program) -> None:
    """Run the tasks; every way out has its exit code."""
    from stackyard.errors import StackyardError

    try:
        _execute(self)
    except StackyardError as error:
        make_screen().error(error)
        raise Exit(code=error.exit_code) from None
    except KeyboardInterrupt:
        raise Exit(code=130) from None


def _list(self: Program) -> None:
    if self.list_format == "flat" and not self.list_root and not self.list_depth:
        show_list(self.collection)
    else:
        _list_tasks(self)


def _greet(self: Program) -> None:
    show_list(self.collection)
    raise Exit(code=0)


def mend(tasks: Iterable[Task[Any]]) -> None:
    """Have Invoke's program answer our way in this process, about these tasks."""
    from tasks.completing import complete

    for task in tasks:
        task.auto_shortflags = False
        _words.append((task, dict(task.help)))
    Program._make_parser = make_parser  # pyright: ignore[reportPrivateUsage]  (no other way)
    Program.parse_tasks = _read
    Program.parse_cleanup = _answer
    Program.execute = _run
    Program.list_tasks = _list
    Program.print_task_help = _help
    Program.no_tasks_given = _greet
    cast("dict[str, Callable[..., None]]", vars(sys.modules["invoke.program"]))["complete"] = complete

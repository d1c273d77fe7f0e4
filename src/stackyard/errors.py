"""The error tree: every way in which a task ends badly, with what, why and the next command.

An error that is not one of these is a bug: it ends with exit code 1 and a traceback.
"""

from __future__ import annotations

from typing import ClassVar


class StackyardError(Exception):
    """Something ended a task; ``exit_code`` says which kind of something."""

    exit_code: ClassVar[int] = 1
    next_command: ClassVar[str] = ""
    """What to type where the error itself does not say."""

    def __init__(self, what: str, why: str = "", *, fix: str = "", command: str = "", detail: str = "") -> None:
        """Describe the error.

        Args:
            what: What did not work, as a short phrase that names the thing (``src/services/api/service.yaml``).
            why: The cause, in one sentence.
            fix: What to do about it, in words. Optional where the command says it all.
            command: The exact line to type next.
            detail: An outside tool's own words, shown before everything else.

        """
        super().__init__(f"{what}: {why}" if why else what)
        self.what, self.why, self.fix, self.command, self.detail = what, why, fix, command or self.next_command, detail


class ConfigError(StackyardError):
    """The project's own files say something that cannot be."""

    exit_code = 2
    next_command = "inv services   # reads the files again"


class UsageError(StackyardError):
    """The command line cannot be understood; nothing was begun."""

    exit_code = 2
    next_command = "inv --list"


class MissingError(StackyardError):
    """A tool, a credential, a port or a folder that the task needs is not there."""

    exit_code = 3
    next_command = "inv doctor"


class ToolError(StackyardError):
    """An outside tool failed; ``detail`` holds its own words."""

    exit_code = 4


class RefusedError(StackyardError):
    """The task could go on and does not, because something could be lost."""

    exit_code = 5


DRIFTED = 6
"""The exit code for what is no error: something was changed past Terraform."""

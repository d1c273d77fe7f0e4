"""What App Runner answers when it refuses; ``code`` is what its clients look for."""

from __future__ import annotations

from typing import ClassVar


class AppRunnerError(Exception):
    """A refusal, with App Runner's name for it."""

    code: ClassVar[str]


class InvalidRequestError(AppRunnerError):
    """A value of the request is not allowed."""

    code = "InvalidRequestException"


class InvalidStateError(AppRunnerError):
    """The service is not in a state in which that can be done."""

    code = "InvalidStateException"


class ResourceNotFoundError(AppRunnerError):
    """What the request names does not exist."""

    code = "ResourceNotFoundException"


class UnknownOperationError(AppRunnerError):
    """App Runner may offer the operation; this one does not."""

    code = "UnknownOperationException"

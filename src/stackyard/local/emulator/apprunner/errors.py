"""What App Runner answers when it refuses."""

from __future__ import annotations

from stackyard.local.emulator.jsonservice import RefusalError


class InvalidRequestError(RefusalError):
    """A value of the request is not allowed."""

    code = "InvalidRequestException"


class InvalidStateError(RefusalError):
    """The service is not in a state in which that can be done."""

    code = "InvalidStateException"


class ResourceNotFoundError(RefusalError):
    """What the request names does not exist."""

    code = "ResourceNotFoundException"


class UnknownOperationError(RefusalError):
    """App Runner may offer the operation; this one does not."""

    code = "UnknownOperationException"

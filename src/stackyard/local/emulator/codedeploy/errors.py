"""What CodeDeploy answers when it refuses."""

from __future__ import annotations

from stackyard.local.emulator.jsonservice import RefusalError


class InvalidInputError(RefusalError):
    """A value of the request is not allowed."""

    code = "InvalidInputException"


class UnknownOperationError(RefusalError):
    """CodeDeploy may offer the operation; this one does not."""

    code = "UnknownOperationException"


class InvalidRevisionError(RefusalError):
    """The AppSpec file is none."""

    code = "InvalidRevisionException"


class DeploymentLimitExceededError(RefusalError):
    """Another deployment of the group is under way."""

    code = "DeploymentLimitExceededException"


class DeploymentConfigInUseError(RefusalError):
    """A group has the configuration."""

    code = "DeploymentConfigInUseException"


class DeploymentAlreadyCompletedError(RefusalError):
    """The deployment has ended."""

    code = "DeploymentAlreadyCompletedException"


class ResourceArnError(RefusalError):
    """An ARN names nothing that has tags."""

    code = "ArnNotSupportedException"


class AlreadyExistsError(RefusalError):
    """There is one of that name."""


class DoesNotExistError(RefusalError):
    """There is none of that name."""


def _named(base: type[RefusalError], noun: str, code: str) -> type[RefusalError]:
    return type(f"{noun}Error", (base,), {"code": code})


NOUNS = ("Application", "DeploymentGroup", "DeploymentConfig", "Deployment")

ALREADY_EXISTS: dict[str, type[RefusalError]] = {
    noun: _named(AlreadyExistsError, noun, f"{noun}AlreadyExistsException") for noun in NOUNS
}
DOES_NOT_EXIST: dict[str, type[RefusalError]] = {
    noun: _named(DoesNotExistError, noun, f"{noun}DoesNotExistException") for noun in NOUNS
}

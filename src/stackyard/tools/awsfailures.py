"""What a failed call to AWS was: its code, and whether asking again may help. Asks nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import botocore.exceptions
import botocore.parsers

_PASSING = frozenset(
    {"InternalFailure", "InternalServerError", "LimitExceededException", "RequestLimitExceeded", "RequestTimeout"}
    | {
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def error_code(error: BaseException | None) -> str:
    """Return what AWS calls an error; empty for one that is not AWS's own."""
    if not isinstance(error, botocore.exceptions.ClientError):
        return ""
    return cast("str", cast("Mapping[str, Any]", error.response).get("Error", {}).get("Code", ""))


def is_passing(error: Exception) -> bool:
    """Tell whether asking again may help: a throttle, a time-out, a connection that broke, an error of AWS's own."""
    if isinstance(error, botocore.exceptions.ClientError):
        status = cast("Mapping[str, Any]", error.response).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error_code(error) in _PASSING or status >= 500
    return isinstance(error, botocore.exceptions.HTTPClientError | botocore.parsers.ResponseParserError)


def is_timeout(error: Exception) -> bool:
    """Tell whether no answer came in time."""
    return isinstance(error, botocore.exceptions.ReadTimeoutError)


def let_go(error: BaseException) -> None:
    """Free the frames that an error came through, and all that they hold, once it is dealt with.

    botocore leaves a broken connection's error in a cycle with the frames of its callers; Python looks for those only
    when there are many new objects, and pages of log events are few and large.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__context__

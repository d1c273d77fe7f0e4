"""Check a request against AWS's own description of App Runner, which botocore carries.

Names, lengths, patterns, ranges and allowed values stand there. What is not in it (allowed pairs, what must exist) is
`backend`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from botocore.loaders import Loader

from stackyard.local.emulator.apprunner.errors import InvalidRequestError

# A shape is JSON of AWS's making, a request JSON of the caller's: neither has types until looked at.
Json = dict[str, Any]

_TYPES: Mapping[str, type] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
}


@cache
def _model() -> Json:
    return cast("Json", Loader().load_service_model("apprunner", "service-2"))  # pyright: ignore[reportUnknownMemberType]  (untyped)


def check(operation: str, request: object) -> Json:
    """Return the request as what it is now known to be.

    Raises InvalidRequestError with the path to the first value that AWS's description does not allow. A member that
    it does not have is passed over, as AWS passes over it.
    """
    _check(_model()["operations"][operation]["input"]["shape"], request, "")
    return cast("Json", request)


def _check(name: str, value: object, path: str) -> None:
    shape: Json = _model()["shapes"][name]
    kind = _TYPES[shape["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidRequestError(f"{path or 'request'}: expected {shape['type']}, got {value!r}")
    match value:
        case dict():
            _check_members(shape, cast("Json", value), path)
        case list():
            for index, each in enumerate(cast("list[object]", value)):
                _check(shape["member"]["shape"], each, f"{path}[{index}]")
        case str():
            _check_text(shape, value, path)
        case int():
            _check_range(shape, value, path, "value")
        case _:
            pass


def _check_members(shape: Json, value: Json, path: str) -> None:
    if shape["type"] == "map":
        for key, each in value.items():
            _check(shape["key"]["shape"], key, f"{path} (key)")
            _check(shape["value"]["shape"], each, f"{path}.{key}")
        return
    for name in shape.get("required", ()):
        if name not in value:
            raise InvalidRequestError(f"{f'{path}.{name}'.lstrip('.')}: missing")
    for name, member in shape["members"].items():
        if value.get(name) is not None:
            _check(member["shape"], value[name], f"{path}.{name}".lstrip("."))


def _check_text(shape: Json, value: str, path: str) -> None:
    _check_range(shape, len(value), path, "length")
    if "enum" in shape and value not in shape["enum"]:
        raise InvalidRequestError(f"{path}: {value!r} is none of {', '.join(shape['enum'])}")
    if "pattern" in shape and not re.fullmatch(shape["pattern"], value, re.DOTALL):
        raise InvalidRequestError(f"{path}: {value!r} does not match {shape['pattern']}")


def _check_range(shape: Json, number: int, path: str, what: str) -> None:
    least, most = shape.get("min", number), shape.get("max", number)
    if not least <= number <= most:
        raise InvalidRequestError(f"{path}: {what} {number} is not from {least} to {shape.get('max', 'any')}")

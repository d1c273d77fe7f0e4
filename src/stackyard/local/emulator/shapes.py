"""Check a request against AWS's own description of a service, which botocore carries.

Names, lengths, patterns, ranges and allowed values stand there. What is not in it (allowed pairs, what must exist) is
for the service that is emulated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from botocore.loaders import Loader

# A shape is JSON of AWS's making, a request JSON of the caller's: neither has types until looked at.
Json = dict[str, Any]


class ShapeError(Exception):
    """A request that AWS's description does not allow; says where and why."""


_TYPES: Mapping[str, type] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
}


@cache
def _model(service: str) -> Json:
    return cast("Json", Loader().load_service_model(service, "service-2"))  # pyright: ignore[reportUnknownMemberType]  (untyped)


def check(service: str, operation: str, request: object) -> Json:
    """Return the request as what it is now known to be; ``service`` is called as boto3 calls it.

    Raises ShapeError with the path to the first value that AWS's description does not allow. A member that
    it does not have is passed over, as AWS passes over it.
    """
    model = _model(service)
    _check(model["shapes"], model["operations"][operation]["input"]["shape"], request, "")
    return cast("Json", request)


def _check(shapes: Json, name: str, value: object, path: str) -> None:
    shape: Json = shapes[name]
    kind = _TYPES.get(shape["type"], object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ShapeError(f"{path or 'request'}: expected {shape['type']}, got {value!r}")
    match value:
        case dict():
            _check_members(shapes, shape, cast("Json", value), path)
        case list():
            for index, each in enumerate(cast("list[object]", value)):
                _check(shapes, shape["member"]["shape"], each, f"{path}[{index}]")
        case str():
            _check_text(shape, value, path)
        case int():
            _check_range(shape, value, path, "value")
        case _:
            pass


def _check_members(shapes: Json, shape: Json, value: Json, path: str) -> None:
    if shape["type"] == "map":
        for key, each in value.items():
            _check(shapes, shape["key"]["shape"], key, f"{path} (key)")
            _check(shapes, shape["value"]["shape"], each, f"{path}.{key}")
        return
    for name in shape.get("required", ()):
        if name not in value:
            raise ShapeError(f"{f'{path}.{name}'.lstrip('.')}: missing")
    for name, member in shape["members"].items():
        if value.get(name) is not None:
            _check(shapes, member["shape"], value[name], f"{path}.{name}".lstrip("."))


def _check_text(shape: Json, value: str, path: str) -> None:
    _check_range(shape, len(value), path, "length")
    if "enum" in shape and value not in shape["enum"]:
        raise ShapeError(f"{path}: {value!r} is none of {', '.join(shape['enum'])}")
    if "pattern" in shape and not re.fullmatch(shape["pattern"], value, re.DOTALL):
        raise ShapeError(f"{path}: {value!r} does not match {shape['pattern']}")


def _check_range(shape: Json, number: int, path: str, what: str) -> None:
    least, most = shape.get("min", number), shape.get("max", number)
    if not least <= number <= most:
        raise ShapeError(f"{path}: {what} {number} is not from {least} to {shape.get('max', 'any')}")

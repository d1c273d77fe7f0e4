"""What pydantic models of the two YAML files share: strictness, the merge, and errors a person can act on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from stackyard.errors import ConfigError
from stackyard.words import printable
from stackyard.yamlfile import Key, YamlFile, dotted

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "model_type": "keys and values",
}


class FileModel(BaseModel):
    """A part of a YAML file: no unknown keys, no quiet conversions, never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


M = TypeVar("M", bound=FileModel)


def parse_file(model: type[M], file: YamlFile, shown: str, data: object = None, context: str = "") -> M:
    """Turn a file's data (or ``data`` in its stead) into its model.

    Raises one ConfigError that names every wrong key with its line, what was found and what is allowed.
    """
    try:
        return model.model_validate(file.data if data is None else data)
    except ValidationError as error:
        problems = [_problem(model, file, cast("Mapping[str, Any]", item), shown) for item in error.errors()]
        raise config_error(shown, problems, context) from error


def config_error(shown: str, problems: Sequence[str], context: str = "") -> ConfigError:
    """Make one error of one or many problems."""
    suffix = f" {context}" if context else ""
    if len(problems) == 1:
        return ConfigError(problems[0] + suffix)
    listed = "\n".join(f"  {problem}" for problem in problems)
    return ConfigError(f"{shown} has {len(problems)} problems{suffix}\n{listed}")


def _problem(model: type[BaseModel], file: YamlFile, item: Mapping[str, Any], shown: str) -> str:
    key = cast("Key", item["loc"])
    # A mapping's own bad key is reported with a marker behind it; the marker names no key of the file.
    bad_key = bool(key) and key[-1] == "[key]"
    key = key[:-1] if bad_key else key
    line = file.line_of(key)
    where = f"{shown}:{line}" if line else shown
    name, kind, found = dotted(key), cast("str", item["type"]), item.get("input")
    context = cast("Mapping[str, Any]", item.get("ctx") or {})
    if kind == "extra_forbidden":
        allowed = ", ".join(_keys_at(model, key[:-1]))
        return f"{where}: unknown key `{name}`: allowed here: {allowed}"
    if kind == "missing":
        return f"{where}: the key `{name}` is missing"
    if kind == "literal_error":
        return f"{where}: `{name}` is `{_short(found)}`: allowed: {context['expected']}"
    if kind == "value_error" and not key:
        return f"{where}: {context['error']}"
    subject = f"the key `{name}`" if bad_key else f"`{name}` is `{_short(found)}`"
    if kind == "value_error":
        return f"{where}: {subject}: {context['error']}"
    hint = '; quote it: "…"' if kind == "string_type" and isinstance(found, int | float) else ""
    expected = f"must be {_TYPES[kind]}" if kind in _TYPES else _plain(cast("str", item["msg"]))
    if kind == "string_pattern_mismatch" and not bad_key:
        hint = f" ({_describe(model, key)})"
    return f"{where}: {subject}: it {expected}{hint}"


def _plain(message: str) -> str:
    """Turn "String should have …" into "must have …"."""
    return re.sub(r"^\w+ should ", "must ", message).removesuffix(" after validation, not 0")


def _describe(model: type[BaseModel], key: Key) -> str:
    """Return the description of the field at ``key`` below ``model``."""
    holder = _model_at(model, key[:-1])
    field = holder.model_fields.get(str(key[-1])) if holder else None
    return (field.description or "").rstrip(".") if field else ""


def _keys_at(model: type[BaseModel], key: Key) -> list[str]:
    """Return the allowed keys of the model that stands at ``key`` below ``model``."""
    found = _model_at(model, key)
    return sorted(found.model_fields) if found else []


def _model_at(model: type[BaseModel], key: Key) -> type[BaseModel] | None:
    here: Any = model
    for part in key:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = here.model_fields[str(part)].annotation if str(part) in here.model_fields else None
        else:
            here = _value_type(here)
        here = cast("Any", _model_in(here) or here)
    return _model_in(here)


def _value_type(annotation: Any) -> Any:
    arguments = getattr(annotation, "__args__", ())
    return arguments[-1] if arguments else None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model in ``X``, ``X | None`` or ``Annotated[X, …]``."""
    origin, arguments = getattr(annotation, "__origin__", None), getattr(annotation, "__args__", ())
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if origin is dict:
        return None
    for argument in arguments:
        found = _model_in(argument)
        if found:
            return found
    return None


def _short(value: object) -> str:
    if isinstance(value, Mapping | list):
        return "{…}" if isinstance(value, Mapping) else "[…]"  # what is inside may be meant for nobody's eyes
    text = printable(str(value) if not isinstance(value, bool) else str(value).lower())
    return text if len(text) <= 60 else text[:57] + "…"


def merge(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Lay one mapping over another; mappings inside are merged, everything else is replaced."""
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[name] = merge(cast("Mapping[str, object]", below), cast("Mapping[str, object]", value))
        else:
            merged[name] = value
    return merged

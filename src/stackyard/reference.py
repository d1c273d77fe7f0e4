"""Write the keys of both YAML files as tables, from their JSON Schemas.

Owns the wording of ``docs/reference/configuration.md`` and nothing else: who keeps the page fresh is `schemas`.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any, cast

Part = Mapping[str, Any]  # a piece of a JSON Schema, whose shape differs from key to key

_HEAD = """\
# Every key of the two YAML files

Made from the models by `python -m stackyard.schemas`; do not edit.
[Configuration](../guides/configuration.md) has examples.
"""
_TYPES = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`", "string": "text"}


def render_reference(schemas: Mapping[str, str]) -> str:
    """Return the page for schemas by the name of the file that they describe."""
    pages = [_HEAD]
    for name, text in schemas.items():
        schema = cast("Part", json.loads(text))
        rows = [
            ("Key", "Value", "Default", "Meaning"),
            ("---", "---", "---", "---"),
            *_rows(schema, schema["$defs"], schema),
        ]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        pages.append("\n".join([f"## {name}", "", schema["description"].replace("``", "`"), "", *lines, ""]))
    return "\n".join(pages)


def _rows(part: Part, defs: Part, top: Part, prefix: str = "") -> Generator[tuple[str, str, str, str]]:
    """Yield key, value, default and meaning of every key below ``part``; of what repeats the top, its names only."""
    for name, entry in cast("dict[str, Part]", part["properties"]).items():
        field = _resolve(entry, defs)
        default = _shown(field["default"]) if "default" in field else ""
        inner, below = field, f"{prefix}{name}."
        if "properties" not in field and field.get("type") == "object":
            inner, below = _values(field, defs), f"{prefix}{name}.<name>."
        repeats = inner is not field and _repeats(inner, top)
        value = f"by name: {', '.join(map(_shown, inner['properties']))}" if repeats else _value(field, inner)
        known = "required" if name in part.get("required", ()) else default
        yield f"`{prefix}{name}`", value, known, field["description"].replace("<", "&lt;")
        if "properties" in inner and not repeats:
            yield from _rows(inner, defs, top, below)


def _repeats(part: Part, top: Part) -> bool:
    return "properties" in part and set(part["properties"]) < set(top["properties"])


def _resolve(part: Part, defs: Part) -> Part:
    return {**defs[part["$ref"].rpartition("/")[2]], **part} if "$ref" in part else part


def _values(field: Part, defs: Part) -> Part:
    """Return what stands behind each name of a mapping."""
    patterns = cast("dict[str, Part]", field.get("patternProperties", {}))
    return _resolve(next(iter(patterns.values()), None) or field["additionalProperties"], defs)


def _value(field: Part, inner: Part) -> str:
    """Say what a key may hold."""
    if "const" in field or "enum" in field:
        return " ".join(_shown(each) for each in field.get("enum", [field.get("const")]))
    if field["type"] == "object":
        names = "".join(f", names `{pattern}`" for pattern in field.get("patternProperties", ()))
        longest = field.get("propertyNames", {}).get("maxLength")
        names += f" of at most {longest} characters" if longest else ""
        return "keys below" if inner is field else f"by name: {_TYPES.get(inner['type'], 'keys below')}{names}"
    if field["type"] == "array":
        return f"a list: {_value(field['items'], inner)}"
    span = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "up to"}
    limits = [
        " ".join(f"{word} {field[name]}" for name, word in span.items() if name in field),
        f"at most {field['maxLength']} characters" if "maxLength" in field else "",
        f"`{field['pattern']}`" if "pattern" in field else "",
    ]
    return ", ".join([_TYPES[field["type"]], *filter(None, limits)])


def _shown(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"

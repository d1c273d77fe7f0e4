"""Holds what a task printed with `--json` against its schema in docs/reference/json."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator

from stackyard.documents import LINES

FOLDER = Path(__file__).resolve().parents[1] / "docs/reference/json"


@functools.cache
def read_schema(task: str) -> Draft202012Validator:
    """Read a task's schema, closed: readers must bear new keys, but here one that is in no schema is a mistake."""
    return Draft202012Validator(_close(json.loads((FOLDER / f"{task}.schema.json").read_text(encoding="utf-8"))))


def find_faults(task: str, document: Any) -> list[str]:
    """Say where a document is not what its schema says."""
    found = read_schema(task).iter_errors(document)  # pyright: ignore[reportUnknownMemberType]  (it has no types)
    return [f"{error.json_path}: {error.message}" for error in found]


def check_printed(arguments: Sequence[str], printed: str) -> None:
    """Hold standard output of an `inv` that was asked for JSON against the schema; nothing printed is a failed task."""
    task = arguments[0] if arguments else ""
    if "--json" not in arguments or not printed.strip():
        return
    documents = [json.loads(line) for line in printed.splitlines()] if task in LINES else [json.loads(printed)]
    for document in documents:
        assert find_faults(task, document) == [], f"inv {' '.join(arguments)}"


def _close(schema: Any) -> Any:
    """Let objects have no keys but those that are named."""
    if isinstance(schema, list):
        return [_close(each) for each in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _close(each) for key, each in cast("dict[str, object]", schema).items()}
    return {**closed, "additionalProperties": False} if "properties" in closed else closed

"""Generate what describes our data: ``python -m stackyard.schemas [--check]``.

Of the models of both YAML files JSON Schemas for editors and a page of tables for people, of what tasks print with
``--json`` a JSON Schema each; all below ``docs/reference``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter

from stackyard.addresses import FILE as SERVICE_FILE
from stackyard.documents import DOCUMENTS, LINES
from stackyard.manifest import ServiceFile
from stackyard.models import FileModel
from stackyard.project import FILE as PROJECT_FILE
from stackyard.project import Project
from stackyard.reference import render_reference

FOLDER = "docs/reference"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, type[FileModel]] = {"stackyard.schema.json": Project, "service.schema.json": ServiceFile}


def render_schema(model: type[FileModel]) -> str:
    """Return the schema of a file, as it is kept in the repository."""
    generated = cast("dict[str, Any]", _tighten(model.model_json_schema()))
    schema = {"$schema": DIALECT, **generated}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def render_document(task: str) -> str:
    """Return the schema of what a task prints with ``--json``."""
    generated = TypeAdapter[Any](DOCUMENTS[task]).json_schema(mode="serialization")
    printed = f"inv {task} --json" + (", each line" if task in LINES else "")
    schema = {"$schema": DIALECT, **_untitled(generated), "title": printed}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """Take out titles of keys, which say the key again."""
    for key, part in schema.items():
        if key == "properties":
            for each in part.values():
                each.pop("title", None)
        if isinstance(part, dict):
            _untitled(cast("dict[str, Any]", part))
    return schema


def _tighten(part: object) -> object:
    """Say what pydantic checks but does not write down.

    Null is no value and no default: a key that is not wanted is left out of the file. A mapping whose keys have a
    pattern has no other keys.
    """
    if isinstance(part, list):
        return [_tighten(each) for each in cast("list[object]", part)]
    if not isinstance(part, dict):
        return part
    schema = {name: _tighten(each) for name, each in cast("dict[str, object]", part).items()}
    if "patternProperties" in schema:
        schema["additionalProperties"] = False
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    choices = cast("list[object]", schema.get("anyOf", []))
    kept = [each for each in choices if each != {"type": "null"}]
    if len(choices) == 2 and len(kept) == 1:
        del schema["anyOf"]
        schema = {**cast("dict[str, object]", kept[0]), **schema}
    return schema


def render_all() -> dict[str, str]:
    """Return every generated file's text by its name."""
    schemas = {name: render_schema(model) for name, model in MODELS.items()}
    titles = {PROJECT_FILE: schemas["stackyard.schema.json"], SERVICE_FILE: schemas["service.schema.json"]}
    documents = {f"json/{task}.schema.json": render_document(task) for task in DOCUMENTS}
    return {**schemas, "configuration.md": render_reference(titles), **documents}


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` say which are stale."""
    stale: list[str] = []
    for name, text in render_all().items():
        path = Path(FOLDER, name)
        if "--check" in arguments:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(str(path))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        sys.stderr.write(f"{path} is not what the types say\n  run: python -m stackyard.schemas\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Generate the JSON Schemas of both YAML files from their models: ``python -m stackyard.schemas [--check]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stackyard.models import FileModel
from stackyard.project import Project
from stackyard.services import ServiceFile

FOLDER = "docs/reference"
MODELS: dict[str, type[FileModel]] = {"stackyard.schema.json": Project, "service.schema.json": ServiceFile}


def render_schema(model: type[FileModel]) -> str:
    """Return the schema of a file, as it is kept in the repository."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schemas, or with ``--check`` say which are stale."""
    stale: list[str] = []
    for name, model in MODELS.items():
        path, text = Path(FOLDER, name), render_schema(model)
        if "--check" in arguments:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(str(path))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        sys.stderr.write(f"{path} is not what the models say\n  run: python -m stackyard.schemas\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Names that the command line offers: environments and services, read fast and without a complaint.

For completion and for what an error suggests. Whether the files are right is for others to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from stackyard.addresses import FILE, FOLDER
from stackyard.errors import StackyardError
from stackyard.names import LOCAL
from stackyard.yamlfile import skim_yaml


def list_environments(root: Path) -> list[str]:
    """Return ``local`` and the environments of stackyard.yaml, as far as it can be read."""
    try:
        environments = skim_yaml(root / "stackyard.yaml", "stackyard.yaml").get("environments")
    except StackyardError:
        return [LOCAL]
    if not isinstance(environments, Mapping):
        return [LOCAL]
    return [LOCAL, *(str(name) for name in cast("Mapping[object, object]", environments))]


def list_services(root: Path) -> list[str]:
    """Return the folders below src/services that hold settings."""
    return sorted(file.parent.name for file in (root / FOLDER).glob(f"*/{FILE}"))

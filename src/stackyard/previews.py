"""Decide about previews, the environments that come and go with pull requests: how many there are, who is in the way.

What a preview is made from stands in `project`, what its name may be in `names`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from stackyard.errors import RefusedError
from stackyard.names import PREVIEW_PREFIX, is_preview
from stackyard.project import FILE

STATES = f"app/{PREVIEW_PREFIX}"
"""What the keys of previews' states begin with."""


def find_previews(keys: Iterable[str]) -> list[str]:
    """Return the previews that have a state among the state bucket's keys, the oldest pull request first."""
    found = (re.fullmatch(r"app/([^/]+)/terraform\.tfstate", key) for key in keys)
    names = [match[1] for match in found if match and is_preview(match[1])]
    return sorted(names, key=lambda name: int(name.removeprefix(PREVIEW_PREFIX)))


def is_empty(state: str) -> bool:
    """Tell whether a Terraform state holds nothing; one that cannot be read holds something."""
    try:
        return json.loads(state)["resources"] == []
    except (ValueError, KeyError, TypeError):
        return False


def check_room(name: str, others: Sequence[str], most: int) -> None:
    """Refuse a preview beside ``others`` where ``most`` are allowed. Raises RefusedError that names the others."""
    if len(others) < most:
        return
    raise RefusedError(
        f"no room for {name}",
        f"{FILE} allows {most} previews at once (`previews.max`), and there are {', '.join(others)}",
        fix="Destroy one whose pull request is closed.",
        command=f"inv destroy --env {others[0]}",
    )

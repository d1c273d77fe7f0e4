"""What a name may be, given everything that it flows into.

A service's name becomes a folder, a Python module, a distribution, a part of AWS names and of image tags; a project's
name a bucket and a repository. The limits are AWS's (the pages' titles stand beside them) and Python's.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from collections.abc import Set as AbstractSet
from pathlib import Path

NAME = r"^[a-z](?:-?[a-z0-9])*$"
"""Small letters, digits, single dashes: what S3, ECR, Lambda, IAM, Python, Terraform and a shell all take as it is."""

PROJECT_LENGTH = 20
"""A state bucket, ``<project>-state-<account>-<region>``, has at most 63 characters (S3: Bucket naming rules)."""

ENVIRONMENT_LENGTH = 16
SERVICE_LENGTH = 32
TOGETHER = 56
"""``<project>-<environment>-<service>`` and what is put behind it: a Lambda function's name (Lambda: CreateFunction)
and an IAM role's (IAM: IAM and AWS STS quotas) have at most 64 characters."""

LOCAL = "local"
"""The environment that always exists, on the laptop."""

PREVIEWS = "previews"
"""What all previews share their overrides, secrets and rights under."""

PREVIEW_PREFIX = "pr-"
LONGEST_PREVIEW = f"{PREVIEW_PREFIX}999999"

_NEVER_SERVICES = frozenset({"tests", "test", "src", "stackyard", "servicekit", "services", LOCAL})


def is_preview(environment: str) -> bool:
    """Tell whether an environment is a preview: ``pr-`` and a number of up to six digits."""
    return re.fullmatch(rf"{PREVIEW_PREFIX}[1-9][0-9]{{0,5}}", environment) is not None


def group_of(environment: str) -> str:
    """Return the name that an environment's overrides, secrets and rights go by: its own, or that of all previews."""
    return PREVIEWS if is_preview(environment) else environment


def module_name(service: str) -> str:
    """Return the Python package of a service: ``order-desk`` has ``order_desk``."""
    return service.replace("-", "_")


def check_service_name(name: str, taken: AbstractSet[str]) -> str | None:
    """Say what is wrong with a service's name, or None.

    Args:
        name: The name, also its folder's.
        taken: Top-level modules and distributions that are installed and not a service of this project.

    """
    module = module_name(name)
    wrongs = (
        (
            not re.fullmatch(NAME, name),
            "must be small letters, digits and single dashes, beginning with a letter",
        ),
        (len(name) > SERVICE_LENGTH, f"has {len(name)} characters; at most {SERVICE_LENGTH} are allowed"),
        (keyword.iskeyword(module) or keyword.issoftkeyword(module), "is a word of the Python language"),
        (module in sys.stdlib_module_names, f"would hide Python's own module `{module}`"),
        (bool({name, module} & _NEVER_SERVICES), "has a meaning of its own in a project"),
        (bool({name, module} & taken), f"would hide the installed package `{name if name in taken else module}`"),
    )
    return next((why for wrong, why in wrongs if wrong), None)


def check_together(project: str, environment: str, service: str, limit: int = TOGETHER) -> str | None:
    """Say whether project, environment and service make a name longer than AWS's ``limit`` for it, or None.

    ``environment`` may be ``previews``: then the longest name that a preview can have is meant.
    """
    name = f"{project}-{LONGEST_PREVIEW if environment == PREVIEWS else environment}-{service}"
    room = min(limit, TOGETHER)
    if len(name) > room:
        return f"`{name}` has {len(name)} characters; AWS names of such a service have room for {room}"
    return None


def find_installed(site_packages: Path) -> frozenset[str]:
    """List the modules and distributions of an environment, the project's own (editable) ones left out."""
    found: set[str] = set()
    with os.scandir(site_packages) as entries:  # asks the disk for each folder once, not for each entry
        for entry in entries:
            if entry.name.endswith(".dist-info"):
                if not Path(entry.path, "direct_url.json").exists():
                    found.add(entry.name.split("-")[0].lower().replace("_", "-"))
            elif entry.name.endswith(".py") or entry.is_dir():
                found.add(entry.name.split(".")[0])
    return frozenset(found)

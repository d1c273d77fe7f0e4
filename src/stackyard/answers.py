"""What a project said when it was made from the template, and which template that was.

Kept in ``.stackyard-template.yaml``, which is tracked: `inv init` and `inv upgrade` read it and write it. Knows neither
git nor how the answers change a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from stackyard.errors import ConfigError
from stackyard.models import FileModel, parse_file
from stackyard.names import ENVIRONMENT_LENGTH, NAME, PROJECT_LENGTH
from stackyard.project import REGION, REPOSITORY
from stackyard.yamlfile import read_yaml

FILE = ".stackyard-template.yaml"
HEADER = "# What this project was made from. `inv init` and `inv upgrade` write it (docs/guides/upgrading.md).\n"

Samples = Literal["keep", "remove"]
SAMPLES: tuple[Samples, ...] = get_args(Samples)


class Answers(FileModel):
    """What makes a project of the template."""

    project: str = Field(pattern=NAME, max_length=PROJECT_LENGTH, description="The project's name.")
    repository: str = Field(pattern=REPOSITORY, description="At GitHub: owner/name.")
    region: str = Field(pattern=REGION, description="An AWS region, such as eu-west-1.")
    accounts: dict[str, str] = Field(default_factory=dict, description="AWS account by environment.")
    samples: Samples = Field(default="keep", description="Whether the template's own services stay.")


class Record(FileModel):
    """What a project was made from."""

    template: str = Field(description="Where git finds the template: an address or a folder. Empty: not known.")
    version: str = Field(description="The template's version.")
    commit: str = Field(pattern=r"^[0-9a-f]{40,64}$", description="The commit that the project was made from.")
    tree: str = Field(pattern=r"^[0-9a-f]{40,64}$", description="What that commit held, as git names it.")
    answers: Answers = Field(description="What was answered.")


def read_record(root: Path) -> Record | None:
    """Read what a project was made from; None for a fresh clone of the template. Raises ConfigError."""
    if not (root / FILE).is_file():
        return None
    return parse_file(Record, read_yaml(root / FILE, FILE), FILE)


def write_record(record: Record) -> str:
    """Return the text of the file: every value in quotes, so that all readers take a version for text."""
    facts = record.model_dump(exclude={"answers"})
    answers = record.answers.model_dump()
    lines = [f"{key}: {_quote(value)}" for key, value in facts.items()]
    lines += ["answers:", *(f"  {key}: {_quote(value)}" for key, value in answers.items() if key != "accounts")]
    accounts = [f"    {key}: {_quote(value)}" for key, value in record.answers.accounts.items()]
    lines += ["  accounts:", *accounts] if accounts else ["  accounts: {}"]
    return HEADER + "\n".join(lines) + "\n"


def _quote(value: str) -> str:
    return json.dumps(value)


def check_answer(name: str, value: str) -> str | None:
    """Say what is wrong with one answer, or None."""
    pattern, most, words = {
        "project": (NAME, PROJECT_LENGTH, f"small letters, digits and single dashes, {PROJECT_LENGTH} at the most"),
        "repository": (REPOSITORY, 140, "owner/name, as at GitHub"),
        "region": (REGION, 40, "an AWS region, such as eu-west-1"),
        "account": (r"^[0-9]{12}$", 12, "12 digits"),
        "environment": (NAME, ENVIRONMENT_LENGTH, f"small letters and digits, {ENVIRONMENT_LENGTH} at the most"),
    }[name]
    return None if re.fullmatch(pattern, value) and len(value) <= most else f"must be {words}"


def parse_accounts(given: Iterable[str]) -> dict[str, str]:
    """Read ``dev=111111111111`` and the like. Raises ConfigError."""
    accounts: dict[str, str] = {}
    for each in given:
        environment, _, account = each.partition("=")
        why = check_answer("environment", environment) or check_answer("account", account)
        if why:
            fix = "Give an environment and its account number."
            command = "inv init --account dev=111111111111"
            raise ConfigError(f"--account {each}", why, fix=fix, command=command)
        accounts[environment] = account
    return accounts

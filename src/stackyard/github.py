"""What the project is called at GitHub, and what its workflows are told. Pure: knows neither `gh` nor AWS.

The names are those of infra/bootstrap (`github.tf`, `roles.tf`): a job in the GitHub environment `dev` may take the
deploy role of dev, one in `dev-plan` its plan role. All previews share the environments `previews` and `previews-plan`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal

from stackyard.names import PREVIEWS
from stackyard.project import Project, Target

Purpose = Literal["deploy", "plan"]

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""AWS's partitions by how their regions begin (AWS Fault Isolation Boundaries: Partitions)."""


def name_environment(target: Target, purpose: Purpose) -> str:
    """Return the GitHub environment whose jobs may take a role of ``target``."""
    group = PREVIEWS if target.preview else target.name
    return f"{group}-plan" if purpose == "plan" else group


def name_role(target: Target, purpose: Purpose) -> str:
    """Return the ARN of the role that a job takes for ``target``, as infra/bootstrap names it."""
    begun = (partition for begin, partition in _PARTITIONS.items() if target.region.startswith(begin))
    group = PREVIEWS if target.preview else target.name
    role = f"{target.project}/{target.project}-{group}_{purpose}"
    return f"arn:{next(begun, 'aws')}:iam::{target.account}:role/{role}"


def name_session(environ: Mapping[str, str]) -> str:
    """Return what CloudTrail calls a job's session: the run that it belongs to (2 to 64 characters)."""
    return f"github-{environ.get('GITHUB_RUN_ID', '0')}-{environ.get('GITHUB_RUN_ATTEMPT', '0')}"


def touches_code(paths: Iterable[str] | None) -> bool:
    """Tell whether changed files are more than documentation; None is for nobody knows, so: yes."""
    return paths is None or not all(path.endswith(".md") or path.startswith("docs/pictures/") for path in paths)


def describe_facts(project: Project, paths: Iterable[str] | None, repository: str = "") -> dict[str, str]:
    """Return what the jobs of a workflow are chosen by, as outputs of a step.

    Args:
        project: What stackyard.yaml says.
        paths: The files that a pull request changes; None where nobody knows.
        repository: Whose job asks, or nothing. AWS lets in the one of stackyard.yaml alone: in a fork, and in a clone
            of the template before its first change, no job has to try.

    """
    ours = repository.casefold() in {"", project.repository.casefold()}
    return {
        "ours": json.dumps(ours),
        "environments": json.dumps(list(project.environments)),
        "previews": json.dumps(ours and project.previews is not None),
        "code": json.dumps(touches_code(paths)),
    }


def render_outputs(values: Mapping[str, str]) -> str:
    """Write values as a step's outputs, a line each (GitHub: Workflow commands). Raises ValueError for more lines."""
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise ValueError(f"the output {name} has more than one line")
    return "".join(f"{name}={value}\n" for name, value in values.items())

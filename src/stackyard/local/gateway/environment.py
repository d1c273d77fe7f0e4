"""What a process of a service is given: its environment variables, and nothing of the developer's own.

Sources: "Defined runtime environment variables" (Lambda). What the platforms of servers add beyond the service's own
variables (metadata endpoints and their like) has no counterpart here.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stackyard.local.gateway.deployment import Aws, FunctionDefinition, ServerDefinition
from stackyard.local.gateway.journal import Journal
from stackyard.local.gateway.runtime import Attention

_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all processes share: the project's root, region, the emulated AWS, the gateway's ``url`` with its stage."""

    root: Path
    region: str
    aws: Aws | None
    url: str
    journal: Journal
    attention: Attention


def render_function_environment(
    definition: FunctionDefinition, surroundings: Surroundings, host: Mapping[str, str]
) -> dict[str, str]:
    """Return a function's environment as Lambda gives it; of the ``host``'s own only what a process needs to start."""
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{definition.version}]{uuid.uuid4().hex}"
    return {
        **_inherited(host),
        "LANG": "en_US.UTF-8",
        **definition.environment,
        "_HANDLER": definition.handler,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(definition.memory),
        "AWS_LAMBDA_FUNCTION_NAME": definition.name,
        "AWS_LAMBDA_FUNCTION_VERSION": definition.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": definition.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(surroundings.root / definition.folder),
        "TZ": ":UTC",
        **_ours(definition, surroundings),
    }


def render_server_environment(
    definition: ServerDefinition, surroundings: Surroundings, host: Mapping[str, str], port: int
) -> dict[str, str]:
    """Return a server's environment: its own as deployed, our addresses, and the port that it listens on."""
    return {
        **_inherited(host),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **definition.environment,
        "PORT": str(port),
        **_ours(definition, surroundings),
    }


def _inherited(host: Mapping[str, str]) -> dict[str, str]:
    return {name: host[name] for name in _INHERITED if name in host}


def _ours(definition: FunctionDefinition | ServerDefinition, surroundings: Surroundings) -> dict[str, str]:
    """Return what every process is given, whatever was deployed: where its code, the gateway and AWS are here."""
    places = [str(surroundings.root / each) for each in definition.pythonpath]
    if theirs := definition.environment.get("PYTHONPATH"):
        places.append(theirs)
    ours = {
        "AWS_DEFAULT_REGION": surroundings.region,
        "AWS_REGION": surroundings.region,
        "PYTHONPATH": os.pathsep.join(places),
        "SERVICE_URL_BASE": surroundings.url,
    }
    if (aws := surroundings.aws) is not None:
        ours["AWS_ENDPOINT_URL"] = aws.endpoint_url
        ours["AWS_ACCESS_KEY_ID"] = aws.access_key_id
        ours["AWS_SECRET_ACCESS_KEY"] = aws.secret_access_key
        if aws.session_token is not None:
            ours["AWS_SESSION_TOKEN"] = aws.session_token
    return ours

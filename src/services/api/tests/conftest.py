"""The service under the real Lambda runtime client."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from servicekit.testing import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RuntimeApi, Path]]:
    """Run the service under awslambdaric; return its Runtime API and the file that has its log."""
    log = tmp_path_factory.mktemp("function") / "log"
    with RuntimeApi() as api, log.open("wb") as output:
        env = {**os.environ, **api.environ, "SERVICE_NAME": "api", "SERVICE_ENVIRONMENT": "test", "SERVICE_PATH": "/"}
        argv = [sys.executable, "-m", "awslambdaric", "api.lambda_handler.handler"]
        with subprocess.Popen(argv, env=env, stdout=output, stderr=output) as process:
            yield api, log
            process.terminate()

"""The service under the real Lambda runtime client, and api, which it calls, under a real uvicorn."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from servicekit.testing import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve api; return its address and the file that has its log."""
    log = tmp_path_factory.mktemp("api") / "log"
    argv = [sys.executable, "-m", "uvicorn", "api.app:app", "--port", "0"]
    env = {**os.environ, "SERVICE_NAME": "api", "SERVICE_PATH": "/", "SERVICE_URL_BASE": ""}
    with log.open("wb") as output, subprocess.Popen(argv, env=env, stdout=output, stderr=output) as process:
        deadline = time.monotonic() + 30
        while (found := re.search(r"running on (http://[\d.:]+)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            threading.Event().wait(0.02)
        yield found[1], log
        process.terminate()


@pytest.fixture(scope="module")
def run_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[RuntimeApi, Path]]]:
    """Return a function that runs the service under awslambdaric beside an api at an address."""
    with contextlib.ExitStack() as ends:

        def run(api_address: str) -> tuple[RuntimeApi, Path]:
            runtime = ends.enter_context(RuntimeApi())
            log = tmp_path_factory.mktemp("worker") / "log"
            own = {"SERVICE_NAME": "worker", "SERVICE_PATH": "/worker", "SERVICE_URL_BASE": api_address}
            env = {**os.environ, **runtime.environ, **own, "SERVICE_ENVIRONMENT": "test"}
            argv = [sys.executable, "-m", "awslambdaric", "worker.lambda_handler.handler"]
            with log.open("wb") as output:
                process = ends.enter_context(subprocess.Popen(argv, env=env, stdout=output, stderr=output))
            ends.callback(process.terminate)
            return runtime, log

        yield run


@pytest.fixture(scope="module")
def function(api: tuple[str, Path], run_worker: Callable[[str], tuple[RuntimeApi, Path]]) -> tuple[RuntimeApi, Path]:
    """Run the service beside api; return its Runtime API and the file that has its log."""
    return run_worker(api[0])

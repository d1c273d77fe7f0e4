"""A terminal of its own for a program that asks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def converse(argv: Sequence[str], cwd: Path, env: Mapping[str, str], answers: Mapping[str, str]) -> tuple[int, str]:
    """Run a program and answer each question once; return its exit code and what it said."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        argv, cwd=cwd, env={**env, "TERM": "dumb"}, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        fcntl.fcntl(ours, fcntl.F_SETFL, fcntl.fcntl(ours, fcntl.F_GETFL) | os.O_NONBLOCK)
        said, waiting, until = "", dict(answers), time.monotonic() + 30
        while time.monotonic() < until:
            try:
                chunk = os.read(ours, 65536)
            except BlockingIOError:
                chunk = None
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                break
            if chunk == b"":
                break
            said += (chunk or b"").decode()
            for question in [question for question in waiting if said.endswith(question)]:
                os.write(ours, waiting.pop(question).encode())
            if chunk is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.02)
        os.close(ours)
        return process.wait(10), said

"""The emulator as a process: how it starts, what it says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients import make_client
from tests.waiting import until

START = (sys.executable, "-m", "stackyard.local.emulator")
PARENT = """
import os, sys, time
from pathlib import Path
from stackyard.tools.process import start_daemon
argv = (sys.executable, "-m", "stackyard.local.emulator", "--ready", sys.argv[1])
start_daemon(argv, log=Path(sys.argv[1] + ".log"), env=os.environ, cwd=Path.cwd())
time.sleep(600)
"""


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A zombie has ended; whoever adopted it may never ask for its code.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_answers_as_the_account_it_was_told(start_emulator: Callable[..., Any]) -> None:
    """The ready file appears when calls are answered, and callers are in the account that was asked for."""
    running = start_emulator("--account", "111111111111")
    assert running.client("sts").get_caller_identity()["Account"] == "111111111111"


def test_an_access_key_that_is_an_account_is_in_it(start_emulator: Callable[..., Any]) -> None:
    """For moto's services and for ours; what one account has, another has not."""
    url = start_emulator("--account", "111111111111").url
    name = "acme"
    for number in ("111111111111", "222222222222"):
        assert make_client(url, "sts", number).get_caller_identity()["Account"] == number
        make_client(url, "codedeploy", number).create_application(applicationName=name, computePlatform="Lambda")
        made = make_client(url, "apprunner", number).create_auto_scaling_configuration(
            AutoScalingConfigurationName=name
        )
        arn = made["AutoScalingConfiguration"]["AutoScalingConfigurationArn"]
        assert arn == f"arn:aws:apprunner:eu-west-1:{number}:autoscalingconfiguration/{name}/1/{arn[-32:]}"


def test_ready_file_says_who_and_where(tmp_path: Path) -> None:
    """The ready file holds pid, port and address, whole from its first moment; SIGTERM ends the process with 0."""
    ready = tmp_path / "ready.json"
    with subprocess.Popen((*START, "--ready", str(ready))) as process:
        try:
            until(ready.exists, "the ready file")
            facts = json.loads(ready.read_text())
            assert facts == {"pid": process.pid, "port": facts["port"], "url": f"http://127.0.0.1:{facts['port']}"}
            assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]
        finally:
            process.terminate()
        assert process.wait(20) == 0


def test_listens_on_the_loopback_address_only(emulator: Any) -> None:
    """No other address of the machine, not even another loopback one, reaches the emulator."""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", urlsplit(str(emulator.url)).port or 0), timeout=5)


def test_ends_with_its_parent(tmp_path: Path) -> None:
    """When the process that started it is killed, the emulator ends as well."""
    ready = tmp_path / "ready.json"
    with subprocess.Popen((sys.executable, "-c", PARENT, str(ready))) as parent:
        try:
            until(ready.exists, "the ready file")
        finally:
            parent.send_signal(signal.SIGKILL)
    pid = json.loads(ready.read_text())["pid"]
    until(lambda: _gone(pid), "the emulator ends")


def test_refuses_a_port_that_is_taken(tmp_path: Path) -> None:
    """A taken port ends in one clear error with exit code 3, and no ready file."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            (*START, "--port", str(port), "--ready", str(tmp_path / "ready.json")),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert done.returncode == 3
    assert f"port {port} on 127.0.0.1: another program listens there" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_ready_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A ready file in a folder that does not exist ends the emulator with exit code 3, not in silence."""
    done = subprocess.run(
        (*START, "--ready", str(tmp_path / "none" / "ready.json")),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 3
    assert "No such file or directory" in done.stdout


def test_refuses_an_account_that_is_none(tmp_path: Path) -> None:
    """An account id that is not 12 digits is a mistake in the call: exit code 2."""
    argv = (*START, "--account", "1234", "--ready", str(tmp_path / "ready.json"))
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "12 digits" in done.stderr

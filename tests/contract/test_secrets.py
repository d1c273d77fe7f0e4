"""servicekit reads secrets from the embedded AWS as AWS's own client does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def test_a_service_gets_its_secrets(emulator: Any) -> None:
    """A process that is told names and ARNs has the values in its environment, and none of its own is overwritten."""
    manager = emulator.client("secretsmanager")
    secrets = {
        name: manager.create_secret(Name=f"acme/dev/{name.lower()}", SecretString=value)["ARN"]
        for name, value in {"DATABASE_URL": "postgres://db", "TOKEN": "t0ken"}.items()
    }
    shown = "print(os.environ['DATABASE_URL'], os.environ['TOKEN'])"
    program = f"import os; from servicekit import create_app; create_app(); {shown}"
    env = {**os.environ, **emulator.environment, "SERVICE_SECRETS": json.dumps(secrets), "TOKEN": "mine"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["postgres://db", "mine"]


def test_a_missing_secret_ends_the_start(emulator: Any) -> None:
    """With an error that names the variable, the secret and AWS's reason."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/dev/none-AbCdEf"
    env = {**os.environ, **emulator.environment, "SERVICE_SECRETS": json.dumps({"TOKEN": arn})}
    argv = [sys.executable, "-c", "from servicekit import create_app; create_app()"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert f"SettingsError: TOKEN: the secret {arn} could not be read: ResourceNotFoundException" in last

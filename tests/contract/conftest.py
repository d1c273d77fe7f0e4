"""A real emulator and a real Terraform for the contract tests."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from xdist.remote import Producer

from stackyard.tools.process import Completed, Daemon, SystemRunner, start_daemon
from tests.clients import REGION, make_client
from tests.terraform import found
from tests.turns import Turns
from tests.waiting import until

ACCOUNT = "123456789012"
ROOT = Path(__file__).parents[2]

TOGETHER = ("test_ecs_deployments.py",)
"""Files whose tests are one story: each goes on from where the one before it left the service."""

LONG = ("test_every_kind_is_held", "test_infra.py", "test_network.py", "test_eks.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Turns:
    """Leave a file's tests together where they are one story."""
    return Turns(config, log, [(name,) for name in TOGETHER])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take a minute, so that none of them is left alone at the end."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONG))


@dataclass(slots=True)
class Emulator:
    """A running emulator, and how long it took to answer (s)."""

    url: str
    daemon: Daemon
    seconds: float

    def client(self, service: str) -> Any:  # boto3 makes its clients at run time
        return make_client(self.url, service)

    @property
    def environment(self) -> dict[str, str]:
        """What makes any AWS client, Terraform's included, speak to this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
        }


@pytest.fixture(scope="session")
def start_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Emulator]]:
    """Start emulators that end with the session at the latest."""
    with ExitStack() as ends:

        def start(*arguments: str, env: Mapping[str, str] = MappingProxyType({})) -> Emulator:
            folder = tmp_path_factory.mktemp("emulator")
            ready, log = folder / "ready.json", folder / "log"
            began = time.monotonic()
            argv = (sys.executable, "-m", "stackyard.local.emulator", "--ready", str(ready), *arguments)
            daemon = start_daemon(argv, log=log, env={**os.environ, **env}, cwd=folder)
            ends.callback(daemon.stop)
            until(lambda: ready.exists() or daemon.poll() is not None, "the emulator answers")
            assert ready.exists(), log.read_text()
            return Emulator(json.loads(ready.read_text())["url"], daemon, time.monotonic() - began)

        yield start


@pytest.fixture(scope="module")
def emulator(start_emulator: Callable[..., Emulator]) -> Iterator[Emulator]:
    """One emulator for a test module."""
    running = start_emulator()
    yield running
    running.daemon.stop()


PROVIDER = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  max_retries                 = 2
  default_tags { tags = { project = "acme", environment = "local" } }
}
"""
QUIET = ("-input=false", "-no-color", "-parallelism=30")


@dataclass(slots=True)
class Terraform:
    """Terraform in a copy of the project; every run's seconds are kept."""

    project: Path
    environment: Mapping[str, str]
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def run(self, stack: str, *arguments: str, codes: tuple[int, ...] = (0,), label: str = "") -> Completed:
        """Run in ``infra/<stack>``; fail the test with Terraform's own words on any other exit code."""
        began = time.monotonic()
        environment = {**self.environment, "TF_DATA_DIR": str(self.project / ".data" / stack)}
        done = SystemRunner().run(
            (*found()[0].argv, *arguments), cwd=self.project / "infra" / stack, env=environment, timeout=300
        )
        self.seconds[f"{stack} {label or arguments[0]}"] = time.monotonic() - began
        assert done.code in codes, f"{' '.join(done.argv)}: {done.code}\n{done.stdout[-8000:]}\n{done.stderr}"
        return done

    def init(self, stack: str, key: str) -> None:
        """Initialize with the state in the emulated bucket."""
        settings = {"bucket": f"acme-state-{ACCOUNT}-{REGION}", "key": key, "region": REGION}
        switches = ("use_lockfile", "use_path_style", "skip_credentials_validation", "skip_requesting_account_id")
        settings |= dict.fromkeys((*switches, "skip_metadata_api_check", "skip_region_validation"), "true")
        configuration = (f"-backend-config={name}={value}" for name, value in settings.items())
        self.run(stack, "init", "-input=false", "-no-color", *configuration)

    def settle(self, stack: str, label: str, *variables: str) -> dict[str, Any]:
        """Apply, see that a second plan is empty, and return the outputs."""
        self.run(stack, "apply", *QUIET, "-auto-approve", *variables, label=f"apply: {label}")
        self.run(stack, "plan", *QUIET, "-detailed-exitcode", *variables, label=f"second plan: {label}")
        outputs = json.loads(self.run(stack, "output", "-json").stdout)
        return {name: output["value"] for name, output in outputs.items()}

    def destroy(self, stack: str, *variables: str) -> None:
        """Destroy all of it."""
        self.run(stack, "destroy", *QUIET, "-auto-approve", *variables)


@pytest.fixture(scope="session")
def terraform_environment() -> dict[str, str]:
    """The environment of a Terraform run, as the tasks find it, without this shell's own AWS settings."""
    return {name: value for name, value in found()[1].items() if not name.startswith("AWS_")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of ``infra`` with a stackyard.yaml of its own and no service."""
    shutil.copytree(ROOT / "infra", tmp_path / "infra", ignore=shutil.ignore_patterns(".terraform*", "tests"))
    (tmp_path / "stackyard.yaml").write_text(
        'project: acme\nrepository: acme/platform\nregion: eu-west-1\nenvironments:\n  dev: {account: "111111111111"}\n'
    )
    return tmp_path


@pytest.fixture
def try_modules(
    project: Path, emulator: Emulator, terraform_environment: dict[str, str]
) -> Iterator[Callable[[str, str], Terraform]]:
    """Make a stack of its own from HCL that uses the modules, initialized; log what took how long."""
    running = Terraform(project, {**terraform_environment, **emulator.environment})

    def make(stack: str, hcl: str) -> Terraform:
        folder = project / "infra" / stack
        folder.mkdir()
        (folder / "main.tf").write_text(PROVIDER + hcl)
        running.run(stack, "init", "-input=false", "-no-color")
        return running

    yield make
    logging.getLogger(__name__).info("%s", {step: round(seconds, 2) for step, seconds in running.seconds.items()})


@pytest.fixture(scope="session")
def make_terraform() -> type[Terraform]:
    """The class itself: tests cannot import from here."""
    return Terraform

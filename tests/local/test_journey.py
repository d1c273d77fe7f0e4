"""One project's whole life: a laptop and two accounts side by side, from the first `inv up` to nothing.

Each test goes on from where the one before it left; what takes its time by waiting goes on beside the next. On the
laptop there is a service of each kind. Before AWS the one of kind eks goes: the embedded AWS holds no real cluster.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.screen import Screen
from tests.account import Account, serving_account
from tests.clients import make_client
from tests.leftovers import list_resources
from tests.local.conftest import running
from tests.local.project import HERE, Done, Project, find_uv
from tests.waiting import until

KINDS = {"api": "lambda", "worker": "apprunner", "web": "ecs", "pods": "eks"}
IN_AWS = ("api", "web", "worker")
PROMOTIONS = ("promote --from dev --to test --release 1", "promote --from dev --to prod --release 1 --yes")
COMMITTER = ("-c", "user.name=tests", "-c", "user.email=tests@example.invalid", "-c", "commit.gpgsign=false")


@dataclass
class Journey:
    """The project, the accounts of its environments, and the tasks that are under way."""

    project: Project
    accounts: Mapping[str, Account]
    underway: dict[str, subprocess.Popen[str]] = field(default_factory=dict[str, subprocess.Popen[str]])

    def begin(self, words: str) -> None:
        """Start a task in the account of the environment that it changes."""
        found = re.search(r"--(?:env|to) (\S+)", words)
        environment = found[1] if found else "local"
        settings = self.accounts[environment].environment | {"UV_OFFLINE": "1"} if environment in self.accounts else {}
        self.underway[words] = self.project.start(*words.split(), **settings)

    def end(self, words: str, code: int = 0) -> Done:
        """Wait for a task that was begun, and insist on its exit code."""
        process = self.underway.pop(words)
        out, err = process.communicate(timeout=300)
        done = Done(process.returncode, out, err)
        assert done.code == code, f"inv {words}: {done.text()}"
        return done

    def inv(self, words: str, code: int = 0) -> Done:
        """Run a task to its end."""
        self.begin(words)
        return self.end(words, code)

    def read(self, words: str, code: int = 0) -> Any:  # each task's own data
        """Run a task that tells data."""
        return json.loads(self.inv(f"{words} --json", code).out)

    def commit(self) -> None:
        """Commit all, with the lock that goes with it, and have its images built."""
        root = self.project.root
        subprocess.run([find_uv(), "lock", "--quiet", "--offline"], cwd=root, check=True)
        subprocess.run(["git", "add", "--all"], cwd=root, check=True)
        subprocess.run(["git", *COMMITTER, "commit", "--quiet", "--message=Go on"], cwd=root, check=True)

    def build(self) -> dict[str, str]:
        """Stand in for the build of the working tree's images, in the account of dev; return their digests."""
        session = Session.begin(self.project.root, "dev", Screen(quiet=True))
        return {image.service: self.accounts["dev"].push(image.tag) for image in wanted_images(session)}

    def laptop(self, service: str) -> Any:  # boto3 makes its clients at run time
        """Return a client of the laptop's embedded AWS."""
        running_at = json.loads((self.project.root / ".stackyard/local/emulator.json").read_text())["url"]
        return make_client(running_at, service)

    def runs(self, environment: str) -> dict[str, str]:
        """Return the digests that run, and insist that all is well."""
        status = self.read(f"status --env {environment}")
        assert {each["health"] for each in status["services"]} == {"well"}, status
        return {each["name"]: each["digest"] for each in status["services"]}


@pytest.fixture(scope="module")
def journey(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Journey]:
    """A clone with a service of each kind, and two accounts with nothing in them."""
    folder = tmp_path_factory.mktemp("journey")
    with (
        serving_account(folder, "111111111111", prepared=False) as first,
        running(installed, folder / "project", *sorted({*KINDS} - {"pods"})) as project,
    ):
        second = first.beside("222222222222")
        programs = folder / "bin"
        programs.mkdir()
        docker = programs / "docker"
        docker.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE}/tests/fakes/docker.py" "$@"\n')
        docker.chmod(0o755)
        project.env |= {"PATH": f"{programs}:{os.environ['PATH']}", "FAKE_DOCKER": str(folder / "logins")}
        # One of another kind, as docs/guides/services.md has it.
        project.change("src/services/worker/service.yaml", "kind: lambda", "kind: apprunner")
        project.change("src/services/worker/pyproject.toml", "client,lambda", "client,server")
        project.write(".gitignore", (HERE / ".gitignore").read_text(encoding="utf-8"))
        made = Journey(project, {"dev": first, "test": first, "prod": second})
        made.inv("add-service --kind eks pods")
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=project.root, check=True)
        try:
            yield made
        finally:
            for process in made.underway.values():
                process.kill()
                process.wait()


def test_a_laptop_is_up_while_two_accounts_are_bootstrapped(journey: Journey) -> None:
    """A service of each kind, all of them as deployed."""
    journey.begin("bootstrap --env dev")
    journey.begin("bootstrap --env prod")
    journey.inv(f"up --detach --port {journey.project.port}")
    rows = {row["name"]: (row["kind"], row["deployed"]) for row in journey.read("services")}
    assert rows == {name: (kind, "current") for name, kind in KINDS.items()}


def test_on_the_laptop_everything_is_seen(journey: Journey) -> None:
    """One request over two services is in logs and trace; all are well; each has its cost."""
    project = journey.project
    accepted = httpx.post(f"{project.url}/worker/jobs", json={"names": ["Ann"]})
    answer = httpx.get(project.url + accepted.json()["result"])
    assert answer.json()["greetings"] == ["Hello, Ann!"]

    def traced() -> set[str]:
        found = project.run("trace", answer.headers["x-request-id"], "--env", "local", "--json")
        return {line["service"] for line in json.loads(found.out)["lines"]} if found.code == 0 else set()

    until(lambda: traced() == {"gateway", "worker", "api"}, "the lines of both services")
    assert "GET /local/greet 200" in journey.inv("logs --env local api").out
    assert set(journey.runs("local")) == {*KINDS}
    cost = journey.read("cost --env local")
    assert {*KINDS, "shared"} == set(cost["services"])
    assert round(sum(cost["services"].values()), 2) == cost["usd_per_month"]


def test_what_was_built_once_is_deployed_to_dev(journey: Journey) -> None:
    """While the laptop's environment is being destroyed."""
    journey.end("bootstrap --env dev")
    journey.end("bootstrap --env prod")
    journey.inv("remove-service pods --yes --force")
    journey.commit()
    journey.begin("destroy --env local --confirm local")
    built = journey.build()
    assert set(built) == {*IN_AWS}
    deployed = journey.read("deploy --env dev")
    assert (deployed["release"], deployed["healthy"], deployed["digests"]) == (1, True, built)
    assert journey.runs("dev") == built


def test_drift_is_found_mended_by_the_next_deploy_and_that_rolled_back(journey: Journey) -> None:
    """While test and prod get what dev had first: the one change that was made by hand is named, and brought back."""
    for promotion in PROMOTIONS:
        journey.begin(promotion)
    account, first = journey.accounts["dev"], journey.runs("dev")
    functions, name = account.client("lambda"), "acme-dev-api"
    before = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=before - 1)
    assert journey.inv("drift --env dev", code=6).out == "api: aws_lambda_function: timeout was changed\n"

    for environment in ("test", "prod"):
        # Both have read the working tree then.
        until(lambda name=environment: "underway.json" in journey.accounts[name].keys(f"releases/{name}/"), "an apply")
    app = journey.project.root / "src/services/api/api/app.py"
    app.write_text(app.read_text() + "\n# the second version\n")
    journey.commit()
    second = journey.build()
    assert {name for name, digest in second.items() if digest != first[name]} == {"api"}
    deployed = journey.read("deploy --env dev")
    assert (deployed["release"], deployed["summary"]) == (2, "2 to change"), "function and alias, nothing else"
    assert functions.get_function_configuration(FunctionName=name)["Timeout"] == before
    assert account.running("dev", "api") == second["api"]

    assert "release 3" in journey.inv("rollback --env dev").err
    assert journey.runs("dev") == first
    assert account.records("dev")[3]["digests"] == first


def test_what_runs_in_dev_runs_in_the_other_account(journey: Journey) -> None:
    """Copied from registry to registry, digest and all."""
    first = journey.accounts["dev"].records("dev")[1]["digests"]
    for promotion, environment in zip(PROMOTIONS, ("test", "prod"), strict=True):
        said = journey.end(promotion).err
        assert ("copy 3 images from 111111111111.dkr.ecr." in said) == (environment == "prod")
        assert journey.runs(environment) == first
        record = journey.accounts[environment].records(environment)[1]
        assert record["source"] == {"kind": "promote", "environment": "dev", "number": 1}


def test_a_lost_state_comes_back(journey: Journey) -> None:
    """Nothing is deployed over it; restored by the command that the error names, it is what is there."""
    account = journey.accounts["test"]
    account.client("s3").delete_object(Bucket=account.bucket, Key="app/test/terraform.tfstate")
    refused = journey.inv("deploy --env test", code=5).err
    assert "the state of test is gone" in refused
    assert "run: inv state-restore --env test" in refused
    journey.inv("state-restore --env test")
    assert journey.inv("drift --env test").out == ""


def test_a_request_is_followed_through_prod(journey: Journey) -> None:
    """Through the log groups that Terraform and App Runner made; an alarm that rings is in the status."""
    account = journey.accounts["prod"]
    request, trace = "6f1ed002-ab55-4a6a-aaa9-735ed0376c7c", f"1-{int(time.time()):x}-0eb3747748451bfeeffe34c4"
    logs, now = account.client("logs"), int(time.time() * 1000)
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    line = {"level": "INFO", "request_id": request, "trace_id": trace}
    access = {"method": "GET", "path": "/prod/worker", "status": "200", "latency": "9", "integration_latency": "8"}
    for pattern, words in (
        (r"/aws/api-gateway/acme-prod", access | {"request_id": request, "trace_id": trace}),
        (r"/aws/apprunner/acme-prod-worker/\w+/application", line | {"message": "a job"}),
        (r"/aws/lambda/acme-prod-api", line | {"message": "a greeting"}),
    ):
        [group] = [name for name in groups if re.fullmatch(pattern, name)]
        logs.create_log_stream(logGroupName=group, logStreamName="1")
        event = {"timestamp": now, "message": json.dumps(words)}
        logs.put_log_events(logGroupName=group, logStreamName="1", logEvents=[event])
    for given in (request, trace):
        lines = journey.read(f"trace {given} --env prod")["lines"]
        assert sorted(each["service"] for each in lines) == ["api", "gateway", "worker"]
    assert "a greeting" in journey.inv("logs --env prod api").out

    alarms = account.client("cloudwatch")
    alarms.set_alarm_state(AlarmName="acme-prod-api-errors", StateValue="ALARM", StateReason="a test")
    status = journey.read("status --env prod", code=4)
    assert [each["name"] for each in status["alarms"]] == ["acme-prod-api-errors"]
    assert status["release"]["number"] == 1


def test_everything_is_destroyed(journey: Journey) -> None:
    """All environments side by side: nothing of them is there, but for states of nothing and the records."""
    environments = ("local", *journey.accounts)
    for name in journey.accounts:
        journey.begin(f"destroy --env {name} --confirm {name}")
    for name in environments:
        journey.end(f"destroy --env {name} --confirm {name}")
    assert list_resources(journey.laptop, "acme", "local") == {}
    for name, account in journey.accounts.items():
        assert list_resources(account.client, "acme", name) == {}
        state = account.client("s3").get_object(Bucket=account.bucket, Key=f"app/{name}/terraform.tfstate")
        assert json.loads(state["Body"].read())["resources"] == []
        assert list(account.records(name)) == ([1, 2, 3] if name == "dev" else [1])

"""`inv status` and `inv open` against an account in the embedded AWS: what is there, what is not, what rings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account, serving_account
from tests.bench.common import environment
from tests.bench.logs import INV, make_checkout
from tests.printed import check_printed

STATE = {
    "outputs": {
        name: {"value": value}
        for name, value in {
            "url": "https://abc.execute-api.eu-west-1.amazonaws.com/dev",
            "stage": "dev",
            "openapi": json.dumps({"paths": {"/": {"x-amazon-apigateway-any-method": {}}}}),
            "services": {
                "api": {"kind": "lambda", "path": "/", "resource": "acme-dev-api", "api_key": False},
                "web": {"kind": "ecs", "path": "/web", "resource": "acme-dev-web", "api_key": False},
            },
        }.items()
    }
}
RELEASE = {
    "number": 7,
    "environment": "dev",
    "digests": {"api": "sha256:1"},
    "commit": "c0ffee1234",
    "dirty": False,
    "who": "sam",
    "when": "2026-11-23T08:00:00+00:00",
    "summary": "",
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account where a release is recorded whose services are gone."""
    with serving_account(tmp_path_factory.mktemp("account"), "111111111111") as served:
        yield served


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with services."""
    folder = tmp_path_factory.mktemp("checkout")
    make_checkout(folder)
    return folder


def inv(checkout: Path, account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type `inv`."""
    settings = {**environment(), **account.environment}
    done = subprocess.run([INV, *arguments], cwd=checkout, env=settings, capture_output=True, text=True, check=False)
    check_printed(arguments, done.stdout)
    return done


def put(account: Account, key: str, value: object) -> None:
    """Write an object of the state bucket."""
    account.client("s3").put_object(Bucket=account.bucket, Key=key, Body=json.dumps(value).encode())


def test_an_environment_before_its_first_deploy(checkout: Path, account: Account) -> None:
    """Nothing is ill, nothing can be told of services: 3, and the row says what to do."""
    done = inv(checkout, account, "status", "--env", "dev")
    assert done.returncode == 3, done.stderr
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert rows["release"] == "none yet; next: inv deploy --env dev"
    assert rows["services"] == "unknown: nothing is deployed to dev"
    assert rows["drift"] == "never looked for"


def test_what_is_there_and_what_rings_is_told(checkout: Path, account: Account) -> None:
    """Release, services against it, health by the gateway, the hour's traffic, alarms of this environment, drift."""
    now = datetime.now(UTC)
    put(account, "app/dev/terraform.tfstate", STATE)
    put(account, "releases/dev/7.json", RELEASE)
    put(account, "drift/dev.json", {"looked": (now - timedelta(hours=5)).isoformat(), "changes": 2})
    watch = account.client("cloudwatch")
    dimensions = [{"Name": "ApiName", "Value": "acme-dev"}, {"Name": "Stage", "Value": "dev"}]
    route = [*dimensions, {"Name": "Method", "Value": "ANY"}, {"Name": "Resource", "Value": "/"}]
    function = [{"Name": "FunctionName", "Value": "acme-dev-api"}]

    def count(namespace: str, name: str, value: float, where: list[dict[str, str]], minutes: int = 5) -> None:
        datum: dict[str, Any] = {"MetricName": name, "Dimensions": where, "Value": value}
        datum["Timestamp"] = now - timedelta(minutes=minutes)
        watch.put_metric_data(Namespace=namespace, MetricData=[datum])

    count("AWS/ApiGateway", "Count", 40, dimensions)
    count("AWS/ApiGateway", "Count", 30, route)
    count("AWS/ApiGateway", "Count", 3, route, minutes=50)
    count("AWS/ApiGateway", "Count", 1000, route, minutes=70)
    count("AWS/ApiGateway", "5XXError", 2, route)
    count("AWS/Lambda", "Errors", 1, function)
    for name in ("acme-dev-api-errors", "acme-develop-api-errors", "acme-dev-web-errors"):
        watch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/Lambda",
            MetricName="Errors",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Statistic="Sum",
            Threshold=0,
        )
    for name in ("acme-dev-api-errors", "acme-develop-api-errors"):
        watch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="1 is greater than 0")

    done = inv(checkout, account, "status", "--env", "dev", "--json")
    assert done.returncode == 4, done.stderr
    found = json.loads(done.stdout)
    assert (found["release"]["number"], found["well"], found["troubles"]) == (7, False, {})
    assert [alarm["name"] for alarm in found["alarms"]] == ["acme-dev-api-errors"]
    assert found["drift"]["changes"] == 2
    assert found["traffic"]["gateway"]["requests"] == 40
    api = found["traffic"]["api"]
    assert (api["requests"], api["failed"], api["errors"], api["calls"]) == (33, 2, 1, None)
    services = {each["name"]: (each["runs"], each["health"]) for each in found["services"]}
    assert services == {"api": ("not there", "well"), "web": ("not there", "well")}
    text = inv(checkout, account, "status", "--env", "dev").stdout
    assert "2 resources changed past Terraform, looked for 5 h ago" in text
    assert "ALARM acme-dev-api-errors since " in text


def test_a_state_that_is_none_hides_nothing_else(checkout: Path, account: Account) -> None:
    """Its row names the object; the release is told all the same."""
    put(account, "releases/dev/7.json", RELEASE)
    put(account, "app/dev/terraform.tfstate", ["broken"])
    done = inv(checkout, account, "status", "--env", "dev", "--json")
    found = json.loads(done.stdout)
    assert found["release"]["number"] == 7
    assert f"s3://{account.bucket}/app/dev/terraform.tfstate cannot be read" in found["troubles"]["deployed"]


def test_addresses_are_printed(checkout: Path, account: Account) -> None:
    """Of a service, its documentation, its page in the console, the dashboard; nonsense is refused."""
    put(account, "app/dev/terraform.tfstate", STATE)
    base = "https://abc.execute-api.eu-west-1.amazonaws.com/dev"
    console = "https://eu-west-1.console.aws.amazon.com"
    cases: list[tuple[int, str, list[str]]] = [
        (0, f"{base}/\n", []),
        (0, f"{base}/web/docs\n", ["web", "--what", "docs"]),
        (
            0,
            f"{console}/ecs/v2/clusters/acme-dev/services/acme-dev-web/health?region=eu-west-1\n",
            ["web", "--what", "console"],
        ),
        (0, f"{console}/cloudwatch/home?region=eu-west-1#dashboards/dashboard/acme-dev\n", ["--what", "dashboard"]),
        (3, "", ["nobody"]),
        (2, "", ["--what", "nothing"]),
        (2, "", ["api", "web"]),
    ]
    for code, out, arguments in cases:
        done = inv(checkout, account, "open", "--env", "dev", "--print", *arguments)
        assert (done.returncode, done.stdout) == (code, out), done.stderr

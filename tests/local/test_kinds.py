"""The round of a service's life for every kind: added, deployed, found well, changed, removed, nothing else touched.

One project for all of it, on one core (conftest.py): a deploy of all four kinds takes half a minute. Each test leaves
it as it found it, but for the last three: one changes a service's kind, one takes all away, one destroys it, and asks
the roles of the bootstrap for every call that was made from the first to the last.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from servicekit.testing import LocalIssuer

from stackyard.commands.session import Session
from stackyard.screen import Screen
from stackyard.tools.clusters import find_cluster
from tests.clients import make_client
from tests.infra.calls import judge, read_calls, read_given
from tests.infra.named import Place
from tests.infra.unused import LED, ROLLOUTS, STAY, explain
from tests.leftovers import list_resources
from tests.local.project import Project, smoke
from tests.waiting import until

SERVICES = {"quick": "lambda", "runner": "apprunner", "steady": "ecs", "pods": "eks"}
KEYED = "steady"
PLATFORM = {"apprunner", "ecs"}
"""The kinds whose platform makes variables of secrets; the others leave that to servicekit."""

ROUTES = """

@app.get("/told")
async def told() -> dict[str, str | None]:
    names = ("COLOUR", "SHAPE", "TOKEN", "OTHER", "SERVICE_NAME", "SERVICE_ENVIRONMENT", "SERVICE_PATH",
             "SERVICE_URL_BASE", "SERVICE_SECRETS")
    return {name: os.environ.get(name) for name in names}


@app.get("/end")
async def end() -> None:
    os._exit(3)
"""
SETTINGS = """
secrets: {TOKEN: token, OTHER: other}
auth: {jwt: {issuer: "https://id.example.com", audience: [acme]}}
overrides:
  local: {environment: {COLOUR: blue}, auth: {jwt: {issuer: "ISSUER"}}}
  dev: {environment: {COLOUR: red}}
"""
BEARER: dict[str, str] = {}
"""The header that lets us in, once there is an issuer."""
LIMITED = "api_key: true\nusage: {rate: 5, burst: 5}\n"


@pytest.fixture(scope="module")
def before(shared: Project) -> dict[str, dict[str, Any]]:
    """Bring api up alone, and return what is said of it."""
    shared.record()
    shared.up()
    return describe(shared)


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    """Who makes the tokens that the services ask for."""
    with LocalIssuer("acme") as running:
        BEARER["Authorization"] = f"Bearer {running.token(exp=time.time() + 3600)}"
        yield running


@pytest.fixture(scope="module")
def kinds(shared: Project, before: Mapping[str, object], issuer: LocalIssuer) -> Project:
    """The project with one service of each kind, added and deployed as its user does."""
    assert set(before) == {"api"}
    for name, kind in SERVICES.items():
        done = shared.run("add-service", "--kind", kind, name)
        assert done.code == 0, done.text()
        assert "next: inv deploy --env local" in done.err
        folder = f"src/services/{name}"
        settings, app = f"{folder}/service.yaml", f"{folder}/{name}/app.py"
        shared.change(settings, "\n  GREETING:", "\n  COLOUR: green\n  SHAPE: round\n  GREETING:")
        text = (shared.root / settings).read_text()
        shared.write(settings, text + SETTINGS.replace("ISSUER", issuer.url) + (LIMITED if name == KEYED else ""))
        text = (shared.root / app).read_text()
        shared.write(app, text.replace("\nfrom decimal", "\nimport os\nfrom decimal", 1) + ROUTES)
    shared.write("secrets.local.yaml", "acme/local/token: very-secret\n")
    deployed = shared.deploy()
    assert "secret acme/local/other: a stand-in" in deployed.err
    assert "release 2" in deployed.err
    return shared


@pytest.fixture(scope="module")
def planned(kinds: Project) -> range:
    """The numbers of the calls of a plan of all of it."""
    first = len(read_calls(kinds.calls))
    done = kinds.run("plan", "--env", "local", "--json")
    assert json.loads(done.out)["changed"] is False, done.text()
    return range(first, len(read_calls(kinds.calls)))


def describe(project: Project) -> dict[str, dict[str, Any]]:
    """Return what `inv services` says, by service."""
    done = project.run("services", "--json")
    assert done.code == 0, done.text()
    return {row["name"]: row for row in json.loads(done.out)}


def client(project: Project, service: str) -> Any:  # boto3 makes its clients at run time
    """Return a client of the embedded AWS that is none of the tasks'."""
    return make_client(json.loads((project.root / ".stackyard/local/emulator.json").read_text())["url"], service)


def show_key(project: Project, *arguments: str) -> str:
    """Return the API key as `inv api-key` prints it."""
    done = project.run("api-key", "--env", "local", *arguments, KEYED)
    assert done.code == 0, done.text()
    return done.out.strip()


def get(project: Project, path: str, key: str = "") -> httpx.Response:
    """Ask the gateway, with a token."""
    return httpx.get(project.url + path, headers={**BEARER, **({"x-api-key": key} if key else {})}, timeout=35)


@pytest.mark.usefixtures("planned")
def test_every_kind_is_deployed_and_well(kinds: Project, before: Mapping[str, Mapping[str, Any]]) -> None:
    """The smoke tests pass for all, each answers under its path, all are current, a second plan is empty."""
    done = smoke(kinds)
    assert done.code == 0, done.text()
    rows = describe(kinds)
    assert {name: row["kind"] for name, row in rows.items()} == {"api": "lambda", **SERVICES}
    assert {row["deployed"] for row in rows.values()} == {"current"}
    assert rows["api"] == before["api"], "the services that came touched the one that was there"
    sorts = {"functions", "log groups", "roles", "App Runner services", "ECS clusters", "EKS clusters", "networks"}
    assert sorts <= list_resources(partial(client, kinds), "acme", "local").keys()
    key = show_key(kinds)
    for name in SERVICES:
        assert re.search(rf"^{name} +/health +200 +\d", done.out, re.MULTILINE), done.out
        for stage in ("", "/local"):
            answer = get(kinds, f"{stage}/{name}/greet?name=Ann", key)
            assert answer.json() == {"message": "Hello, Ann!"}
    again = kinds.deploy()
    assert "no changes" in again.err
    assert "nothing changed since release 2" in again.err


def test_a_process_is_told_the_same_whatever_it_runs_on(kinds: Project) -> None:
    """Settings, this environment's overrides and secrets reach each process as its platform gives them."""
    key = show_key(kinds)
    for name, kind in SERVICES.items():
        told = get(kinds, f"/{name}/told", key).json()
        arns = json.loads(told.pop("SERVICE_SECRETS") or "{}")
        assert told == {
            "COLOUR": "blue",
            "SHAPE": "round",
            "TOKEN": "very-secret",
            "OTHER": "local",
            "SERVICE_NAME": name,
            "SERVICE_ENVIRONMENT": "local",
            "SERVICE_PATH": f"/{name}",
            "SERVICE_URL_BASE": f"{kinds.url}/local",
        }
        assert set(arns) == (set() if kind in PLATFORM else {"TOKEN", "OTHER"})
        assert all(arn.startswith("arn:aws:secretsmanager:") for arn in arns.values())


def test_each_kind_asks_for_a_token(kinds: Project) -> None:
    """What service.yaml says of the issuer, overridden for the laptop, reaches each process; health stays open."""
    key = {"x-api-key": show_key(kinds)}
    for name in SERVICES:
        assert httpx.get(f"{kinds.url}/{name}/told", headers=key).status_code == 401
        assert httpx.get(f"{kinds.url}/{name}/told", headers={**key, **BEARER}).status_code == 200
        assert httpx.get(f"{kinds.url}/{name}/health", headers=key).status_code == 200


def test_a_process_that_ends_is_started_again(kinds: Project) -> None:
    """The request that ends it fails as on AWS; the next ones are served."""
    key = show_key(kinds)
    for name, kind in SERVICES.items():
        failed = get(kinds, f"/{name}/end", key)
        assert failed.status_code == (502 if kind == "lambda" else 504), failed.text
        until(lambda name=name: get(kinds, f"/{name}/health", key).status_code == 200, f"{name} to be back")
        assert get(kinds, f"/{name}/told", key).json()["TOKEN"] == "very-secret"


def test_a_key_lets_in_until_it_is_replaced(kinds: Project) -> None:
    """Without one 403, over its limits 429; a new one replaces the old at once and nothing else changes."""
    was, old = describe(kinds), show_key(kinds)
    refused = get(kinds, f"/{KEYED}/greet")
    assert (refused.status_code, refused.json()["message"]) == (403, "Forbidden")
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(get, kinds, f"/{KEYED}/liveness", old) for _ in range(40)]
    assert {each.result().status_code for each in asked} == {200, 429}
    new = show_key(kinds, "--rotate")
    assert new != old
    assert get(kinds, f"/{KEYED}/greet", old).status_code == 403
    assert get(kinds, f"/{KEYED}/greet", new).status_code == 200
    assert show_key(kinds) == new
    assert describe(kinds) == was


def test_a_rollout_that_fails(kinds: Project) -> None:
    """It ends the deploy with the reason and the process's last words; what ran before serves until it is mended."""
    was, settings = describe(kinds), "src/services/pods/service.yaml"
    kinds.change(settings, "  SHAPE: round", "  SHAPE: square\n  EMULATED_ROLLOUT: CrashLoopBackOff")
    failed = kinds.run("deploy", "--env", "local")
    assert failed.code == 4, failed.text()
    assert "service pods was not rolled out: the process ends again and again" in failed.err
    assert "What ran before goes on serving." in failed.err
    assert "RuntimeError" in failed.err
    assert get(kinds, "/pods/told").json()["SHAPE"] == "round"
    kinds.change(settings, "\n  EMULATED_ROLLOUT: CrashLoopBackOff", "")
    mended = kinds.deploy()
    assert "release 3" in mended.err
    assert get(kinds, "/pods/told").json()["SHAPE"] == "square"
    rows = describe(kinds)
    assert rows["pods"]["deployed"] == "current"
    assert {name: row for name, row in rows.items() if name != "pods"} == {
        name: row for name, row in was.items() if name != "pods"
    }


def test_a_service_of_another_kind(kinds: Project) -> None:
    """What the guide says to edit, and a deploy: a function becomes a server, with the same path and settings."""
    folder = "src/services/quick"
    kinds.change(f"{folder}/service.yaml", "kind: lambda", "kind: ecs")
    kinds.change(f"{folder}/pyproject.toml", "servicekit[lambda", "servicekit[server")
    done = kinds.run("add-service", "quick")
    assert done.code == 0, done.text()
    assert "warning" not in done.err
    kinds.deploy()
    told = get(kinds, "/quick/told").json()
    assert (told["TOKEN"], told["COLOUR"], told["SERVICE_SECRETS"]) == ("very-secret", "blue", None)
    row = describe(kinds)["quick"]
    assert (row["kind"], row["deployed"]) == ("ecs", "current")


def test_removed_services_leave_nothing(kinds: Project, before: Mapping[str, Mapping[str, Any]]) -> None:
    """After `inv remove-service` and a deploy routes, namespaces and clusters are gone, and api is as it was."""
    session = Session.begin(kinds.root, "local", Screen())
    assert find_cluster(session.aws, "acme-local") is not None
    for name in SERVICES:
        done = kinds.run("remove-service", name, "--yes", "--force")
        assert done.code == 0, done.text()
        assert not Path(kinds.root, "src/services", name).exists()
        assert get(kinds, f"/{name}/health").status_code != 404, "routes are the applied ones"
    deployed = kinds.deploy()
    assert "deleted namespace acme-local-pods" in deployed.err
    for name in SERVICES:
        # api owns the root, so that it is the one to say that there is no such path.
        assert get(kinds, f"/{name}/health").json()["status"] == 404
    assert describe(kinds) == before
    assert find_cluster(session.aws, "acme-local") is None
    clusters = client(kinds, "ecs").describe_clusters(clusters=["acme-local"])["clusters"]
    assert [each for each in clusters if each["status"] != "INACTIVE"] == []
    assert client(kinds, "apprunner").list_services()["ServiceSummaryList"] == []
    assert client(kinds, "elbv2").describe_target_groups()["TargetGroups"] == []
    named = {role["RoleName"] for role in client(kinds, "iam").list_roles(PathPrefix="/acme/local/")["Roles"]}
    assert named == {"acme-local-api"}
    assert "no changes" in kinds.deploy().err
    assert smoke(kinds).code == 0


def test_destroyed_within_its_rights(kinds: Project, planned: range) -> None:
    """GitHub's roles, as the bootstrap made them, may make every call of it all, and little else.

    Rights that were not used are reviewed (tests/infra/unused.py); any other must go.
    """
    destroyed = kinds.run("destroy", "--env", "local", "--confirm", "local")
    assert destroyed.code == 0, destroyed.text()
    assert list_resources(partial(client, kinds), "acme", "local") == {}, "of no service that there ever was"
    calls = read_calls(kinds.calls)
    verdict = judge(calls, Place("123456789012", "eu-west-1", "acme"), "local", planned)
    assert len(planned) > 100
    assert verdict.refused == ()
    reviewed = frozenset[str]().union(*STAY.values())
    assert verdict.unused - reviewed - ROLLOUTS - LED == set(), (
        "nobody needs them, or tests/infra/unused.py must say who"
    )
    assert reviewed - verdict.allowed == set(), "they are not allowed any more"
    print(explain(verdict.unused))  # noqa: T201  (a report: pytest -rP shows it)


def test_a_service_reads_its_own_secrets_and_no_other(kinds: Project) -> None:
    """What its service.yaml names, by the one role that needs it; who names none has no right to read any."""
    given = read_given(read_calls(kinds.calls))
    readable = {
        role: {resource.rpartition("/")[2][:-7] for each in statements for resource in each.resources}
        for role, all_ in given.items()
        if (statements := [each for each in all_ if "secretsmanager:GetSecretValue" in each.actions])
    }
    reading = ("quick", "quick_exec", "runner_run", "steady_exec", "pods_pod")
    assert readable == {f"acme-local-{role}": {"token", "other"} for role in reading}
    actions = {action for each in given["acme-local-api"] for action in each.actions}
    assert actions == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }

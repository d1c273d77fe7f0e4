"""What the laptop's parts are told, and where they keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stackyard.errors import MissingError, ToolError
from stackyard.local import daemons
from stackyard.local.daemons import GATEWAY, Running
from stackyard.local.deployment import local_urls, render_deployment
from stackyard.local.layout import Layout
from stackyard.project import Target, find_target
from stackyard.tools.aws import EMULATED_KEY, aws_environment
from stackyard.tools.holding import Hold, take
from stackyard.tools.live import LiveFunction, LiveServer
from tests.unit.folder import Folder

LIVE = LiveFunction(
    name="acme-local-api",
    alias_arn="arn:aws:lambda:eu-west-1:123456789012:function:acme-local-api:live",
    version="3",
    digest="sha256:" + "0" * 64,
    memory=512,
    timeout=10,
    handler="api.lambda_handler.handler",
    environment={"SERVICE_PATH": "/"},
    concurrency=2,
    log_group="/aws/lambda/acme-local-api",
)
SERVER = LiveServer(
    name="acme-local-web",
    version="4",
    digest="sha256:" + "1" * 64,
    memory=512,
    app="web.app:app",
    environment={"SERVICE_PATH": "/web"},
    secrets={"DATABASE_URL": "arn:one"},
    log_group="/aws/ecs/acme-local-web",
)
OUTPUTS: Mapping[str, Any] = {
    "stage": "local",
    "api_id": "abc123",
    "openapi": '{"openapi": "3.0.1", "paths": {}}',
    "stage_variables": {"url_web": "web.example.com"},
    "services": {"web": {"kind": "ecs", "target": "http://balancer:12345"}},
}
ENDPOINT = "http://127.0.0.1:4566"


@pytest.fixture
def target(folder: Folder) -> Target:
    """The laptop's environment."""
    return find_target(folder.read_project(), "local")


def render(target: Target, live: LiveFunction = LIVE, keys: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return json.loads(render_deployment(target, OUTPUTS, {"api": live}, keys or [], ENDPOINT))


def test_the_gateway_is_told_what_was_applied(target: Target) -> None:
    """The API as it is deployed and the functions as they are live; nothing from the files."""
    key = {"id": "k", "name": "n", "value": "v", "enabled": True, "throttle": None, "quota": None}
    told = render(target, keys=[key])
    function = told["functions"].pop(LIVE.alias_arn)
    del told["id"]
    assert told == {
        "project": "acme",
        "stage": "local",
        "api_id": "abc123",
        "account": "123456789012",
        "region": "eu-west-1",
        "openapi": {"openapi": "3.0.1", "paths": {}},
        "stage_variables": {"url_web": "web.example.com"},
        "throttle": {"rate": 100, "burst": 200},
        "api_keys": [key],
        "aws": {"endpoint_url": ENDPOINT, "access_key_id": EMULATED_KEY, "secret_access_key": EMULATED_KEY},
        "functions": {},
        "servers": {},
    }
    assert function == {
        "service": "api",
        "name": "acme-local-api",
        "version": "3",
        "folder": "src/services/api",
        "watch": ["src/services/api", "src/servicekit"],
        "pythonpath": ["src/services/api", "src/servicekit"],
        "handler": "api.lambda_handler.handler",
        "memory": 512,
        "timeout": 10,
        "environment": {"SERVICE_PATH": "/"},
        "concurrency": 2,
        "log_group": "/aws/lambda/acme-local-api",
    }


def test_a_servers_environment_holds_what_its_platform_would_put_there(target: Target) -> None:
    """Secrets by value; found by the address that the API's body leads to."""
    told = json.loads(render_deployment(target, OUTPUTS, {"web": SERVER}, [], ENDPOINT, {"arn:one": "postgres://db"}))
    assert told["functions"] == {}
    assert told["servers"] == {
        "http://balancer:12345": {
            "service": "web",
            "kind": "ecs",
            "version": "4",
            "folder": "src/services/web",
            "watch": ["src/services/web", "src/servicekit"],
            "pythonpath": ["src/services/web", "src/servicekit"],
            "app": "web.app:app",
            "memory": 512,
            "environment": {"SERVICE_PATH": "/web", "DATABASE_URL": "postgres://db"},
            "log_group": "/aws/ecs/acme-local-web",
        }
    }


def test_the_same_deployment_has_the_same_id(target: Target) -> None:
    """The gateway swaps exactly when something changed."""
    assert render(target)["id"] == render(target)["id"]
    assert render(target)["id"] != render(target, replace(LIVE, version="4"))["id"]


def test_urls_are_shown_with_the_documentation() -> None:
    """A service at the root has no double slash; the stage's form comes last."""
    assert local_urls("http://127.0.0.1:8080/", "local", [("api", "/"), ("web", "/web")]) == [
        ("api", "http://127.0.0.1:8080/"),
        ("api docs", "http://127.0.0.1:8080/docs"),
        ("api health", "http://127.0.0.1:8080/health"),
        ("web", "http://127.0.0.1:8080/web/"),
        ("web docs", "http://127.0.0.1:8080/web/docs"),
        ("web health", "http://127.0.0.1:8080/web/health"),
        ("as on execute-api", "http://127.0.0.1:8080/local/"),
    ]


OWN = {
    "AWS_PROFILE": "mine",
    "AWS_SESSION_TOKEN": "t",
    "AWS_ENDPOINT_URL_S3": "http://elsewhere",
    "AWS_ACCESS_KEY_ID": "mine",
    "NO_PROXY": "internal",
}


def test_the_emulated_aws_sees_nothing_of_the_users_own(target: Target) -> None:
    """No profile, no token, no file, no proxy leads to a real account."""
    given = aws_environment({"PATH": "/bin", **OWN}, target, ENDPOINT)
    assert given["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & set(given)
    assert (given["AWS_ENDPOINT_URL"], given["AWS_ACCESS_KEY_ID"]) == (ENDPOINT, EMULATED_KEY)
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert given["NO_PROXY"] == "internal,127.0.0.1,localhost"
    assert given["AWS_REGION"] == "eu-west-1"


def test_the_real_aws_sees_the_users_own_in_the_targets_region(folder: Folder) -> None:
    """Credentials are the user's; the region is the environment's."""
    dev = find_target(folder.read_project(), "dev")
    given = aws_environment({**OWN, "AWS_REGION": "us-east-1"}, dev, None)
    assert given == {**OWN, "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}


def test_environments_share_no_folder(tmp_path: Path) -> None:
    """Neither state nor variables of one can meet another's."""
    layout = Layout(tmp_path)
    assert layout.stack_work("dev", "app") == tmp_path / ".stackyard/env/dev/app"
    places = {layout.stack_work(name, stack) for name in ("dev", "prod") for stack in ("app", "bootstrap")}
    assert len(places) == 4
    assert layout.environment_lock("dev") != layout.environment_lock("prod")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A checkout with a folder for what runs."""
    layout = Layout(tmp_path)
    layout.local.mkdir(parents=True)
    return layout


def held(layout: Layout) -> Hold:
    hold = take(layout.daemon_lock(GATEWAY))
    assert hold is not None
    return hold


FACTS = '{"pid": 7, "port": 8080, "url": "http://127.0.0.1:8080"}'


def test_a_daemon_is_found_by_its_lock_and_its_word(layout: Layout) -> None:
    """A file about it alone means nothing."""
    layout.daemon_facts(GATEWAY).write_text(FACTS)
    assert daemons.find_daemon(layout, GATEWAY) is None
    hold = held(layout)
    assert daemons.find_daemon(layout, GATEWAY) == Running(GATEWAY, 7, 8080, "http://127.0.0.1:8080")
    layout.daemon_facts(GATEWAY).write_text(FACTS.replace("}", ', "console": true}'), encoding="utf-8")
    found = daemons.find_daemon(layout, GATEWAY)
    assert found is not None
    assert found.console == "http://127.0.0.1:8080/_stackyard/"
    hold.release()


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"pid": "x", "port": 1, "url": ""}'])
def test_a_daemon_that_has_not_said_where_is_not_found(layout: Layout, text: str) -> None:
    """It may still be starting."""
    layout.daemon_facts(GATEWAY).write_text(text)
    hold = held(layout)
    assert daemons.find_daemon(layout, GATEWAY) is None
    hold.release()


def test_stopping_what_does_not_run_removes_its_traces(layout: Layout) -> None:
    """But not its log, which may say why."""
    for path in (layout.daemon_facts(GATEWAY), layout.released(GATEWAY), layout.daemon_log(GATEWAY)):
        path.write_text(FACTS)
    assert not daemons.stop(layout, GATEWAY)
    assert [path.name for path in layout.local.iterdir()] == ["gateway.log"]


def test_a_daemon_that_runs_already_is_not_started_again(layout: Layout) -> None:
    """Two would fight over one file."""
    hold = held(layout)
    with pytest.raises(ToolError, match="the local gateway is running already"):
        daemons.start(layout, GATEWAY, [], {}, deadline=1)
    hold.release()


def test_a_log_that_cannot_be_written_is_named(layout: Layout) -> None:
    """As on a full disk; the lock is free again."""
    layout.daemon_log(GATEWAY).mkdir()
    with pytest.raises(MissingError, match=r"cannot write gateway\.log"):
        daemons.start(layout, GATEWAY, [], {}, deadline=1)
    held(layout).release()


def test_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    """Whatever bytes it holds; none where there is no log."""
    log = tmp_path / "x.log"
    assert daemons.tail(log) == ""
    log.write_bytes(b"".join(b"%d\xff\n" % number for number in range(30)))
    assert daemons.tail(log, 2) == "28\ufffd\n29\ufffd"

"""What a running system's deploys do and cost: nothing changed, a setting, all of it taken away. One after another."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import httpx
import pytest

from stackyard.commands.session import Session
from stackyard.local.layout import Layout
from stackyard.screen import Screen
from stackyard.tools.apikeys import describe_keys
from stackyard.tools.process import SystemRunner
from stackyard.tools.terraform_binary import find_terraform
from tests.local.project import Project
from tests.waiting import until

SHOP = "https://shop.example.com"


@pytest.fixture(scope="module", autouse=True)
def counted(shared: Project) -> Path:
    """Bring it up with a Terraform in front of Terraform that notes every call, and return its notes."""
    notes = shared.root.parent / "terraform-calls"
    folder = shared.root.parent / "bin"
    folder.mkdir()
    real = " ".join(find_terraform(SystemRunner(), Layout(shared.root).cache).argv)
    (folder / "terraform").write_text(f'#!/bin/sh\necho "$@" >> {notes}\nexec {real} "$@"\n')
    (folder / "terraform").chmod(0o755)
    shared.env["PATH"] = f"{folder}:{os.environ['PATH']}"
    shared.up()
    return notes


def test_an_unchanged_deploy_is_one_plan(shared: Project, counted: Path) -> None:
    """With nothing changed: exactly one `terraform plan`, no apply, no init, no validate, no second release."""
    counted.write_text("")
    done = shared.deploy("--json")
    lines = counted.read_text().splitlines()
    calls = [next(word for word in line.split() if not word.startswith("-")) for line in lines]
    assert sorted(calls) == ["output", "plan", "version"], calls
    report = json.loads(done.out)
    assert (report["changed"], report["release"], report["healthy"]) == (False, 1, True)


def test_what_runs_can_be_seen(shared: Project) -> None:
    """One request is in the status, in the logs and, by its id, in a trace whose first line is the gateway's."""
    answer = httpx.get(f"{shared.url}/greet?name=Ann")
    found = until(
        lambda: shared.run("trace", answer.headers["x-request-id"], "--env", "local", "--json").out, "a trace"
    )
    lines = [(line["service"], line["kind"]) for line in json.loads(found)["lines"]]
    assert lines == [("gateway", "access"), ("api", "service")]
    trace = answer.headers["x-amzn-trace-id"].removeprefix("Root=")
    assert json.loads(shared.run("trace", trace, "--env", "local", "--json").out)["lines"] == json.loads(found)["lines"]
    printed = shared.run("logs", "--env", "local", "api", "--grep", "/greet").out
    assert "GET /greet 200" in printed

    done = shared.run("status", "--env", "local", "--json")
    assert done.code == 0, done.text()
    status = json.loads(done.out)
    assert [(each["name"], each["runs"], each["health"]) for each in status["services"]] == [
        ("api", "as released", "well")
    ]
    assert status["traffic"]["api"]["requests"] >= 1
    assert shared.run("open", "--what", "docs", "--print").out == f"{shared.url}/docs\n"
    console = shared.run("open", "--what", "console", "--print").out
    assert console == f"{shared.url}/_stackyard/\n"
    shown = httpx.get(f"{console.strip()}requests/{answer.headers['x-amzn-requestid']}").json()
    assert [(line["service"], line["kind"]) for line in shown["lines"]] == [("api", "service")]


def test_what_programs_read_keeps_to_its_schema(shared: Project) -> None:
    """Tasks that only look, at local without its being named; `Project.run` holds each against its schema."""
    lines = shared.run("logs", "--json", "--level", "debug").out.splitlines()
    assert {json.loads(line)["service"] for line in lines} == {"gateway", "api"}
    for task in ("releases", "cost", "doctor", "state-history", "diff"):
        done = shared.run(task, "--json")
        assert done.code == 0 or task == "doctor", done.text()
        assert done.out, done.text()
    assert json.loads(shared.run("unlock", "--env", "local", "--json").out) == {"released": []}


def test_a_changed_setting_reaches_the_running_process(shared: Project) -> None:
    """An environment variable and a second service of service.yaml reach the gateway by one deploy."""
    shared.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\nenvironment: {COLOUR: green}")
    handler = (
        "import json, os\n\n\ndef handler(event, context):\n"
        '    body = {"colour": os.environ.get("COLOUR"), "path": event["path"]}\n'
        '    return {"statusCode": 200, "body": json.dumps(body)}\n'
    )
    shared.write("src/services/tint/service.yaml", "kind: lambda\nenvironment: {COLOUR: blue}\n")
    shared.write(
        "src/services/tint/pyproject.toml", '[project]\nname = "tint"\nversion = "0"\nrequires-python = ">=3.11"\n'
    )
    shared.write("src/services/tint/tint/__init__.py", "")
    shared.write("src/services/tint/tint/lambda_handler.py", handler)
    deployed = shared.deploy()
    assert "release 2" in deployed.err
    assert httpx.get(f"{shared.url}/tint/x").json() == {"colour": "blue", "path": "/tint/x"}
    facts = json.loads((shared.root / ".stackyard/local/deployment.json").read_text())
    colours = {item["service"]: item["environment"].get("COLOUR") for item in facts["functions"].values()}
    assert colours == {"api": "green", "tint": "blue"}

    assert "no changes" in shared.deploy().err


def test_a_plan_tells_what_changes_in_the_cost(shared: Project) -> None:
    """A service resized, one added with the network it needs, one removed: all in one plan, which leaves it at that."""
    services = shared.root / "src/services"
    away = (services / "tint").rename(shared.root.parent / "tint")
    shutil.copytree(away, services / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    (services / "shop/tint").rename(services / "shop/shop")
    shared.write("src/services/shop/shop/app.py", "app = None\n")
    shared.write("src/services/shop/service.yaml", "kind: ecs\n")
    shared.change("src/services/api/service.yaml", "kind: lambda", "kind: lambda\nmemory: 2048")
    planned = shared.run("plan", "--env", "local", "--json")
    assert planned.code == 0, planned.text()
    cost = json.loads(planned.out)["cost"]
    parts = {part["name"]: (part["usd_change"], part["why"]) for part in cost["parts"]}
    assert parts["api"] == (1.34, "memory 1024 → 2048")
    assert parts["shop"] == (7.95, "new, ecs")
    assert parts["tint"] == (-2.07, "goes")
    assert "NAT gateway comes" in parts["shared"][1]
    assert cost["usd_change"] == round(sum(usd for usd, _ in parts.values()), 2)

    shutil.rmtree(services / "shop")
    away.rename(services / "tint")
    shared.change("src/services/api/service.yaml", "kind: lambda\nmemory: 2048", "kind: lambda")


def test_destroy_takes_all_of_it_away_and_a_deploy_brings_it_back(shared: Project) -> None:
    """Only with the environment's name typed; what `inv bootstrap` made stays; a key is asked for where one is due."""
    asks = "api_key: true\ncors: {origins: ['https://shop.example.com']}"
    shared.change("src/services/api/service.yaml", "kind: lambda", f"kind: lambda\n{asks}")
    assert "release 3" in shared.deploy().err
    closed = httpx.get(f"{shared.url}/greet", headers={"origin": SHOP})
    assert closed.json() == {"message": "Forbidden", "request_id": closed.headers["x-request-id"]}
    assert closed.headers["access-control-allow-origin"] == "*"
    session = Session.begin(shared.root, "local", Screen())
    deployed = json.loads((shared.root / ".stackyard/local/deployment.json").read_text())
    keys = describe_keys(session.aws, deployed["api_id"])
    answer = httpx.get(f"{shared.url}/greet", headers={"x-api-key": keys[0]["value"]})
    assert answer.json() == {"message": "Hello, World!"}
    asked = {"origin": SHOP, "access-control-request-method": "GET", "access-control-request-headers": "x-api-key"}
    for path in ("/", "/greet"):
        preflight = httpx.options(f"{shared.url}{path}", headers=asked)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, SHOP)

    seen = shared.run("destroy", "--env", "local", "--dry-run")
    assert seen.code == 0, seen.text()
    assert "to destroy" in seen.err
    refused = shared.run("destroy", "--env", "local")
    assert refused.code == 5, refused.text()
    assert "inv destroy --env local --confirm local" in refused.err
    assert httpx.get(f"{shared.url}/greet").json()["message"] == "Forbidden"

    done = shared.run("destroy", "--env", "local", "--confirm", "local", "--json")
    assert done.code == 0, done.text()
    assert json.loads(done.out)["changed"] is True
    assert httpx.get(f"{shared.url}/greet").json()["message"] == "Missing Authentication Token"
    assert {row["deployed"] for row in json.loads(shared.run("services", "--json").out)} == {"no"}
    assert shared.run("destroy", "--env", "local", "--confirm", "local").code == 0
    assert "no changes" in shared.run("bootstrap", "--env", "local").err

    assert "release 4" in shared.deploy().err
    assert httpx.get(f"{shared.url}/greet").json()["message"] == "Forbidden"

"""The editors' schemas say what the models say, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml

from stackyard.errors import StackyardError
from stackyard.schemas import FOLDER, MODELS, main, render_all, render_schema
from tests.unit.folder import PROJECT, Folder

ROOT = Path(__file__).resolve().parents[2]


def complaints(name: str, text: str) -> list[str]:
    """Return what a validator that nobody here wrote finds."""
    schema = cast("dict[str, Any]", json.loads(render_schema(MODELS[name])))
    validator = jsonschema.Draft202012Validator(schema)
    errors = cast("Any", validator).iter_errors(yaml.safe_load(text))  # jsonschema's types are incomplete
    return [cast("str", error.message) for error in errors]


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_is_a_schema(name: str) -> None:
    """By the meta-schema that it names, and every value that it describes has a description."""
    schema = cast("dict[str, Any]", json.loads(render_schema(MODELS[name])))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    parts = [schema, *cast("dict[str, dict[str, Any]]", schema["$defs"]).values()]
    assert all(each.get("description") for part in parts for each in part.get("properties", {}).values())


def test_what_the_repository_holds_is_fresh() -> None:
    """Else editors help towards what is refused, and people read what was so."""
    for name, text in render_all().items():
        assert (ROOT / FOLDER / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "row",
    [
        "| `repository` | text, `^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$` | required | At GitHub: owner/name. |",
        "| `environments.<name>.throttle.rate` | number, above 0 up to 10000 | `100` | Requests per second",
        "| `environments.<name>.protected` | `true` or `false` | `false` | Deploys ask first. |",
        "| `kind` | `lambda` `apprunner` `ecs` `eks` | required | What it runs on. |",
        "| `memory` | whole number, from 128 up to 122880 |  | MiB. Default: lambda 1024",
        "| `environment` | by name: text, names `^[A-Za-z][A-Za-z0-9_]*$` |  | Environment variables; text only. |",
        "| `overrides` | by name: `path`, `memory`, `cpu`, `timeout`, `scaling`, `rollout`, `alarms`, `environment`",
    ],
)
def test_the_page_says_what_a_key_may_hold(row: str) -> None:
    """A table has each key with its limits and default; an environment's settings are named and not said again."""
    page = render_all()["configuration.md"]
    assert any(line.startswith(row) for line in page.splitlines()), page


def test_the_page_has_every_key_once() -> None:
    """Whatever a model gains, its table gains; a name in angle brackets does not vanish as an HTML tag would."""
    lines = render_all()["configuration.md"].splitlines()
    keys = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert len(keys) == len(set(keys))
    assert {key for key in keys if "." not in key} == {name for model in MODELS.values() for name in model.model_fields}
    assert all("<" not in line.split(" | ")[3] for line in lines if line.startswith("| `"))


def test_the_shipped_files_pass() -> None:
    """The project's own, and every service's."""
    assert complaints("stackyard.schema.json", (ROOT / "stackyard.yaml").read_text(encoding="utf-8")) == []
    files = list((ROOT / "src/services").glob("*/service.yaml"))
    assert files
    for file in files:
        assert complaints("service.schema.json", file.read_text(encoding="utf-8")) == []


def test_the_shipped_files_name_their_schemas() -> None:
    """By a modeline with a path that leads there."""
    for file in [ROOT / "stackyard.yaml", *(ROOT / "src/services").glob("*/service.yaml")]:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (file.parent / first.partition("=")[2]).resolve().is_file()


SERVICE = """\
kind: lambda
path: /web
memory: 2048
timeout: 10
scaling: {max: 5}
environment: {GREETING: hello}
api_key: true
overrides:
  prod: {memory: 4096, scaling: {max: 9}, environment: {GREETING: hi}, path: /site, timeout: 9, api_key: false}
"""


def test_a_service_that_says_everything_passes_both(folder: Folder) -> None:
    """The schema refuses nothing that the model takes."""
    folder.service("web", SERVICE)
    assert folder.read_catalog("prod").entries[0].service.memory == 4096
    assert complaints("service.schema.json", SERVICE) == []


def test_a_project_that_says_everything_passes_both(folder: Folder) -> None:
    """The same for stackyard.yaml."""
    text = PROJECT.replace("region:", "owner_id: 1\nrepository_id: 2\nregion:").replace(
        "protected: true",
        "protected: true, region: us-east-1, log_retention: 90, throttle: {rate: 0.5, burst: 1}, xray: false",
    )
    text += 'previews: {account: "111111111111", max: 3, region: eu-west-1, log_retention: 1, throttle: {rate: 5}}\n'
    folder.project_yaml(text)
    assert folder.read_project().environments["prod"].throttle.rate == 0.5
    assert complaints("stackyard.schema.json", text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: lambda\n", ""),
        ("kind: lambda", "kind: ec2"),
        ("kind: lambda", "kind: lambda\nname: web"),
        ("path: /web", "path: web"),
        ("path: /web", "path: /a/b"),
        ("path: /web", "path: ''"),
        ("memory: 2048", "memory: 64"),
        ("memory: 2048", "memory: 200000"),
        ("memory: 2048", "memory: '2048'"),
        ("memory: 2048", "memory: 20.5"),
        ("memory: 2048", "memory:"),
        ("timeout: 10", "timeout: 0"),
        ("{max: 5}", "{max: 0}"),
        ("{max: 5}", "{min: 0}"),
        ("{max: 5}", "5"),
        ("{max: 5}", "{max: null}"),
        ("{GREETING: hello}", "{GREETING: 1}"),
        ("{GREETING: hello}", "{A-B: x}"),
        ("{GREETING: hello}", "[GREETING]"),
        ("api_key: true", "api_key: 1"),
        ("{memory: 4096,", "{memory: 64,"),
        ("{memory: 4096,", "{kind: lambda,"),
        ("{memory: 4096,", "{memory: null,"),
        ("{max: 9}", "{max: 0}"),
        ("{GREETING: hi}", "{A-B: x}"),
        ("path: /site", "path: site"),
    ],
)
def test_what_is_wrong_in_a_service_fails_both(folder: Folder, old: str, new: str) -> None:
    """An editor underlines what a command would refuse."""
    assert SERVICE.count(old) == 1
    text = SERVICE.replace(old, new)
    folder.service("web", text)
    with pytest.raises(StackyardError):
        folder.read_catalog()
    assert complaints("service.schema.json", text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("project: acme", "project: Acme"),
        ("project: acme\n", ""),
        ("project: acme", f"project: {'a' * 21}"),
        ("acme/platform", "acme"),
        ("eu-west-1", "narnia"),
        ('"111111111111"', "111111111111"),
        ('"111111111111"', '"1111"'),
        ('"111111111111"', "null"),
        ("  dev:", "  Dev:"),
        ("  dev:", f"  {'d' * 17}:"),
        ("protected: true", "protected: 1"),
        ("protected: true", "protcted: true"),
        ("protected: true", "log_retention: 31"),
        ("protected: true", "throttle: {rate: 0}"),
        ("protected: true", "throttle: {burst: 5001}"),
        ("region: eu-west-1", "region: eu-west-1\nowner_id: 0\nrepository_id: 1"),
        ("region: eu-west-1", "region: eu-west-1\nowner: me"),
        ("region: eu-west-1", "region: eu-west-1\npreviews: {max: 3}"),
        ("region: eu-west-1", 'region: eu-west-1\npreviews: {account: "111111111111", max: 0}'),
        ("region: eu-west-1", 'region: eu-west-1\npreviews: {account: "111111111111", protected: true}'),
        ("region: eu-west-1", "region: eu-west-1\npreviews: null"),
    ],
)
def test_what_is_wrong_in_a_project_fails_both(folder: Folder, old: str, new: str) -> None:
    """The same for stackyard.yaml."""
    assert PROJECT.count(old) == 1
    text = PROJECT.replace(old, new)
    folder.project_yaml(text)
    with pytest.raises(StackyardError):
        folder.read_project()
    assert complaints("stackyard.schema.json", text)


def test_a_stale_schema_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`nox -s lint` checks it."""
    monkeypatch.chdir(tmp_path)
    assert main(["--check"]) == 1
    assert "run: python -m stackyard.schemas" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / FOLDER / "service.schema.json").write_text("{}")
    assert main(["--check"]) == 1

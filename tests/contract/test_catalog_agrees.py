"""What Python takes from a service.yaml, Terraform takes too, and understands the same by it."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stackyard.addresses import FILE, FOLDER, find_port_clashes
from stackyard.kinds import KINDS
from stackyard.manifest import ServiceAlarms, ServiceFile, check_kind
from stackyard.models import merge
from stackyard.names import group_of
from stackyard.rendering import NewService, Templates, find_templates
from stackyard.tools.process import SystemRunner
from tests.generated import names, settings_of_services, write_yaml
from tests.terraform import ROOT, found

PROJECT = (
    'project: acme\nrepository: acme/platform\nregion: eu-west-1\nenvironments: {dev: {account: "111111111111"}}\n'
    'previews: {account: "111111111111"}\n'
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of modules/catalog, initialized."""
    module = tmp_path_factory.mktemp("catalog") / "catalog"
    shutil.copytree(ROOT / "infra/modules/catalog", module, ignore=shutil.ignore_patterns(".terraform*", "tests"))
    terraform(module, "init", "-input=false", "-no-color")
    return module


def terraform(module: Path, *arguments: str) -> str:
    binary, env = found()
    done = SystemRunner().run([*binary.argv, *arguments], cwd=module, env=env, timeout=120)
    assert done.code == 0, done.stdout + done.stderr
    return done.stdout


def read(module: Path, texts: Mapping[str, str], environment: str) -> dict[str, Any]:
    """Have Terraform read the services as one environment has them."""
    variables = {
        "project_yaml": PROJECT,
        "services_yaml": {f"{FOLDER}/{name}/{FILE}": text for name, text in texts.items()},
        "environment": environment,
        "image_digests": dict.fromkeys(texts, f"sha256:{'0' * 64}"),
    }
    (module / "terraform.tfvars.json").write_text(json.dumps(variables))
    (module / "terraform.tfstate").unlink(missing_ok=True)
    terraform(module, "apply", "-auto-approve", "-input=false", "-no-color")
    return json.loads(terraform(module, "output", "-json", "services"))


def normal(values: Mapping[str, str]) -> dict[str, str]:
    """Return texts as Terraform keeps them: composed (its language's reference, "Strings")."""
    return {name: unicodedata.normalize("NFC", text) for name, text in values.items()}


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    services=st.dictionaries(names.filter(lambda name: name != "api"), settings_of_services(), min_size=8, max_size=12),
    environment=st.sampled_from(["local", "dev", "pr-12"]),
)
def test_terraform_reads_what_python_reads(
    catalog: Path, services: dict[str, dict[str, Any]], environment: str
) -> None:
    """Any text as a value, template marks and quotes included; overrides merged alike."""
    private = [name for name, data in services.items() if KINDS[data["kind"]].private]
    for name in private if find_port_clashes(private) else ():
        del services[name]
    for data in services.values():
        assert check_kind(ServiceFile.model_validate(data)) == []
    outputs = read(catalog, {name: write_yaml(data) for name, data in services.items()}, environment)
    assert outputs.keys() == services.keys()
    for name, data in services.items():
        group, output = group_of(environment), outputs[name]
        merged = merge(data, data.get("overrides", {}).get(group, {}))
        assert output["environment"] == normal(merged["environment"])  # pyright: ignore[reportArgumentType]  (text, as made)
        assert output["secrets"] == {key: f"acme/{group}/{value}" for key, value in data["secrets"].items()}
        wanted = ServiceFile.model_validate(merged).cors
        told = output["settings"].get("SERVICE_CORS")
        assert (json.loads(told) if told else None) == (wanted.model_dump() if wanted.origins else None)
        auth = ServiceFile.model_validate(merged).auth
        told = output["settings"].get("SERVICE_AUTH")
        assert (json.loads(told) if told else None) == (auth.model_dump() if auth.jwt.issuer else None)
        assert output["rollout"].items() >= data.get("rollout", {}).items()
        assert output["alarms"] == ServiceAlarms(**data.get("alarms", {})).model_dump()
        for key in ("kind", "memory", "cpu", "timeout", "api_key"):
            assert output[key] == merged.get(key, output[key]), key


def test_terraform_reads_what_add_service_renders(catalog: Path) -> None:
    """Every kind and every template, with paths and keys."""
    templates, texts = Templates(), dict[str, str]()
    for kind in KINDS.values():
        for template in find_templates():
            name = f"{kind.name}-{template}"
            texts[name] = templates.render(NewService(name, kind, f"/{kind.name}_{template}", template, api_key=True))[
                FILE
            ]
    outputs = read(catalog, texts, "local")
    for kind in KINDS.values():
        output = outputs[f"{kind.name}-page"]
        assert (output["kind"], output["path"], output["api_key"]) == (kind.name, f"/{kind.name}_page", True)
        assert (output["memory"], output["cpu"]) == (kind.memory, kind.cpu)
        assert output["environment"] == {"HEADLINE": "Hello"}
        assert output["example"] == "/?name=World"

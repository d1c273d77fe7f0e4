"""Build, push and deploy by digest: real docker, a real registry, real Terraform, the embedded AWS."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stackyard.bake import Registry
from stackyard.commands.session import Session
from stackyard.images import manifest_digest
from stackyard.screen import Screen
from stackyard.tools.process import SystemRunner
from stackyard.tools.registry import find_manifest
from tests.images.engine import ROOT
from tests.local.project import Done, Project, copy_project, find_uv, free_port, install

SERVICES = ("api", "web", "worker")
CODE = "src/services/api/api/app.py"
KIT = "src/servicekit/servicekit/paths.py"


@pytest.fixture(scope="module")
def project(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project of the test's own with the three services, up, its images in a repository of its own."""
    root = tmp_path_factory.mktemp("push") / "project"
    copy_project(root)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy2(ROOT / name, root / name)
    install(root)
    env = {"UV": find_uv(), "STACKYARD_REGISTRY": registry}
    made = Project(root, root / ".venv/bin/inv", free_port(), env)
    made.change("stackyard.yaml", "project: acme", f"project: t{uuid.uuid4().hex[:8]}")
    try:
        made.up()
        yield made
    finally:
        made.run("down")


def push(project: Project, *arguments: str) -> dict[str, dict[str, str]]:
    """Push, and return what is said of each service."""
    done = project.run("docker-push", "--env", "local", "--json", *arguments)
    assert done.code == 0, done.text()
    return {image["service"]: image for image in json.loads(done.out)}


def deployed(project: Project) -> dict[str, str]:
    """Return the digest of each service as Terraform left it in the embedded AWS."""
    session = Session(project.root, "local", Screen(), SystemRunner())
    found: dict[str, str] = {}
    for name in ("api", "worker"):
        function = session.aws.client("lambda").get_function(FunctionName=session.target.resource_name(name))
        found[name] = function["Code"]["ImageUri"].partition("@")[2]
    ecs = session.aws.client("ecs")
    [service] = ecs.describe_services(
        cluster=session.target.resource_name(), services=[session.target.resource_name("web")]
    )["services"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    found["web"] = task["containerDefinitions"][0]["image"].partition("@")[2]
    return found


def where(project: Project) -> Registry:
    session = Session(project.root, "local", Screen(), SystemRunner())
    return Registry(project.env["STACKYARD_REGISTRY"], session.target.image_repository, plain=True)


def manifest(project: Project, tag: str) -> Mapping[str, Any]:
    """Return an image's manifest, and insist that it is an image's."""
    text = find_manifest(where(project), tag)
    assert text is not None
    assert "manifests" not in json.loads(text)
    return {**json.loads(text), "digest": manifest_digest(text)}


def layers(project: Project, tag: str) -> dict[str, int]:
    """Return an image's layers: bytes by digest."""
    return {layer["digest"]: layer["size"] for layer in manifest(project, tag)["layers"]}


def built(done: Done) -> bool:
    return "▸ build" in done.err


def test_what_was_pushed_is_what_terraform_deployed(project: Project) -> None:
    """By digest: in the registry, in the embedded ECR, in each function and task. No image is an index."""
    images = push(project)
    assert {name: image["state"] for name, image in images.items()} == dict.fromkeys(SERVICES, "there")
    pushed = {name: image["digest"] for name, image in images.items()}
    assert {name: manifest(project, image["tag"])["digest"] for name, image in images.items()} == pushed
    assert deployed(project) == pushed


def test_nothing_changed_is_nothing_done(project: Project) -> None:
    """No build, no push, no apply."""
    done = project.deploy()
    assert not built(done)
    assert "3 images there already" in done.err
    assert "no changes" in done.err
    assert "▸ apply" not in done.err
    assert "nothing changed since release" in done.err


def test_one_line_is_one_small_layer_of_one_service(project: Project) -> None:
    """Only that image is built, its changed layer is under 100 kB, and the deploy touches that service alone."""
    before = push(project)
    project.write(CODE, (project.root / CODE).read_text(encoding="utf-8") + "# changed\n")
    assert {name for name, image in push(project, "--dry-run").items() if image["state"] == "missing"} == {"api"}
    done = project.deploy()
    after = push(project)
    assert {name for name in SERVICES if before[name] != after[name]} == {"api"}
    new = layers(project, after["api"]["tag"]).items() - layers(project, before["api"]["tag"]).items()
    assert len(new) == 1
    assert sum(size for _, size in new) < 100_000
    changed = [
        line.split()[1].rstrip(":") for line in done.err.splitlines() if line.strip().startswith(("~", "+", "-"))
    ]
    assert set(changed) == {"api"}, done.text()
    assert deployed(project) == {name: image["digest"] for name, image in after.items()}


def test_a_shared_library_is_all_that_draw_it_in(project: Project) -> None:
    """Those and no more; one bake for all, and one service's if only that is asked for."""
    project.write(
        "src/words/pyproject.toml",
        '[project]\nname = "words"\nversion = "1"\nrequires-python = ">=3.11"\n'
        '[build-system]\nrequires = ["uv_build>=0.9,<1"]\nbuild-backend = "uv_build"\n'
        '[tool.uv.build-backend]\nmodule-root = ""\n',
    )
    project.write("src/words/words/__init__.py", "HELLO = 1\n")
    project.change("pyproject.toml", '"src/services/*"]', '"src/services/*", "src/words"]')
    done = SystemRunner().run(
        [find_uv(), "add", "--quiet", "--no-sync", "--package", "worker", "words"], cwd=project.root
    )
    assert done.code == 0, done.stderr
    project.deploy()
    before = push(project)
    project.write("src/words/words/__init__.py", "HELLO = 2\n")
    assert {name for name, image in push(project).items() if image["state"] == "pushed"} == {"worker"}
    project.write(KIT, (project.root / KIT).read_text(encoding="utf-8") + "# changed\n")
    assert {name for name, image in push(project, "--service", "web").items() if image["state"] == "pushed"} == {"web"}
    after = push(project)
    assert {name for name, image in after.items() if image["state"] == "pushed"} == {"api", "worker"}
    assert not {image["digest"] for image in before.values()} & {image["digest"] for image in after.values()}


def test_a_failed_build_ends_with_its_steps_last_lines(project: Project) -> None:
    """Exit code 4, docker's words, then the cause and the command; nothing is deployed."""
    before = deployed(project)
    dockerfile = (project.root / "Dockerfile").read_text(encoding="utf-8")
    project.change("Dockerfile", "COPY src src\n", "COPY src src\nRUN echo this went wrong && false\n")
    try:
        done = project.run("deploy", "--env", "local")
    finally:
        project.write("Dockerfile", dockerfile)
    assert done.code == 4, done.text()
    assert "this went wrong" in done.err
    assert "error: the images could not be built: target " in done.err
    assert done.err.splitlines()[-1].strip() == "run: inv deploy --env local"
    assert deployed(project) == before


def test_without_a_registry_nothing_is_built(project: Project) -> None:
    """What stands for an image has a tag of its own; what was built before is taken. A push says what to type."""
    project.write(CODE, (project.root / CODE).read_text(encoding="utf-8") + "# once more\n")
    refused = project.run("docker-push", "--env", "local", STACKYARD_REGISTRY="")
    assert refused.code == 3, refused.text()
    assert "docker run --detach" in refused.err
    done = project.run("deploy", "--env", "local", STACKYARD_REGISTRY="")
    assert done.code == 0, done.text()
    assert not built(done)
    assert "-unbuilt" in done.err
    assert push(project, "--dry-run", "--service", "api")["api"]["state"] == "missing"

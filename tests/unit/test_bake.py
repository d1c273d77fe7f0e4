"""How images are built: what bake is told, what is asked of docker, and what a failed build says."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from stackyard.bake import Pushed, Registry, base_image, find_registry, find_secrets, judge_push, render_bake
from stackyard.commands.build import check_saved
from stackyard.commands.docker_push import docker_push
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError, RefusedError, ToolError
from stackyard.images import BASE_IMAGE, Image, is_index, manifest_digest, render_manifest
from stackyard.project import find_target
from stackyard.testing import Printed, ScriptedRunner
from stackyard.tools.buildprogress import BuildProgress
from stackyard.tools.buildx import Bakery, check_engine, copy_image, log_in, read_digests
from stackyard.tools.git import Revision
from tests.unit.folder import Folder

API = Image("api", "api-1111111111111111", "linux/arm64", "lambda")
WEB = Image("web", "web-2222222222222222", "linux/amd64", "server")
ECR = Registry("111111111111.dkr.ecr.eu-west-1.amazonaws.com", "acme")
DIGEST = "sha256:" + "a" * 64


def test_one_bake_file_builds_all() -> None:
    """Each service with its own target, platform and argument, pushed under its tag."""
    baked = json.loads(render_bake([API, WEB], ECR, "python:3.14", {"uv.toml": "/some/uv.toml"}))
    assert baked["group"]["default"]["targets"] == ["api", "web"]
    assert baked["target"]["api"] == {
        "context": ".",
        "dockerfile": "Dockerfile",
        "target": "lambda",
        "platforms": ["linux/arm64"],
        "args": {"SERVICE": "api", "BASE_IMAGE": "python:3.14"},
        "tags": ["111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme:api-1111111111111111"],
        "output": ["type=registry"],
        "secret": ["id=uv.toml,src=/some/uv.toml"],
    }
    assert (baked["target"]["web"]["target"], baked["target"]["web"]["platforms"]) == ("server", ["linux/amd64"])


def test_a_value_is_no_template() -> None:
    """Bake would fill in what stands between braces."""
    baked = json.loads(render_bake([API], ECR, "${BASE}", {"uv.toml": "/%{if}/uv.toml"}))
    assert baked["target"]["api"]["args"]["BASE_IMAGE"] == "$${BASE}"
    assert baked["target"]["api"]["secret"] == ["id=uv.toml,src=/%%{if}/uv.toml"]


def test_the_tools_own_variables_lead_to_an_own_index() -> None:
    """What uv and pip are told here, they are told in the build, as a secret."""
    assert find_secrets({"UV_CONFIG_FILE": "/a/uv.toml", "PIP_CONFIG_FILE": ""}) == {"uv.toml": "/a/uv.toml"}
    assert base_image({}) == BASE_IMAGE
    assert base_image({"STACKYARD_BASE_IMAGE": "mine"}) == "mine"


def test_where_images_are_pushed_to(folder: Folder) -> None:
    """To the account's ECR, whatever the variable says; for the laptop only to a registry that is named."""
    project = folder.read_project()
    dev, local = find_target(project, "dev"), find_target(project, "local")
    named = {"STACKYARD_REGISTRY": "127.0.0.1:5000"}
    assert find_registry(dev, named) == ECR
    assert ECR.address.startswith("https://")
    assert find_registry(local, {}) is None
    plain = find_registry(local, named)
    assert plain is not None
    assert plain == Registry("127.0.0.1:5000", "acme", plain=True)
    assert (plain.address, plain.reference("x")) == ("http://127.0.0.1:5000", "127.0.0.1:5000/acme:x")
    with pytest.raises(ConfigError, match=re.escape("host:port is wanted")):
        find_registry(local, {"STACKYARD_REGISTRY": "http://127.0.0.1:5000/"})


DOCKER = {"docker": "/usr/bin/docker"}


OTHER = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("built", "found", "digests", "others", "missing"),
    [
        pytest.param({"api": DIGEST}, {API.tag: DIGEST}, {"api": DIGEST}, (), (WEB,), id="ours"),
        pytest.param({"api": DIGEST}, {API.tag: OTHER}, {"api": OTHER}, (API.tag,), (WEB,), id="replaced"),
        pytest.param({}, {WEB.tag: OTHER}, {"web": OTHER}, (WEB.tag,), (API,), id="refused"),
        pytest.param({}, {}, {}, (), (API, WEB), id="nothing"),
    ],
)
def test_what_the_registry_has_is_what_is_deployed(
    built: dict[str, str], found: dict[str, str], digests: dict[str, str], others: tuple[str], missing: tuple[Image]
) -> None:
    """Whoever pushed it: a tag stands for all that goes in."""
    assert judge_push([API, WEB], built, found) == Pushed(digests, others, missing)


@pytest.mark.parametrize(
    ("programs", "codes", "said"),
    [
        ({}, [], "docker: it is not on PATH"),
        (DOCKER, [1], "docker: no engine answers"),
        (DOCKER, [0, 1], "docker: it has no buildx"),
    ],
)
def test_what_lacks_for_a_build_is_named(programs: dict[str, str], codes: list[int], said: str) -> None:
    """With the way around it: a machine that has docker can push for this one."""
    with ScriptedRunner(programs) as runner:
        for argv, code in zip((("docker", "version", ...), ("docker", "buildx", "version")), codes, strict=False):
            runner.expect(*argv, code=code, stderr="Cannot connect to the Docker daemon\n")
        with pytest.raises(MissingError, match=said) as caught:
            check_engine(runner)
    assert "inv docker-push" in caught.value.fix
    assert caught.value.command


def test_an_engine_that_is_there_is_named(runner: ScriptedRunner) -> None:
    """With the version of its plugin, as two builds of docker word it."""
    runner.programs = DOCKER
    for said, version in (("github.com/docker/buildx v0.29.1 a32761a", "0.29.1"), ("github.com/docker/buildx", "?")):
        runner.expect("docker", "version", ..., stdout="27.0\n").expect("docker", "buildx", "version", stdout=said)
        assert check_engine(runner) == f"engine 27.0, buildx {version}"


def test_a_password_never_is_an_argument(runner: ScriptedRunner) -> None:
    """Arguments can be read by everybody on the machine."""
    runner.expect("docker", "login", "--username", "AWS", "--password-stdin", "registry.example")
    log_in(runner, "registry.example", "AWS", "hunter2")
    assert runner.calls[0].stdin == "hunter2"
    runner.expect("docker", "login", ..., code=1, stderr="Error response: denied\n")
    with pytest.raises(ToolError, match="Error response: denied") as caught:
        log_in(runner, "registry.example", "AWS", "hunter2")
    assert "hunter2" not in f"{caught.value} {caught.value.command} {caught.value.detail}"


def test_a_copy_stays_the_image_that_it_is(runner: ScriptedRunner) -> None:
    """An index around it would have another digest, and Lambda takes none."""
    source, destination = f"one.example/acme@{DIGEST}", "two.example/acme:api-1"
    runner.expect(*("docker", "buildx", "imagetools", "create", "--prefer-index=false", "--tag", destination, source))
    copy_image(runner, source, destination)


SUCCESS = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 4.69kB done
#1 DONE 0.0s

#7 [api third-party 2/2] RUN --mount=type=cache,target=/cache/uv uv pip install
#7 DONE 4.2s

#8 [web uv 2/3] RUN python -m pip install
#8 CACHED

#9 [api] pushing layers
#9 pushing layers 1.3s done
#9 DONE 1.3s
"""

FAILURE = """\
#12 [api lists 4/4] RUN uv export -q --frozen --package api
#13 [web own 1/1] RUN uv pip install
#12 0.412 error: package api
#12 ...

#13 [web own 1/1] RUN uv pip install
#13 0.400 fine

#12 [api lists 4/4] RUN uv export -q --frozen --package api
#12 0.413   is not locked
#12 ERROR: process "/bin/sh -c uv export" did not complete successfully: exit code: 2
#13 CANCELED
------
 > [api lists 4/4] RUN uv export -q --frozen --package api:
0.412 error: package api
------
Dockerfile:27
ERROR: target api: failed to solve: process "/bin/sh -c uv export" did not complete successfully: exit code: 2
"""


def test_a_step_that_took_its_time_is_one_line() -> None:
    """A build prints hundreds of lines; those that waited want to know where the time went."""
    progress = BuildProgress()
    told = [said for line in SUCCESS.splitlines() if (said := progress.feed(line))]
    assert told == ["api third-party 2/2: 4.2 s", "api: 1.3 s"]
    assert progress.failure() == ""


def test_a_failed_build_ends_with_what_the_step_said(runner: ScriptedRunner, tmp_path: Path) -> None:
    """That step's last lines, not the ones of the steps beside it; the cause; the task to type again."""
    runner.expect("docker", "buildx", "bake", "--file", ..., stderr=FAILURE, code=1)
    bakery = Bakery(runner, tmp_path, tmp_path / "work", "inv docker-push --env dev --service api")
    with pytest.raises(ToolError) as caught:
        bakery.bake("{}", lambda _: None)
    assert caught.value.detail.splitlines() == [
        "[api lists 4/4] RUN uv export -q --frozen --package api",
        "0.412 error: package api",
        "0.413   is not locked",
        'ERROR: process "/bin/sh -c uv export" did not complete successfully: exit code: 2',
    ]
    assert caught.value.why.startswith("target api: failed to solve")
    assert caught.value.command == "inv docker-push --env dev --service api"
    assert (tmp_path / "work/build.log").read_text(encoding="utf-8") == FAILURE


def test_digests_are_what_docker_noted(tmp_path: Path) -> None:
    """By target; what else it notes is left aside."""
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps({"api": {"containerimage.digest": DIGEST}, "buildx.build.warnings": [], "web": {}}))
    assert read_digests(file) == {"api": DIGEST}
    with pytest.raises(ToolError, match="noted no digests"):
        read_digests(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("manifest", "index"),
    [
        ('{"schemaVersion": 2, "manifests": []}', True),
        ('{"schemaVersion": 2, "layers": []}', False),
        ("[]", False),
        ("no JSON", False),
    ],
)
def test_an_image_index_is_told_by_what_it_lists(manifest: str, *, index: bool) -> None:
    """The media type may be absent from an OCI manifest; `manifests` may not be from an index."""
    assert is_index(manifest) == index


def test_a_stand_in_manifest_has_a_digest_of_its_own() -> None:
    """It is a valid single-platform manifest whose digest changes exactly with the image."""
    image = Image("web", "web-0123456789abcdef", "linux/arm64", "lambda")
    manifest = render_manifest(image)
    data = json.loads(manifest)
    assert (data["schemaVersion"], data["layers"]) == (2, [])
    assert data["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert manifest_digest(manifest) == f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    assert render_manifest(image) == manifest
    assert render_manifest(Image("web", "web-other", "linux/arm64", "lambda")) != manifest


CLEAN = Revision("c0ffee", dirty=False)
DIRTY = Revision("c0ffee", dirty=True, changed=("src/services/api/api/app.py", "docs/index.md"))


@pytest.mark.parametrize(
    ("environment", "revision", "allowed"),
    [
        ("local", DIRTY, True),
        ("dev", DIRTY, True),
        ("prod", CLEAN, True),
        ("prod", Revision("c0ffee", dirty=True, changed=("docs/index.md",)), True),
        ("prod", DIRTY, False),
        ("prod", None, False),
    ],
)
def test_a_protected_environment_wants_commits(
    folder: Folder,
    printed: Printed,
    runner: ScriptedRunner,
    environment: str,
    revision: Revision | None,
    *,
    allowed: bool,
) -> None:
    """Of what is built and deployed; the flag lets it pass."""
    session = Session(folder.root, environment, printed.screen, runner)
    check_saved(session, revision, allow_dirty=True)
    if allowed:
        check_saved(session, revision, allow_dirty=False)
        return
    with pytest.raises(RefusedError, match="working tree is not committed") as caught:
        check_saved(session, revision, allow_dirty=False)
    assert "--allow-dirty" in caught.value.fix


def test_a_service_that_there_is_not_is_named(folder: Folder, printed: Printed, runner: ScriptedRunner) -> None:
    """Before anything is asked."""
    folder.service("api")
    with pytest.raises(ConfigError, match="there is no service shop: src/services has api"):
        docker_push(Session(folder.root, "dev", printed.screen, runner), ["shop"])

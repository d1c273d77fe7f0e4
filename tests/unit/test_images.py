"""An image's tag changes with everything that goes into the image, and with nothing else."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stackyard.commands.observe import check_extras, wanted_images
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError
from stackyard.images import (
    BASE_IMAGE,
    locked_share,
    own_folders,
    plan_images,
)
from stackyard.kinds import KINDS, manifests
from stackyard.testing import Printed, ScriptedRunner
from stackyard.tools.tree import LEFT_OUT, SETTINGS, hash_files, read_lock
from tests.unit.folder import UV_BUILD, Folder

ROOT = Path(__file__).parents[2]

LOCK = """\
[[package]]
name = "web"
version = "0.1.0"
source = { editable = "src/services/web" }
dependencies = [{ name = "fastapi" }, { name = "uvicorn", extra = ["standard"] }, { name = "servicekit" }]

[package.optional-dependencies]
debug = [{ name = "debugger" }]

[package.dev-dependencies]
test = [{ name = "pytest" }]

[[package]]
name = "worker"
version = "0.1.0"
source = { editable = "src/services/worker" }
dependencies = [{ name = "fastapi", extra = ["all"] }, { name = "servicekit" }, { name = "words" }]

[[package]]
name = "words"
version = "0.1.0"
source = { editable = "src/words" }

[[package]]
name = "servicekit"
version = "0.1.0"
source = { editable = "src/servicekit" }
dependencies = [{ name = "mangum", marker = "sys_platform != 'win32'" }]

[[package]]
name = "fastapi"
version = "1.0"
sdist = { hash = "sha256:f0" }
wheels = [{ hash = "sha256:f2" }, { hash = "sha256:f1" }]
dependencies = [{ name = "starlette" }]

[package.optional-dependencies]
all = [{ name = "jinja" }]

[[package]]
name = "starlette"
version = "2.0"
wheels = [{ hash = "sha256:s" }]
dependencies = [{ name = "fastapi" }]

[[package]]
name = "uvicorn"
version = "3.0"
wheels = [{ hash = "sha256:u" }]

[package.optional-dependencies]
standard = [{ name = "httptools" }]

[[package]]
name = "httptools"
version = "4.0"
wheels = [{ hash = "sha256:h" }]

[[package]]
name = "mangum"
version = "5.0"
wheels = [{ hash = "sha256:m5" }]

[[package]]
name = "mangum"
version = "6.0"
wheels = [{ hash = "sha256:m6" }]

[[package]]
name = "jinja"
version = "7.0"
wheels = [{ hash = "sha256:j" }]

[[package]]
name = "pytest"
version = "8.0"
wheels = [{ hash = "sha256:p" }]

[[package]]
name = "debugger"
version = "9.0"
wheels = [{ hash = "sha256:d" }]
"""


@pytest.fixture
def places(folder: Folder) -> Folder:
    """A project of two services with all that goes into an image."""
    folder.service("web")
    folder.service("worker")
    folder.write("src/services/web/web/app.py", "x = 1\n")
    folder.write("src/words/pyproject.toml", f'[project]\nname = "words"\nreadme = "README.md"\n{UV_BUILD}')
    folder.write("src/words/words/__init__.py", "x = 1\n")
    folder.write("src/servicekit/pyproject.toml", f'[project]\nname = "servicekit"\n{UV_BUILD}')
    folder.write("src/services/web/tests/test_web.py", "")
    folder.write("src/servicekit/servicekit/app.py", "x = 1\n")
    folder.write("Dockerfile", "FROM scratch\n")
    folder.write("uv.lock", LOCK)
    return folder


def wanted(folder: Folder, printed: Printed, environment: str = "local") -> dict[str, str]:
    session = Session(folder.root, environment, printed.screen, ScriptedRunner())
    return {image.service: image.tag for image in wanted_images(session)}


def append(name: str, text: str = "# changed\n") -> Callable[[Path], None]:
    """Change a file below the root."""

    def change(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Replace text of a file below the root."""

    def change(root: Path) -> None:
        text = (root / name).read_text(encoding="utf-8")
        assert old in text
        (root / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


pin = partial(edit, "uv.lock")

CODE = "src/services/web/web/app.py"
PYPROJECT = "src/services/web/pyproject.toml"
CHANGES: list[tuple[str, Callable[[Path], object], set[str]]] = [
    ("its code", append(CODE), {"web"}),
    ("its version", edit(PYPROJECT, "[project]", '[project]\nversion = "2"'), {"web"}),
    ("its dependencies", edit(PYPROJECT, "[project]", '[project]\ndependencies = ["fastapi"]'), {"web"}),
    ("how it is built", edit(PYPROJECT, "<1", "<2"), {"web"}),
    ("another backend", edit(PYPROJECT, '"uv_build"', '"hatchling.build"'), {"web"}),
    ("a pyproject that cannot be read", append(PYPROJECT, "= nothing"), {"web"}),
    ("a comment in its pyproject", append(PYPROJECT), set()),
    ("what its tests need", append(PYPROJECT, '[dependency-groups]\ntest = ["pytest"]\n'), set()),
    ("a tool's settings", append(PYPROJECT, "[tool.ruff]\nline-length = 100\n"), set()),
    ("a new file of its own", append("src/services/web/web/data/words.txt"), {"web"}),
    ("a file taken away", lambda root: (root / CODE).rename(root / "elsewhere"), {"web"}),
    ("a file that can be run now", lambda root: (root / CODE).chmod(0o755), {"web"}),
    ("a page that it serves", append("src/services/web/web/pages/README.md"), {"web"}),
    ("data that is called as the settings are", append("src/services/web/web/service.yaml"), {"web"}),
    ("another package of the project's own", append("src/words/words/__init__.py"), {"worker"}),
    ("the README that a package names", append("src/words/README.md"), {"worker"}),
    ("a renamed file", lambda root: (root / CODE).rename(root / "src/services/web/web/other.py"), {"web"}),
    ("servicekit", append("src/servicekit/servicekit/app.py"), {"web", "worker"}),
    ("the Dockerfile", append("Dockerfile"), {"web", "worker"}),
    ("a pin of its own", pin("sha256:h", "sha256:h2"), {"web"}),
    ("a version of its own", pin('version = "4.0"', 'version = "4.1"'), {"web"}),
    ("a pin of an extra of another", pin("sha256:j", "sha256:j2"), {"worker"}),
    ("a pin of both", pin("sha256:s", "sha256:s2"), {"web", "worker"}),
    ("servicekit's dependencies", pin('name = "mangum", marker', 'name = "starlette", marker'), {"web", "worker"}),
    ("a pin that a marker chooses", pin("sha256:m5", "sha256:m7"), {"web", "worker"}),
    ("a pin of a test's package", pin("sha256:p", "sha256:p2"), set()),
    ("the settings", append("src/services/web/service.yaml"), set()),
    ("its README", append("src/services/web/README.md"), set()),
    ("what lies beside its package", append("src/services/web/notes/plan.md"), set()),
    ("tests in its package", append("src/services/web/web/tests/test_app.py"), set()),
    ("a secret that was left there", append("src/services/web/web/.env.local"), set()),
    ("servicekit's tests", append("src/servicekit/tests/test_app.py"), set()),
    ("its tests", append("src/services/web/tests/test_web.py"), set()),
    ("bytecode", append("src/services/web/web/__pycache__/app.cpython-314.pyc"), set()),
    ("infra", append("infra/app/main.tf"), set()),
    ("the project's settings", append("stackyard.yaml"), set()),
    ("a file read again", lambda root: (root / CODE).touch(), set()),
    ("a link that an editor left", lambda root: (root / "src/services/web/tests/.#x").symlink_to("me@there.1"), set()),
]


@pytest.mark.parametrize(("change", "affected"), [pytest.param(change, who, id=name) for name, change, who in CHANGES])
def test_a_tag_changes_with(
    places: Folder, printed: Printed, change: Callable[[Path], object], affected: set[str]
) -> None:
    """Each change reaches the services whose images it goes into."""
    before = wanted(places, printed)
    change(places.root)
    after = wanted(places, printed)
    assert {name for name in before if before[name] != after[name]} == affected


def test_a_tag_is_the_same_in_every_checkout(places: Folder, printed: Printed) -> None:
    """It is made of what the files hold, not of where they lie; ECR takes it as it is."""
    before = wanted(places, printed)
    places.root = places.root.rename(places.root.with_name("elsewhere"))
    assert wanted(places, printed) == before
    assert all(re.fullmatch(r"(web|worker)-[0-9a-f]{16}", tag) for tag in before.values())


def test_a_tag_changes_with_the_platform_and_the_target(places: Folder) -> None:
    """The same sources on another processor are another image."""
    entries = places.read_catalog().entries[:1]

    def tag(platform: str, target: str) -> str:
        kind = replace(KINDS["lambda"], image_target=target, platform=platform)
        [image] = plan_images(entries, {"web": {}}, {}, lock(), {"lambda": kind})
        assert (image.platform, image.target) == (platform, target)
        return image.tag

    assert len({tag("linux/arm64", "lambda"), tag("linux/amd64", "lambda"), tag("linux/arm64", "server")}) == 3


def lock() -> dict[str, Any]:
    return tomllib.loads(LOCK)


def test_a_package_draws_in_what_it_needs_and_the_extras_that_are_asked_for() -> None:
    """Every version that a marker may choose, with sorted hashes; no tests' packages, no extras of others."""
    assert locked_share(lock(), "web") == [
        "fastapi==1.0 sha256:f0 sha256:f1 sha256:f2",
        "httptools==4.0 sha256:h",
        "mangum==5.0 sha256:m5",
        "mangum==6.0 sha256:m6",
        "starlette==2.0 sha256:s",
        "uvicorn==3.0 sha256:u",
    ]
    assert "jinja==7.0 sha256:j" in locked_share(lock(), "worker")


def test_the_order_in_the_lock_does_not_matter() -> None:
    """It is sorted by uv, but not by who merges lock files."""
    turned = lock()
    turned["package"].reverse()
    assert locked_share(turned, "web") == locked_share(lock(), "web")


def test_a_service_that_the_lock_does_not_know_is_refused_by_a_real_account(places: Folder, printed: Printed) -> None:
    """A tag without any pins would say that nothing changed when all of them did; the laptop can wait for the lock."""
    places.service("shop")
    assert set(wanted(places, printed)) == {"shop", "web", "worker"}
    with pytest.raises(MissingError, match="it has no package shop") as caught:
        wanted(places, printed, "dev")
    assert caught.value.command == "uv lock"


def test_docker_is_sent_nothing_that_no_tag_knows_of() -> None:
    """What hashes leave out by name, `.dockerignore` leaves out too, and nothing else that may be in a package."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    everywhere = {line.removeprefix("**/") for line in lines if line.startswith("**/")}
    rest = {line for line in lines if line and not line.startswith(("#", "**/"))}
    assert everywhere == set(LEFT_OUT)
    assert rest == {"*", "!pyproject.toml", "!uv.lock", "!src", "src/stackyard", f"src/services/*/{SETTINGS}"}


AUTH = "auth: {jwt: {issuer: 'https://id.example.com', audience: [shop]}}\n"


@pytest.mark.parametrize(
    ("settings", "lacking"),
    [
        ("kind: ecs\n", None),
        ("kind: ecs\nsecrets: {TOKEN: token}\n", None),
        ("kind: lambda\n", "servicekit[lambda]; a service of kind lambda needs that"),
        ("kind: eks\nsecrets: {TOKEN: token}\n", "servicekit[secrets]; a service of kind eks with secrets needs that"),
        (f"kind: ecs\n{AUTH}", "servicekit[jwt]; a service of kind ecs with `auth` needs that"),
        (
            f"kind: eks\nsecrets: {{TOKEN: token}}\n{AUTH}",
            "servicekit[secrets,jwt]; a service of kind eks with secrets and `auth` needs that",
        ),
    ],
)
def test_an_image_that_could_not_start_is_refused(places: Folder, settings: str, lacking: str | None) -> None:
    """The laptop has every extra; an image has what its package asks for, which another kind or a secret changes."""
    places.service("web", settings)
    entries = [entry for entry in places.read_catalog().entries if entry.name == "web"]
    if lacking is None:
        check_extras(entries, lock())
        return
    with pytest.raises(ConfigError, match=re.escape(lacking)) as caught:
        check_extras(entries, lock())
    assert caught.value.what == "src/services/web/pyproject.toml"
    assert shlex.split(caught.value.command) == ["uv", "add", "--package", "web", lacking.partition(";")[0]]


def test_the_own_packages_that_are_drawn_in() -> None:
    """A service's folder and those of the workspace's packages that it needs; none for one that is not locked."""
    assert own_folders(lock(), "worker") == ["src/servicekit", "src/services/worker", "src/words"]
    assert own_folders(lock(), "shop") == []


def test_a_link_that_leads_nowhere_and_a_pipe_are_no_content(tmp_path: Path) -> None:
    """Neither ends a deploy, nor hangs it."""
    (tmp_path / ".#app.py").symlink_to("me@there.1")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "app.py").write_text("x")
    assert set(hash_files(tmp_path, ["."])) == {".#app.py", "pipe", "app.py"}


def test_a_place_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    """The Dockerfile is optional until images are built."""
    assert hash_files(tmp_path, ["Dockerfile", "src/none"]) == {}


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, MissingError), (b"not = [toml", ConfigError), (b"\xff", ConfigError)],
    ids=["missing", "broken", "not UTF-8"],
)
def test_a_lock_that_cannot_be_read_says_how_to_make_it(
    tmp_path: Path, content: bytes | None, error: type[ConfigError | MissingError]
) -> None:
    """The command is the same for all."""
    if content is not None:
        (tmp_path / "uv.lock").write_bytes(content)
    with pytest.raises(error) as caught:
        read_lock(tmp_path, tmp_path / "cache")
    assert caught.value.command == "uv lock"
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("kind", "platform", "target"),
    [
        ("lambda", "linux/arm64", "lambda"),
        ("apprunner", "linux/amd64", "server"),
        ("ecs", "linux/arm64", "server"),
        ("eks", "linux/arm64", "server"),
    ],
)
def test_a_kind_says_what_its_image_is_built_for(places: Folder, kind: str, platform: str, target: str) -> None:
    """App Runner runs nothing but amd64."""
    places.service("web", f"kind: {kind}\n")
    entries = [entry for entry in places.read_catalog().entries if entry.name == "web"]
    [image] = plan_images(entries, {"web": {}}, {}, lock())
    assert (image.platform, image.target) == (platform, target)


def test_a_tag_changes_with_the_base(places: Folder, printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is built on another image is another image."""
    before = wanted(places, printed)
    monkeypatch.setenv("STACKYARD_BASE_IMAGE", BASE_IMAGE)
    assert wanted(places, printed) == before
    monkeypatch.setenv("STACKYARD_BASE_IMAGE", "registry.example/python:3.14")
    assert not set(before.values()) & set(wanted(places, printed).values())


def test_the_server_image_agrees_with_what_runs_it() -> None:
    """Port, user and time to end are said in the Dockerfile, in Terraform, for Kubernetes and for the laptop."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    server = dockerfile.partition("FROM runtime AS server")[2]
    entry = json.loads(server.partition("ENTRYPOINT ")[2])
    options = dict(pairwise(entry))
    assert f"USER {manifests.USER}:{manifests.USER}" in dockerfile
    assert (options["--port"], f"EXPOSE {options['--port']}" in server) == (str(manifests.PORT), True)
    assert f"ARG BASE_IMAGE={BASE_IMAGE}\n" in dockerfile
    grace = int(options["--timeout-graceful-shutdown"])
    stop = re.search(r"stopTimeout\s*= (\d+)", (ROOT / "infra/modules/ecs-service/main.tf").read_text(encoding="utf-8"))
    assert stop
    assert grace < int(stop[1])
    assert grace < manifests.REQUEST + manifests.SPARE
    gateway = (ROOT / "src/stackyard/local/gateway/process.py").read_text(encoding="utf-8")
    assert f"_KEEP_ALIVE = {options['--timeout-keep-alive']}\n" in gateway
    shared = ("--ws", options["--ws"], "--log-level", options["--log-level"], "--no-access-log")
    assert f"({', '.join(json.dumps(each) for each in shared)})" in gateway

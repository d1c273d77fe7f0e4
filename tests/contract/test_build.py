"""What a deploy to a real account asks of docker and ECR; docker is played, ECR is the embedded one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stackyard.bake import find_registry
from stackyard.commands.build import make_images
from stackyard.commands.observe import Observed, find_digests
from stackyard.commands.session import Session
from stackyard.errors import ToolError
from stackyard.images import Image, manifest_digest, render_manifest
from stackyard.plan import plan_deploy
from stackyard.testing import ScriptedRunner, printed_screen
from stackyard.tools.git import Revision
from stackyard.tools.holding import find_holder
from tests.unit.folder import Folder

API = Image("api", "api-1111111111111111", "linux/arm64", "lambda")
WEB = Image("web", "web-2222222222222222", "linux/arm64", "lambda")
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
DOING = "deploy --env dev"
PROJECT = """\
project: {name}
repository: acme/platform
region: eu-west-1
environments: {{dev: {{account: "123456789012"}}}}
"""


@pytest.fixture
def make(emulator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, ScriptedRunner], Session]:
    """Make a session of an environment that takes the embedded AWS for the real one."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)

    def make_session(name: str, runner: ScriptedRunner) -> Session:
        folder = Folder(tmp_path / name)
        folder.project_yaml(PROJECT.format(name=name))
        folder.service("api")
        folder.service("web")
        emulator.client("ecr").create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
        return Session(folder.root, "dev", printed_screen().screen, runner)

    return make_session


def put(session: Session, tag: str, manifest: str) -> str:
    return session.aws.put_image(session.target.image_repository, tag, manifest)


def look(session: Session) -> Observed:
    """Observe, with images that need no sources."""
    registry = find_registry(session.target, {})
    found = find_digests(session, registry, [API, WEB])
    plan = plan_deploy(session.target, session.catalog, [API, WEB], found, registers=False)
    return Observed(Revision("c0ffee", dirty=False), plan, registry)


def test_what_ecr_lacks_is_built_and_read_back(make: Callable[[str, ScriptedRunner], Session]) -> None:
    """Docker is logged in by standard input, one bake pushes what lacks, and ECR's own word is what is deployed."""
    with ScriptedRunner({"docker": "/usr/bin/docker"}) as runner:
        session = make("built", runner)
        there = put(session, API.tag, render_manifest(API))

        def push() -> None:
            digest = put(session, WEB.tag, render_manifest(WEB))
            work = session.layout.build_work("dev")
            assert list(json.loads((work / "bake.json").read_text())["target"]) == ["web"]
            holder = find_holder(session.layout.environment_lock("dev"))
            assert holder is not None
            assert holder.doing == DOING
            (work / "metadata.json").write_text(json.dumps({"web": {"containerimage.digest": digest}}))

        runner.expect("docker", "version", ...).expect("docker", "buildx", "version")
        runner.expect("docker", "login", "--username", "AWS", "--password-stdin", HOST)
        runner.expect("docker", "buildx", "bake", "--file", ..., does=push)
        with session.changing(DOING) as hold:
            digests = make_images(session, look(session), hold, DOING)
        assert digests == {"api": there, "web": manifest_digest(render_manifest(WEB))}
        assert runner.calls[2].stdin
        assert runner.calls[3].keep_fds == (hold.fd,)
        assert look(session).plan.missing() == ()


OVERWRITE = """\
ERROR: target web: failed to solve: failed to push {host}/{name}:{tag}: tag invalid: The image tag '{tag}' already \
exists in the '{name}' repository and cannot be overwritten because the tag is immutable.
"""


def test_what_another_machine_pushed_first_is_taken(make: Callable[[str, ScriptedRunner], Session]) -> None:
    """ECR refuses the second push of a tag, which ends the whole bake: the others are built by one more."""
    with ScriptedRunner({"docker": "/usr/bin/docker"}) as runner:
        session = make("raced", runner)
        work = session.layout.build_work("dev")
        theirs: dict[str, str] = {}

        def lose() -> None:
            assert list(json.loads((work / "bake.json").read_text())["target"]) == ["api", "web"]
            theirs["web"] = put(session, WEB.tag, render_manifest(WEB) + " ")

        def push() -> None:
            assert list(json.loads((work / "bake.json").read_text())["target"]) == ["api"]
            digest = put(session, API.tag, render_manifest(API))
            (work / "metadata.json").write_text(json.dumps({"api": {"containerimage.digest": digest}}))

        runner.expect("docker", ...).expect("docker", ...).expect("docker", "login", ...)
        said = OVERWRITE.format(host=HOST, name="raced", tag=WEB.tag)
        runner.expect("docker", "buildx", "bake", ..., stderr=said, code=1, does=lose)
        runner.expect("docker", "buildx", "bake", ..., does=push)
        with session.changing(DOING) as hold:
            digests = make_images(session, look(session), hold, DOING)
        assert digests == {"api": manifest_digest(render_manifest(API)), **theirs}
        assert look(session).plan.missing() == ()


def test_a_failed_build_of_what_nobody_pushed_is_an_error(make: Callable[[str, ScriptedRunner], Session]) -> None:
    """Told once, with the task as it was typed."""
    with ScriptedRunner({"docker": "/usr/bin/docker"}) as runner:
        session = make("failed", runner)
        runner.expect("docker", ...).expect("docker", ...).expect("docker", "login", ...)
        runner.expect("docker", "buildx", "bake", ..., stderr="ERROR: target web: no space left\n", code=1)
        with session.changing(DOING) as hold, pytest.raises(ToolError, match="no space left") as caught:
            make_images(session, look(session), hold, DOING)
        assert caught.value.command == f"inv {DOING}"


def test_an_image_index_is_refused_for_lambda(make: Callable[[str, ScriptedRunner], Session]) -> None:
    """With the command that takes it away; AWS would say so only when the function is changed."""
    session = make("listed", ScriptedRunner())
    media = "application/vnd.oci.image.index.v1+json"
    index: dict[str, object] = {"schemaVersion": 2, "mediaType": media, "manifests": []}
    put(session, API.tag, json.dumps(index))
    with pytest.raises(ToolError, match=f"the image {API.tag} is an image index") as caught:
        look(session)
    assert f"imageTag={API.tag}" in caught.value.command

"""What a real registry has in the end: after two machines pushed the same, after a copy. Images of a few bytes."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stackyard.bake import Registry
from stackyard.commands.build import build_images
from stackyard.commands.observe import Observed
from stackyard.commands.session import Session
from stackyard.images import Image, is_index, manifest_digest
from stackyard.plan import plan_deploy
from stackyard.testing import printed_screen
from stackyard.tools.buildx import copy_image
from stackyard.tools.process import SystemRunner
from stackyard.tools.registry import find_manifest
from tests.images.immutable import immutable
from tests.unit.folder import Folder

IMAGES = (
    Image("api", "api-1111111111111111", "linux/arm64", "lambda"),
    Image("web", "web-2222222222222222", "linux/amd64", "server"),
)
DOING = "deploy --env local"


def machine(root: Path) -> Session:
    """Make a checkout whose images are like no other's, as those of two builds are."""
    folder = Folder(root)
    folder.service("api")
    folder.service("web")
    folder.write("built", uuid.uuid4().hex)
    folder.write("Dockerfile", "FROM scratch AS lambda\nCOPY built /\nFROM lambda AS server\nCOPY built /twice\n")
    return Session(folder.root, "local", printed_screen().screen, SystemRunner())


def build(session: Session, registry: Registry) -> dict[str, str]:
    """Do what a deploy does that found nothing in the registry a moment ago."""
    plan = plan_deploy(session.target, session.catalog, IMAGES, {}, registers=False)
    with session.changing(DOING) as hold:
        return build_images(session, Observed(None, plan, registry), IMAGES, hold, DOING)


def read(registry: Registry, tag: str) -> str:
    text = find_manifest(registry, tag)
    assert text is not None
    return text


def test_two_machines_that_push_the_same_tags_at_once_deploy_the_same(registry: str, tmp_path: Path) -> None:
    """The registry refuses whoever comes second, as ECR does; both end with what it has."""
    with immutable(registry) as front, ThreadPoolExecutor(2) as pool:
        target = Registry(front.host, f"t{uuid.uuid4().hex}", plain=True)
        machines = [machine(tmp_path / name) for name in ("one", "two")]
        one, two = pool.map(build, machines, [target, target])
        assert one == two == {image.service: manifest_digest(read(target, image.tag)) for image in IMAGES}
        assert front.refused


def test_an_image_is_copied_as_it_is(registry: str, tmp_path: Path) -> None:
    """To another repository, under another tag, byte by byte; one of a single platform becomes no index."""
    source, target = (Registry(registry, f"t{uuid.uuid4().hex}", plain=True) for _ in range(2))
    digests = build(machine(tmp_path / "one"), source)
    for image in IMAGES:
        name = f"{source.host}/{source.repository}@{digests[image.service]}"
        copy_image(SystemRunner(), name, target.reference(f"copied-{image.service}"))
        copied = read(target, f"copied-{image.service}")
        assert copied == read(source, image.tag)
        assert not is_index(copied)
        assert json.loads(copied)["layers"]

"""Make the images that a registry lacks: one ``docker buildx bake`` builds and pushes them all.

What was pushed is read back from the registry before anybody deploys it; where another machine was quicker with the
same tag, its image is taken. For `local` nothing is built unless a registry is named; a manifest that stands for each
image is registered instead.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from stackyard.bake import Pushed, Registry, base_image, find_secrets, judge_push, render_bake
from stackyard.commands.observe import Observed, find_digests
from stackyard.commands.session import Session
from stackyard.errors import RefusedError, StackyardError, ToolError
from stackyard.images import Image, render_manifest
from stackyard.plan import find_inputs
from stackyard.tools.buildx import Bakery, check_engine, log_in
from stackyard.tools.git import Revision
from stackyard.tools.holding import Hold
from stackyard.tools.registry import find_manifest
from stackyard.words import plural


def make_images(session: Session, seen: Observed, hold: Hold, doing: str) -> dict[str, str]:
    """Return every service's digest, making first what the registry lacks; ``doing`` is the task as it was typed.

    Raises MissingError where images must be built and cannot be, ToolError for a build that fails.
    """
    repository = session.target.image_repository
    digests = {step.image.service: step.digest for step in seen.plan.images if step.digest}
    missing = seen.plan.missing()
    if seen.registry is None:
        for image in missing:
            digests[image.service] = session.aws.put_image(repository, image.stand_in, render_manifest(image))
        return digests
    if missing:
        digests |= build_images(session, seen, missing, hold, doing)
    if seen.registry.plain:
        tell_embedded(session, seen, digests, doing)
    return digests


def build_images(session: Session, seen: Observed, images: Iterable[Image], hold: Hold, doing: str) -> dict[str, str]:
    """Build and push images, and return the digests that the registry gave them, by service. Raises StackyardError."""
    screen, registry = session.screen, seen.registry
    if registry is None:
        raise ValueError("there is no registry to push to")
    images = tuple(images)
    check_engine(session.runner)
    if not registry.plain:
        log_in(session.runner, registry.host, *session.aws.registry_login())
    with screen.stage(f"build {plural(len(images), 'image')}"):
        bakery = Bakery(
            session.runner,
            session.root,
            session.layout.build_work(session.target.name),
            again=f"inv {doing}",
            keep_fds=(hold.fd,),
            on_start=lambda pid: hold.describe(doing, pid),
            on_interrupt=lambda: screen.note("asked docker to stop"),
        )
        digests: dict[str, str] = {}
        while images:
            done = _bake(session, registry, bakery, images)
            digests |= done.digests
            images = done.missing
            for tag in done.others:
                screen.note(f"the registry has {tag} meanwhile; taking that")
    return digests


def _bake(session: Session, registry: Registry, bakery: Bakery, images: Iterable[Image]) -> Pushed:
    """Build and push once. Raises ToolError where that brought no image to the registry, or lost one."""
    text = render_bake(images, registry, base_image(os.environ), find_secrets(os.environ))
    try:
        with session.screen.progress("build", None) as progress:
            built = bakery.bake(text, progress.advance)
    except ToolError:
        # One refused push ends the whole bake. With each image that is there after all, fewer are left to build.
        found: dict[str, str] = {}
        with contextlib.suppress(StackyardError):
            found = find_digests(session, registry, images)
        if not found:
            raise
        return judge_push(images, {}, found)
    done = judge_push(images, built, find_digests(session, registry, images))
    if done.missing:
        lost = ", ".join(image.tag for image in done.missing)
        raise ToolError(f"the registry {registry.host} lacks what was pushed", lost, command=bakery.again)
    return done


def tell_embedded(session: Session, seen: Observed, digests: dict[str, str], doing: str) -> None:
    """Register what the plain registry has in the embedded ECR, where Terraform looks. Raises ToolError."""
    if seen.registry is None:
        return
    tags = {step.tag: digests[step.image.service] for step in seen.plan.images if step.image.service in digests}
    known = session.aws.find_images(session.target.image_repository, list(tags)) if tags else {}
    for tag, digest in tags.items():
        if tag not in known:
            manifest = find_manifest(seen.registry, tag)
            if manifest is None:
                raise ToolError(f"the registry {seen.registry.host} has lost {tag}", command=f"inv {doing}")
            known[tag] = session.aws.put_image(session.target.image_repository, tag, manifest)
        if known[tag] != digest:
            raise ToolError(
                f"the embedded AWS knows another image as {tag}",
                f"it has {known[tag][:19]} from before; the registry {seen.registry.host} has {digest[:19]}",
                fix="The registry was emptied meanwhile. Start the embedded AWS anew.",
                command="inv down && inv up",
            )


def check_saved(session: Session, revision: Revision | None, *, allow_dirty: bool) -> None:
    """Refuse to build for a protected environment from files that no commit holds. Raises RefusedError."""
    target = session.target
    if allow_dirty or not target.protected:
        return
    if revision is None:
        why = "no commit says what would be built"
    elif unsaved := find_inputs(revision.changed):
        more = f" and {len(unsaved) - 3} more" if len(unsaved) > 3 else ""
        why = f"no commit holds {', '.join(unsaved[:3])}{more} as it is here"
    else:
        return
    raise RefusedError(
        f"{target.name} is protected, and the working tree is not committed",
        why,
        fix="Commit; or say --allow-dirty, and the release's record says that nobody can build it again.",
        command="git status",
    )

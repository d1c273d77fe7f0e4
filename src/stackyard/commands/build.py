"""Make the images that a deploy lacks, or say how."""

from __future__ import annotations

from stackyard.commands.observe import Observed
from stackyard.commands.session import Session
from stackyard.errors import MissingError
from stackyard.images import build_command, render_manifest


def make_images(session: Session, seen: Observed) -> dict[str, str]:
    """Return every service's digest, registering what the embedded registry lacks.

    Raises MissingError for an image that a real registry does not have.
    """
    digests = {step.image.service: step.digest for step in seen.plan.images if step.digest}
    missing = seen.plan.missing()
    if missing and not seen.plan.registers:
        names = ", ".join(image.tag for image in missing)
        repository = session.target.image_repository
        raise MissingError(
            f"the image repository {repository} lacks {names}",
            "a deploy takes images by their digest",
            fix="Log docker in to the registry, then build and push each of them like this; then deploy again.",
            command=build_command(missing[0], session.target.registry, repository),
        )
    for image in missing:
        manifest = render_manifest(image)
        digests[image.service] = session.aws.put_image(session.target.image_repository, image.tag, manifest)
    return digests

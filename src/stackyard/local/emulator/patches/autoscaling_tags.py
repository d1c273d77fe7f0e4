"""A scalable target must have the tags that it was given, and tell them.

moto drops the tags of RegisterScalableTarget and has none of the three calls for tags, so that
``aws_appautoscaling_target`` fails when it is made and at every refresh. No upstream issue was found.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Response
from moto.core.exceptions import JsonRESTError

_TAGS = "stackyard_tags"
"""The attribute of moto's scalable targets in which the tags are kept: they end with the target."""


def apply() -> None:
    """Wrap ``register_scalable_target`` and add the calls for tags."""
    register: Callable[[Response], str] = Response.register_scalable_target

    def register_scalable_target(self: Response) -> str:
        answer = register(self)
        _tags(self, json.loads(answer)["ScalableTargetARN"]).update(_given(self, "Tags"))
        return answer

    def list_tags_for_resource(self: Response) -> str:
        return json.dumps({"Tags": _tags(self)})

    def tag_resource(self: Response) -> str:
        _tags(self).update(_given(self, "Tags"))
        return "{}"

    def untag_resource(self: Response) -> str:
        tags = _tags(self)
        for key in _given(self, "TagKeys"):
            tags.pop(key, None)
        return "{}"

    Response.register_scalable_target = register_scalable_target
    for method in (list_tags_for_resource, tag_resource, untag_resource):
        setattr(Response, method.__name__, method)


def _given(request: Response, name: str) -> dict[str, str]:
    """Return a map of the request; a list of keys comes as what can be gone through as well."""
    given: dict[str, str] | None = request._get_param(name)  # pyright: ignore[reportPrivateUsage]  (moto's way to read requests)
    return given or {}


def _tags(request: Response, arn: str | None = None) -> dict[str, str]:
    """Return the tags, to be read and changed, of the target that is named, or that the request names."""
    wanted = arn or request._get_param("ResourceARN")  # pyright: ignore[reportPrivateUsage]  (see above)
    for targets in request.applicationautoscaling_backend.targets.values():
        for target in targets.values():
            if target.arn == wanted:
                kept: dict[str, str] | None = getattr(target, _TAGS, None)
                tags = {} if kept is None else kept
                setattr(target, _TAGS, tags)
                return tags
    raise JsonRESTError("ResourceNotFoundException", f"The specified resource does not exist: {wanted}")

"""X-Ray keeps groups of traces, with their tags.

moto's X-Ray takes segments and has no groups at all, so that ``aws_xray_group`` cannot be made. No upstream issue was
found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from moto.xray.models import XRayBackend
from moto.xray.responses import XRayResponse as Response
from moto.xray.urls import url_paths

Group = dict[str, Any]
"""As X-Ray answers it, and its tags under ``Tags``."""
Answer = str | tuple[str, dict[str, int]]

_GROUPS = "stackyard_groups"
"""The attribute of moto's backend in which groups are kept by ARN: they end with it."""


def apply() -> None:
    """Add the four calls for groups and the three for tags."""
    calls: dict[str, Callable[[Response, Any], Answer]] = {
        "create_group": _create,
        "get_group": lambda self, asked: _with_group(self, asked, lambda group: None),
        "update_group": lambda self, asked: _with_group(self, asked, lambda group: group.update(_given(asked))),
        "delete_group": _delete,
        "list_tags_for_resource": _list_tags,
        "tag_resource": _tag,
        "untag_resource": _untag,
    }
    for name, call in calls.items():
        operation = "".join(word.capitalize() for word in name.split("_"))
        url_paths[f"{{0}}/{operation}$"] = Response.dispatch
        setattr(Response, name, _answering(call))


def _answering(call: Callable[[Response, Any], Answer]) -> Callable[[Response], Answer]:
    def answer(self: Response) -> Answer:
        return call(self, json.loads(self.body))

    return answer


def _create(self: Response, asked: Any) -> Answer:
    name = asked["GroupName"]
    number = hashlib.sha256(name.encode()).hexdigest()[:32].upper()
    arn = f"arn:aws:xray:{self.region}:{self.current_account}:group/{name}/{number}"
    if arn in _groups(self):
        return self._error("InvalidRequestException", f"Group {name} already exists")  # pyright: ignore[reportPrivateUsage]  (moto's way to refuse)
    group = {"GroupName": name, "GroupARN": arn, "Tags": asked.get("Tags", []), **_given(asked)}
    _groups(self)[arn] = group
    return _shown(group)


def _delete(self: Response, asked: Any) -> Answer:
    return _with_group(self, asked, lambda group: _groups(self).pop(group["GroupARN"]))


def _list_tags(self: Response, asked: Any) -> Answer:
    return json.dumps({"Tags": _groups(self).get(asked["ResourceARN"], {}).get("Tags", [])})


def _tag(self: Response, asked: Any) -> Answer:
    given = {each["Key"] for each in asked["Tags"]}
    group = _groups(self)[asked["ResourceARN"]]
    group["Tags"] = [each for each in group["Tags"] if each["Key"] not in given] + asked["Tags"]
    return "{}"


def _untag(self: Response, asked: Any) -> Answer:
    group = _groups(self)[asked["ResourceARN"]]
    group["Tags"] = [each for each in group["Tags"] if each["Key"] not in asked["TagKeys"]]
    return "{}"


def _with_group(self: Response, asked: Any, change: Callable[[Group], object]) -> Answer:
    for group in [*_groups(self).values()]:
        if asked.get("GroupARN") == group["GroupARN"] or asked.get("GroupName") == group["GroupName"]:
            change(group)
            return _shown(group)
    return self._error("InvalidRequestException", "Group not found")  # pyright: ignore[reportPrivateUsage]  (moto's way to refuse)


def _given(asked: Any) -> Group:
    return {key: asked[key] for key in ("FilterExpression", "InsightsConfiguration") if key in asked}


def _shown(group: Group) -> str:
    return json.dumps({"Group": {key: value for key, value in group.items() if key != "Tags"}})


def _groups(self: Response) -> dict[str, Group]:
    """Return the groups of the caller's account and region, to be read and changed."""
    backend: XRayBackend = self.xray_backend
    kept: dict[str, Group] | None = getattr(backend, _GROUPS, None)
    groups = {} if kept is None else kept
    setattr(backend, _GROUPS, groups)
    return groups

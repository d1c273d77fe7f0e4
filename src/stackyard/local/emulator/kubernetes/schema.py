"""What an object may hold: the official client's models for Kubernetes' own kinds, a few lines for the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from kubernetes.client import models

_PLAIN = {"str": str, "bool": bool, "int": int, "float": (int, float), "datetime": str}
_MANY = re.compile(r"(List|Dict)\[(?:str, )?(.+)\]")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that the API serves."""

    api: str
    name: str
    plural: str
    schema: str | dict[str, Any]
    """The model's name, or for custom resources the fields of ``spec``: a type or more fields, ``?`` for optional."""
    namespaced: bool = True


_BINDING: dict[str, Any] = {"targetGroupARN": "str", "serviceRef": {"name": "str", "port": "object"}}

KINDS = (
    Kind("v1", "Namespace", "namespaces", "V1Namespace", namespaced=False),
    Kind("v1", "ServiceAccount", "serviceaccounts", "V1ServiceAccount"),
    Kind("v1", "ConfigMap", "configmaps", "V1ConfigMap"),
    Kind("v1", "Service", "services", "V1Service"),
    Kind("v1", "Pod", "pods", "V1Pod"),
    Kind("apps/v1", "Deployment", "deployments", "V1Deployment"),
    Kind("apps/v1", "ReplicaSet", "replicasets", "V1ReplicaSet"),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "V2HorizontalPodAutoscaler"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "V1PodDisruptionBudget"),
    Kind("eks.amazonaws.com/v1", "TargetGroupBinding", "targetgroupbindings", {**_BINDING, "targetType": "str"}),
    Kind(
        "elbv2.k8s.aws/v1beta1",
        "TargetGroupBinding",
        "targetgroupbindings",
        {**_BINDING, "targetType?": "str", "networking?": "object", "vpcID?": "str", "ipAddressType?": "str"},
    ),
    Kind(
        "karpenter.sh/v1",
        "NodePool",
        "nodepools",
        {"template": "object", "disruption?": "object", "limits?": "object", "weight?": "int"},
        namespaced=False,
    ),
)


def find_kind(api: str, plural: str) -> Kind | None:
    """Return the kind that is served under a plural."""
    return next((kind for kind in KINDS if (kind.api, kind.plural) == (api, plural)), None)


def unknown_fields(kind: Kind, each: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the fields that are there: unknown, or of another type."""
    return list(_wrong(_schema(kind), each, ""))


def missing_fields(kind: Kind, each: Mapping[str, Any]) -> list[str]:
    """Return the paths of required fields that are not there, in an object whose fields are right."""
    return [path.removeprefix(".") for path in _missing(_schema(kind), each, "")]


def _schema(kind: Kind) -> str | dict[str, Any]:
    if isinstance(kind.schema, str):
        return kind.schema
    return {"apiVersion": "str", "kind": "str", "metadata": "V1ObjectMeta", "spec": kind.schema}


def _fields(schema: str | dict[str, Any]) -> dict[str, tuple[Any, bool]] | None:
    """Return the fields of a schema, by JSON name: type and whether required; None where anything goes."""
    if isinstance(schema, dict):
        return {name.rstrip("?"): (inner, not name.endswith("?")) for name, inner in schema.items()}
    model: Any = None if schema in _PLAIN else getattr(models, schema, None)
    if model is None:
        return None
    required = {each.serialization_alias or name for name, each in model.model_fields.items() if each.is_required()}
    types = ((model.attribute_map[name], inner) for name, inner in model.openapi_types.items())
    return {name: (inner, name in required) for name, inner in types}


def _wrong(schema: Any, value: Any, path: str) -> Iterator[str]:
    if value is None or schema == "object":
        return
    if isinstance(schema, str) and (plain := _PLAIN.get(schema)):
        if not isinstance(value, plain) or (isinstance(value, bool) and schema != "bool"):
            yield f"{path}: expected {schema}, got {value!r}"
        return
    if isinstance(schema, str) and (many := _MANY.fullmatch(schema)):
        yield from _wrong_each(many[1] == "List", many[2], value, path)
        return
    fields = _fields(schema)
    if not isinstance(value, dict):
        yield f"{path}: expected map, got {value!r}"
    elif fields is not None:
        for name, inner in cast("dict[str, Any]", value).items():
            if name in fields:
                yield from _wrong(fields[name][0], inner, f"{path}.{name}")
            else:
                yield f"{path}.{name}: field not declared in schema"


def _wrong_each(is_list: bool, schema: str, value: Any, path: str) -> Iterator[str]:  # noqa: FBT001  (one caller)
    if not isinstance(value, list if is_list else dict):
        yield f"{path}: expected {'list' if is_list else 'map'}, got {value!r}"
        return
    items = enumerate(cast("list[Any]", value)) if is_list else cast("dict[str, Any]", value).items()
    for key, inner in items:
        yield from _wrong(schema, inner, f"{path}[{key}]" if is_list else f"{path}.{key}")


def _missing(schema: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(schema, str) and (many := _MANY.fullmatch(schema)):
        items = enumerate(cast("list[Any]", value)) if many[1] == "List" else cast("dict[str, Any]", value).items()
        for key, inner in items:
            yield from _missing(many[2], inner, f"{path}[{key}]")
        return
    fields = _fields(cast("str | dict[str, Any]", schema))
    for name, (inner, required) in (fields or {}).items():
        if value.get(name) is not None:
            yield from _missing(inner, value[name], f"{path}.{name}")
        elif required:
            yield f"{path}.{name}"

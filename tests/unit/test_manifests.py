"""The Kubernetes objects of an eks service: valid for Kubernetes itself, and proof against hostile values."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

import jsonschema
import kubernetes_validate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.errors import ConfigError
from stackyard.kinds.manifests import SETTINGS_HASH, EksService, render, render_cluster, render_first_size

VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]
BINDING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["targetGroupARN", "targetType", "serviceRef"],
    "properties": {
        "targetGroupARN": {"type": "string"},
        "targetType": {"enum": ["ip", "instance"]},
        "serviceRef": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "port"],
            "properties": {"name": {"type": "string"}, "port": {"type": ["integer", "string"]}},
        },
    },
}
"""What both controllers' TargetGroupBinding takes in `spec`, as far as it is used."""

WEB = EksService(
    name="web",
    namespace="acme-dev-web",
    project="acme",
    environment="dev",
    image=f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:{'0123456789abcdef' * 4}",
    app="web.app:app",
    cpu=256,
    memory=512,
    min=2,
    max=4,
    variables={"GREETING": "hello", "SERVICE_NAME": "web"},
    target_group_arn="arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/acme-dev-web/0123456789abcdef",
    nodes="auto",
)


def by_kind(service: EksService) -> dict[str, Any]:
    """Return a service's objects by kind."""
    return {str(each["kind"]): each for each in render(service)}


def pod(service: EksService) -> Any:
    """Return the pod's spec."""
    return by_kind(service)["Deployment"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("nodes", ["auto", "managed"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_the_published_schema(version: str, nodes: Literal["auto", "managed"]) -> None:
    """Strictly: no unknown field, in each version that Kubernetes has published since 1.31."""
    kinds: list[str] = []
    for each in render(dataclasses.replace(WEB, nodes=nodes)):
        kinds.append(str(each["kind"]))
        if each["kind"] == "TargetGroupBinding":
            jsonschema.validate(each["spec"], BINDING)
        else:
            kubernetes_validate.validate(each, version, strict=True)
    assert kinds == [
        "Namespace", "ServiceAccount", "ConfigMap", "Service", "TargetGroupBinding", "Deployment",
        "HorizontalPodAutoscaler", "PodDisruptionBudget",
    ]  # fmt: skip


def test_the_published_schema_would_have_refused_a_mistake() -> None:
    """A misspelt field does not pass the test above."""
    deployment = by_kind(WEB)["Deployment"]
    deployment["spec"]["template"]["spec"]["nodeSelektor"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="nodeSelektor"):
        kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)


def test_the_pod_can_do_little() -> None:
    """Not root, no capability, a file system that only /tmp can be written in, no token, no node but arm64."""
    spec = pod(WEB)
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]
    assert spec["automountServiceAccountToken"] is False
    assert by_kind(WEB)["ServiceAccount"]["automountServiceAccountToken"] is False
    assert spec["nodeSelector"]["kubernetes.io/arch"] == "arm64"


def test_cpu_and_memory_are_in_kubernetes_units() -> None:
    """1024 is one vCPU, 1000m; memory is MiB; CPU has no limit."""
    (container,) = pod(dataclasses.replace(WEB, cpu=512, memory=2048))["containers"]
    assert container["resources"] == {"requests": {"cpu": "500m", "memory": "2048Mi"}, "limits": {"memory": "2048Mi"}}
    (least,) = pod(dataclasses.replace(WEB, cpu=1))["containers"]
    assert least["resources"]["requests"]["cpu"] == "1m"


def test_changed_settings_roll_out_and_unchanged_ones_do_not() -> None:
    """The pod carries the hash of its environment; the order of the variables is nothing."""

    def template(**variables: str) -> Any:
        return by_kind(dataclasses.replace(WEB, variables=variables))["Deployment"]["spec"]["template"]

    assert template(A="1", B="2") == template(B="2", A="1")
    changed = template(A="1", B="3")["metadata"]["annotations"][SETTINGS_HASH]
    assert changed != template(A="1", B="2")["metadata"]["annotations"][SETTINGS_HASH]


def test_every_release_has_settings_of_its_own() -> None:
    """Pods of the one before that start after a failed rollout must not find what it failed with."""
    before, after = (by_kind(dataclasses.replace(WEB, variables={"A": value})) for value in "12")
    assert before["ConfigMap"]["metadata"]["name"] != after["ConfigMap"]["metadata"]["name"]
    for objects in (before, after):
        assert objects["ConfigMap"]["immutable"] is True
        (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": objects["ConfigMap"]["metadata"]["name"]}}]


def test_the_size_is_the_autoscalers() -> None:
    """The Deployment names no replicas; what it begins with is an object of its own, for another owner."""
    objects = by_kind(WEB)
    assert "replicas" not in objects["Deployment"]["spec"]
    assert render_first_size(WEB) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "acme-dev-web"},
        "spec": {"replicas": 2},
    }
    autoscaler = objects["HorizontalPodAutoscaler"]["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 4)


def test_selectors_find_the_pods() -> None:
    """Service, Deployment, spread and budget select what the pod is labelled with."""
    objects = by_kind(WEB)
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        objects["Service"]["spec"]["selector"],
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in pod(WEB)["topologySpreadConstraints"]),
    ]
    assert len(selectors) == 5
    assert all(selector.items() <= labels.items() for selector in selectors)


def test_a_new_image_changes_no_selector() -> None:
    """A Deployment's selector cannot be changed once it is there."""
    newer = dataclasses.replace(WEB, image=WEB.image[:-1] + "0", variables={}, nodes="managed")
    assert by_kind(newer)["Deployment"]["spec"]["selector"] == by_kind(WEB)["Deployment"]["spec"]["selector"]


@pytest.mark.parametrize(
    ("nodes", "api", "gate"),
    [
        ("auto", "eks.amazonaws.com/v1", "eks.amazonaws.com/pod-readiness-gate-inject"),
        ("managed", "elbv2.k8s.aws/v1beta1", "elbv2.k8s.aws/pod-readiness-gate-inject"),
    ],
)
def test_each_kind_of_nodes_has_its_own_controller(nodes: Literal["auto", "managed"], api: str, gate: str) -> None:
    """Auto Mode's load balancer controller speaks another group, and asks for another label, than the other."""
    objects = by_kind(dataclasses.replace(WEB, nodes=nodes))
    assert objects["TargetGroupBinding"]["apiVersion"] == api
    assert objects["Namespace"]["metadata"]["labels"][gate] == "enabled"
    assert len(render_cluster(nodes)) == (1 if nodes == "auto" else 0)


def test_a_pod_outlives_the_longest_request() -> None:
    """It goes on while the load balancer still sends, and then has time for a request of 29 s."""
    spec = pod(WEB)
    (container,) = spec["containers"]
    assert spec["terminationGracePeriodSeconds"] >= container["lifecycle"]["preStop"]["sleep"]["seconds"] + 29


TEXT = st.text(max_size=80) | st.sampled_from(
    [
        "",
        "yes",
        "null",
        "1e3",
        "---\n",
        "$(GREETING)",
        "${HOME}",
        "a: b\n- c",
        '"}',
        "'; drop",
        "{{ x }}",
        "\0",
        "\ud800",
    ]
)


def changed(field: str, value: str) -> EksService:
    """Return the service with one of its facts changed."""
    facts: dict[str, Any] = {field: value}
    return dataclasses.replace(WEB, **facts)


@given(value=TEXT)
def test_a_hostile_value_stays_a_value(value: str) -> None:
    """It comes out of JSON as it went in, changes nothing else, or is refused in words."""
    try:
        objects = render(dataclasses.replace(WEB, variables={"GREETING": value}))
    except ConfigError as error:
        assert "no process can get" in str(error)
        assert "\0" in value or not value.isprintable()
        return
    sent = {str(each["kind"]): each for each in json.loads(json.dumps(objects).encode())}
    assert sent["ConfigMap"]["data"] == {"GREETING": value}
    usual = by_kind(dataclasses.replace(WEB, variables={"GREETING": "hello"}))
    for objects_of in (sent, usual):
        template = objects_of["Deployment"]["spec"]["template"]
        template["metadata"].pop("annotations")
        assert len(template["spec"]["containers"][0].pop("envFrom")[0]["configMapRef"]["name"]) == len("web-0123456789")
        objects_of.pop("ConfigMap")
    assert sent == usual


@given(
    field=st.sampled_from(["name", "namespace", "project", "environment", "image", "app", "target_group_arn"]),
    value=TEXT,
)
def test_a_hostile_fact_is_refused_or_is_valid(field: str, value: str) -> None:
    """Every field that becomes more than a value is checked; what passes, passes Kubernetes' schema too."""
    try:
        objects = render(changed(field, value))
    except ConfigError as error:
        assert repr(value) in str(error)
        return
    assert value.isprintable()
    assert not set(value) & set(" \t\n\"'{}$()\\")
    kubernetes_validate.validate(objects[0], VERSIONS[-1], strict=True)


@given(name=TEXT)
def test_a_hostile_variable_is_refused_or_is_a_variable(name: str) -> None:
    """No name gets through that a process could not have as a variable."""
    try:
        dataclasses.replace(WEB, variables={name: "x"})
    except ConfigError:
        return
    assert name.isidentifier()
    assert name.isascii()


@pytest.mark.parametrize(("least", "most"), [(0, 1), (3, 2), (-1, 4)])
def test_scaling_that_cannot_be_is_refused(least: int, most: int) -> None:
    """At least one, and no more at least than at most."""
    with pytest.raises(ConfigError, match="cannot scale"):
        dataclasses.replace(WEB, min=least, max=most)

"""`tools.kubernetes` against the emulator's Kubernetes API, over real HTTP, with objects as they are rendered."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from stackyard.errors import MissingError, RefusedError, ToolError
from stackyard.kinds.manifests import EksService, render, render_cluster, render_first_size
from stackyard.project import Target, Throttle
from stackyard.tools.aws import Aws
from stackyard.tools.clusters import ClusterAccess, find_cluster
from stackyard.tools.kubernetes import Cluster

ACCOUNT, REGION = "123456789012", "eu-west-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/acme"
TARGET = Target("acme", "local", ACCOUNT, REGION, protected=False, throttle=Throttle())
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
UNKNOWN = f"{REGISTRY}@sha256:{'0' * 64}"


def push(emulator: Any, revision: int) -> str:
    """Put an image into the repository and return its name, by digest."""
    configuration = {"digest": "sha256:" + hashlib.sha256(str(revision).encode()).hexdigest(), "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": []})
    image = emulator.client("ecr").put_image(repositoryName="acme", imageManifest=manifest, imageTag=f"web-{revision}")
    return f"{REGISTRY}@{image['image']['imageId']['imageDigest']}"


@pytest.fixture(scope="module")
def access(emulator: Any) -> ClusterAccess:
    """The way into a cluster, as tasks find it."""
    emulator.client("ecr").create_repository(repositoryName="acme")
    role = f"arn:aws:iam::{ACCOUNT}:role/cluster"
    emulator.client("eks").create_cluster(name="acme-local", roleArn=role, resourcesVpcConfig={"subnetIds": []})
    found = find_cluster(Aws(TARGET, emulator.url), "acme-local")
    assert found is not None
    return found


@pytest.fixture
def cluster(access: ClusterAccess) -> Iterator[Cluster]:
    """The cluster, without services when the test ends."""
    cluster = Cluster(access, pause=0.01)
    yield cluster
    list(cluster.prune("acme", "local", keep=(), timeout=10))
    assert cluster.find_services("acme", "local") == []


@pytest.fixture(scope="module")
def web(emulator: Any, access: ClusterAccess) -> EksService:
    """A service whose image and target group are there."""
    assert access.endpoint.startswith(emulator.url)
    made = emulator.client("elbv2").create_target_group(
        Name="web", Protocol="TCP", Port=8080, TargetType="ip",
        VpcId=emulator.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"],
    )  # fmt: skip
    return EksService(
        name="web",
        namespace="acme-local-web",
        project="acme",
        environment="local",
        image=push(emulator, 1),
        app="web.app:app",
        cpu=256,
        memory=512,
        min=2,
        max=4,
        variables={"GREETING": "hällo\n$(HOME)"},
        target_group_arn=made["TargetGroups"][0]["TargetGroupArn"],
        nodes="auto",
    )


def deploy(cluster: Cluster, service: EksService) -> list[str]:
    """Apply a service as a deploy does, wait for it, and return what was said meanwhile."""
    said: list[str] = []
    cluster.apply(render(service), first=(render_first_size(service),))
    cluster.wait_for_rollout(service.namespace, service.name, 20, said.append)
    return said


@pytest.mark.parametrize("nodes", ["auto", "managed"])
def test_a_service_is_applied_and_found(cluster: Cluster, web: EksService, nodes: Any) -> None:
    """All of it is taken as it is rendered; the digest, the settings and the size are what was asked for."""
    service = dataclasses.replace(web, nodes=nodes)
    cluster.apply(render_cluster(nodes))
    applied = cluster.apply(render(service), first=(render_first_size(service),))
    assert [each.kind for each in applied][-3:] == ["Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget"]
    assert all(each.created for each in applied)
    cluster.wait_for_rollout(service.namespace, service.name, 20)
    deployed = cluster.find_deployed(service.namespace, service.name)
    assert deployed is not None
    assert deployed.digest == web.image.partition("@")[2]
    assert deployed.environment == web.variables
    assert (deployed.wanted, deployed.ready) == (2, 2)
    assert not any(each.created for each in cluster.apply(render(service)))


def test_a_second_deploy_leaves_the_size_alone(cluster: Cluster, web: EksService, access: ClusterAccess) -> None:
    """Whether the autoscaler has ever acted or not: never back to one pod."""
    deploy(cluster, web)
    assert deploy(cluster, web) == ["2 of 2 new pods ready"]
    deploy(cluster, dataclasses.replace(web, min=3))
    deploy(cluster, web)
    found = cluster.find_deployed(web.namespace, web.name)
    assert found is not None
    assert found.wanted == 3


def test_changed_settings_make_new_pods(cluster: Cluster, web: EksService, access: ClusterAccess) -> None:
    """A change of a variable alone is a rollout; the same again is none."""
    deploy(cluster, web)
    before = ask(access, f"/api/v1/namespaces/{web.namespace}/pods")
    deploy(cluster, web)
    same = ask(access, f"/api/v1/namespaces/{web.namespace}/pods")
    deploy(cluster, dataclasses.replace(web, variables={"GREETING": "bye"}))
    after = ask(access, f"/api/v1/namespaces/{web.namespace}/pods")
    names = [{pod["metadata"]["name"] for pod in answer["items"]} for answer in (before, same, after)]
    assert names[0] == names[1]
    assert not names[0] & names[2]


def settings(access: ClusterAccess, namespace: str) -> list[dict[str, str]]:
    """Return the settings that a namespace holds."""
    return [each["data"] for each in ask(access, f"/api/v1/namespaces/{namespace}/configmaps")["items"]]


def test_settings_stay_as_long_as_a_release_can_come_back(
    cluster: Cluster, web: EksService, access: ClusterAccess
) -> None:
    """Each release has its own; what Kubernetes remembers no ReplicaSet of is deleted after the next good rollout."""
    for number in range(9):
        deploy(cluster, dataclasses.replace(web, variables={"N": str(number)}))
    held = settings(access, web.namespace)
    assert {each["N"] for each in held} == {"3", "4", "5", "6", "7", "8"}
    with pytest.raises(ToolError):
        deploy(cluster, dataclasses.replace(web, variables={"EMULATED_ROLLOUT": "CrashLoopBackOff"}))
    assert {"N": "8"} in settings(access, web.namespace)


@pytest.mark.parametrize(
    ("how", "why", "lines"),
    [
        ("CrashLoopBackOff", r"ends again and again, last with exit code 1 \(CrashLoopBackOff\)", "RuntimeError"),
        ("ProgressDeadlineExceeded", "no progress within the time", '"event": "started"'),
    ],
)  # fmt: skip
def test_a_failed_rollout_ends_early_with_its_reason(
    cluster: Cluster, web: EksService, how: str, why: str, lines: str
) -> None:
    """Long before its time is over; the container's last lines come with it, and what ran before still does."""
    deploy(cluster, web)
    with pytest.raises(ToolError, match=why) as failed:
        deploy(cluster, dataclasses.replace(web, variables={"EMULATED_ROLLOUT": how}))
    assert lines in failed.value.detail
    assert "acme-local-web" in failed.value.command
    deployed = cluster.find_deployed(web.namespace, web.name)
    assert deployed is not None
    assert deployed.ready == 2
    assert deploy(cluster, web)[-1] == "2 of 2 new pods ready"


def test_an_image_that_is_not_there_ends_the_rollout(cluster: Cluster, web: EksService) -> None:
    """The first deploy of a service too, with the image's name."""
    with pytest.raises(
        ToolError, match=rf"the image cannot be pulled \(ImagePullBackOff\): .*sha256:{'0' * 64}"
    ) as failed:
        deploy(cluster, dataclasses.replace(web, image=UNKNOWN))
    assert failed.value.detail == ""


def test_a_pod_that_finds_no_node_is_waited_for(cluster: Cluster, web: EksService) -> None:
    """Auto Mode starts nodes for such pods, so it is no failure until the time is over."""
    service = dataclasses.replace(web, variables={"EMULATED_ROLLOUT": "Unschedulable"})
    cluster.apply(render(service))
    with pytest.raises(ToolError, match=r"after 0 s 0 of 2 new pods ready"):
        cluster.wait_for_rollout(service.namespace, service.name, 0.2)


def test_what_pods_need_is_missed(cluster: Cluster, web: EksService) -> None:
    """Without ServiceAccount no pod is made; without ConfigMap none starts."""
    objects = {str(each["kind"]): each for each in render(web)}
    cluster.apply([objects[kind] for kind in ("Namespace", "ConfigMap", "Deployment")])
    with pytest.raises(ToolError, match=r'pods are refused: .* serviceaccount "web" not found'):
        cluster.wait_for_rollout(web.namespace, web.name, 20)
    list(cluster.prune("acme", "local", keep=(), timeout=10))
    cluster.apply([objects[kind] for kind in ("Namespace", "ServiceAccount", "Deployment")])
    with pytest.raises(ToolError, match=r'CreateContainerConfigError\): configmap "web-[0-9a-f]{10}" not found'):
        cluster.wait_for_rollout(web.namespace, web.name, 20)


def test_only_what_is_ours_and_not_kept_is_pruned(cluster: Cluster, web: EksService, access: ClusterAccess) -> None:
    """Another service, another environment and a namespace of somebody else stay."""
    other = dataclasses.replace(web, name="desk", namespace="acme-local-desk")
    foreign = dataclasses.replace(web, namespace="acme-dev-web", environment="dev")
    for service in (web, other, foreign):
        cluster.apply(render(service))
    assert cluster.find_services("acme", "local") == ["acme-local-desk", "acme-local-web"]
    assert list(cluster.prune("acme", "local", keep=["acme-local-desk"], timeout=10)) == ["acme-local-web"]
    assert cluster.find_services("acme", "local") == ["acme-local-desk"]
    assert cluster.find_deployed(web.namespace, web.name) is None
    assert cluster.delete_service("acme-local-web", 10) is False
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}])
    with pytest.raises(RefusedError, match="kube-system"):
        cluster.delete_service("kube-system", 10)
    assert cluster.delete_service("acme-dev-web", 10) is True


BROKEN: list[tuple[list[object], str]] = [
    (["Deployment", "spec", "template", "spec", "nodeSelektor", {}], r"nodeSelektor: field not declared in schema"),
    (["Deployment", "spec", "revisionHistoryLimit", "5"], r"\.spec\.revisionHistoryLimit: expected int, got '5'"),
    (["Deployment", "spec", "template", "metadata", "labels", {}], "does not match template `labels`"),
    (["HorizontalPodAutoscaler", "spec", "maxReplicas", None], r"spec\.maxReplicas: Required value"),
    (["TargetGroupBinding", "spec", "targetType", None], r"spec\.targetType: Required value"),
    (["TargetGroupBinding", "spec", "networking", {}], "networking: field not declared in schema"),
    (["TargetGroupBinding", "spec", "targetGroupARN", "arn:aws:none"], "TargetGroupNotFound"),
    (["Service", "spec", "ports", [{"port": "http"}]], r"ports\[0\]\.port: expected int"),
    (["ConfigMap", "immutable", "yes"], r"\.immutable: expected bool, got 'yes'"),
    (["ConfigMap", "data", {"A": 1}], r"\.data\.A: expected str, got 1"),
    (["Deployment", "metadata", "namespace", "none"], 'namespaces "none" not found'),
]


@pytest.mark.parametrize(("change", "words"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_object_is_refused_in_kubernetes_words(
    cluster: Cluster, web: EksService, change: list[Any], words: str
) -> None:
    """Unknown fields, other types, missing ones, selectors that select nothing."""
    kind, *way, last, value = change
    objects: dict[str, Any] = {str(each["kind"]): each for each in json.loads(json.dumps(render(web)))}
    cluster.apply([objects["Namespace"]])
    here = objects[kind]
    for name in way:
        here = here[name]
    here[last] = value
    if value is None:
        del here[last]
    with pytest.raises(ToolError, match=words):
        cluster.apply([objects[kind]])


def test_a_selector_cannot_be_changed(cluster: Cluster, web: EksService) -> None:
    """As with a real server; such a Deployment must be deleted first."""
    cluster.apply(render(web))
    objects: dict[str, Any] = {str(each["kind"]): each for each in json.loads(json.dumps(render(web)))}
    objects["Deployment"]["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/name": "web"}
    objects["Deployment"]["spec"]["selector"]["matchLabels"]["app.kubernetes.io/part-of"] = "acme"
    with pytest.raises(ToolError, match="field is immutable"):
        cluster.apply([objects["Deployment"]])


def ask(access: ClusterAccess, path: str, **headers: str) -> Any:
    """Ask the API without our client."""
    sent = {"Authorization": f"Bearer {access.token()}", **headers}
    request = urllib.request.Request(access.endpoint + path, headers=sent)  # noqa: S310  (the emulator's own)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.loads(answer.read())


def test_nobody_gets_in_without_a_token(access: ClusterAccess) -> None:
    """401 with a Status object; one that is signed for AWS itself is none either."""
    for wrong in ("", "Bearer x", "Bearer k8s-aws-v1.eHg", "Basic k8s-aws-v1." + access.token()):
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(access, "/api/v1/namespaces", Authorization=wrong)
        with refused.value as answer:
            assert answer.code == 401
            assert json.loads(answer.read())["kind"] == "Status"
    with pytest.raises(MissingError, match="no right to do this in cluster acme-local"):
        Cluster(dataclasses.replace(access, token=lambda: "nothing")).find_services("acme", "local")


def test_a_kind_that_the_cluster_does_not_know(cluster: Cluster, web: EksService) -> None:
    """A path of no kind is 404 with the server's words."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(cluster.access, "/apis/apps/v1/namespaces/default/daemonsets")
    with refused.value as answer:
        assert json.loads(answer.read())["message"] == "the server could not find the requested resource"


def test_a_cluster_that_is_gone(emulator: Any, access: ClusterAccess) -> None:
    """A deleted cluster answers nothing, one made anew holds nothing of the old, none is None."""
    client = emulator.client("eks")
    role = f"arn:aws:iam::{ACCOUNT}:role/cluster"
    client.create_cluster(name="short", roleArn=role, resourcesVpcConfig={"subnetIds": []})
    aws = Aws(TARGET, emulator.url)
    short = find_cluster(aws, "short")
    assert short is not None
    Cluster(short).apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}}])
    assert len(ask(short, "/api/v1/namespaces")["items"]) == 1
    client.delete_cluster(name="short")
    assert find_cluster(aws, "short") is None
    with pytest.raises(ToolError, match='no cluster "short"'):
        Cluster(short).find_services("acme", "local")
    client.create_cluster(name="short", roleArn=role, resourcesVpcConfig={"subnetIds": []})
    assert ask(short, "/api/v1/namespaces")["items"] == []


def test_a_cluster_that_does_not_answer(access: ClusterAccess) -> None:
    """At once, with what might be the reason."""
    nowhere = dataclasses.replace(access, endpoint="http://127.0.0.1:9")
    with pytest.raises(MissingError, match="cluster acme-local does not answer") as missing:
        Cluster(nowhere).find_services("acme", "local")
    assert "public_endpoint" in missing.value.fix


def test_a_bucket_may_be_called_kubernetes(emulator: Any) -> None:
    """Its requests are signed, and go to S3."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="kubernetes", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="kubernetes", Key="eu-west-1/acme-local", Body=b"mine")
    assert s3.get_object(Bucket="kubernetes", Key="eu-west-1/acme-local")["Body"].read() == b"mine"

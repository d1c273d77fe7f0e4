"""What a deploy does inside the environment's Kubernetes cluster: objects applied, rolled out, taken away.

Everything that the objects are made from stands in the outputs of the applied state, so that Terraform's plan tells of
each change. Environments without a service of kind ``eks`` never get here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from stackyard.commands.session import Session
from stackyard.errors import ToolError
from stackyard.kinds.manifests import EksService, render, render_cluster, render_first_size
from stackyard.names import module_name
from stackyard.tools.clusters import find_cluster
from stackyard.tools.kubernetes import Cluster
from stackyard.tools.live import Live, LiveServer, find_live
from stackyard.tools.tfevents import Change

ROLLOUT_PATIENCE = 600.0
"""Seconds that a rollout gets; a new node may have to start first."""
REMOVAL_PATIENCE = 300.0


def roll_out(session: Session, outputs: Mapping[str, Any]) -> None:
    """Apply the objects of every service of kind ``eks`` and wait until they run.

    Raises ToolError with the reason and the container's last lines for a rollout that fails.
    """
    services = _eks_services(outputs)
    if not services:
        return
    cluster = _cluster(session)
    nodes = outputs["eks"]["nodes"]
    cluster.apply(render_cluster(nodes))
    for name, facts in services.items():
        service = _facts(session, name, facts, nodes)
        cluster.apply(render(service), first=[render_first_size(service)])
    for name, facts in services.items():
        namespace = facts["details"]["namespace"]
        cluster.wait_for_rollout(namespace, name, ROLLOUT_PATIENCE, session.screen.note)


def take_away(session: Session, changes: Iterable[Change]) -> None:
    """Delete the namespaces of services whose Terraform part is about to go, before their target groups do."""
    leaving = {change.address for change in changes if change.action == "delete"}
    if not any(address.startswith("module.eks_service[") for address in leaving):
        return
    access = find_cluster(session.aws, session.target.resource_name())
    if access is None:
        return
    target = session.target
    keep = [target.resource_name(entry.name) for entry in session.catalog.entries if entry.service.kind == "eks"]
    if any(address.startswith("module.eks_cluster[") for address in leaving):
        keep = []
    for namespace in Cluster(access).prune(target.project, target.name, keep, REMOVAL_PATIENCE):
        session.screen.note(f"deleted namespace {namespace}")


def find_service(session: Session, kind: str, service: str) -> Live | None:
    """Return what runs for a service of any kind, or None where it is not there. Raises StackyardError."""
    if kind != "eks":
        return find_live(session.aws, kind, service)
    access = find_cluster(session.aws, session.target.resource_name())
    name = session.target.resource_name(service)
    found = Cluster(access).find_deployed(name, service) if access else None
    if found is None:
        return None
    return LiveServer(
        name=name,
        version=found.digest.removeprefix("sha256:")[:8],
        digest=found.digest,
        memory=0,
        app=f"{module_name(service)}.app:app",
        environment=found.environment,
        secrets={},
        log_group=f"/aws/eks/{name}",
    )


def _eks_services(outputs: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    services = cast("Mapping[str, Mapping[str, Any]]", outputs.get("services") or {})
    return {name: facts for name, facts in services.items() if facts["kind"] == "eks"}


def _cluster(session: Session) -> Cluster:
    name = session.target.resource_name()
    access = find_cluster(session.aws, name)
    if access is None:
        why = "though Terraform says that it applied it"
        raise ToolError(f"there is no cluster {name}", why, command=f"inv deploy --env {session.target.name}")
    return Cluster(access)


def _facts(session: Session, name: str, facts: Mapping[str, Any], nodes: str) -> EksService:
    details = cast("Mapping[str, str]", facts["details"])
    return EksService(
        name=name,
        namespace=details["namespace"],
        project=session.target.project,
        environment=session.target.name,
        image=facts["image"],
        app=f"{module_name(name)}.app:app",
        cpu=int(details["cpu"]),
        memory=int(details["memory"]),
        min=int(details["min"]),
        max=int(details["max"]),
        variables=json.loads(details["environment"]),
        target_group_arn=details["target_group_arn"],
        nodes="managed" if nodes == "managed" else "auto",
    )

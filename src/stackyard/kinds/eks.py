"""EKS: a Deployment on a Kubernetes cluster, private, behind the environment's load balancer."""

from __future__ import annotations

from stackyard.kinds.kind import Kind, Size
from stackyard.kinds.use import Load, Use


def _check(size: Size) -> str | None:
    if size.cpu is not None and not 64 <= size.cpu <= 16384:
        return f"cpu is {size.cpu}; a pod may ask for 64 to 16384 (1024 is one vCPU)"
    if not 128 <= size.memory <= 65536:
        return f"memory is {size.memory}; a pod may ask for 128 to 65536 MiB"
    return None


def _uses(load: Load) -> tuple[Use, ...]:
    # Its pods share the cluster's nodes, which are counted once for all services.
    del load
    return ()


KIND = Kind(
    name="eks",
    image_target="server",
    platform="linux/arm64",
    module="eks-service",
    when="the team runs Kubernetes already",
    cost="$73 for the cluster, each node about $80; network and load balancer of the environment about $60 on top",
    log_group="/aws/eks/{name}",
    runs="server",
    memory=512,
    cpu=256,
    scaling={"min": 1, "max": 4},
    check=_check,
    uses=_uses,
    keys=frozenset({"cpu", "scaling.min"}),
    replaces="starts new pods beside the old ones and takes those away when the new ones are ready",
    private=True,
)

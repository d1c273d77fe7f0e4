"""Where moto differs from AWS so that somebody would notice: the registry of what we mend.

One file a fault, named for it, with the reason and the upstream issue where there is one. Each has a test in
``tests/contract/emulator`` that fails without it. A patch is written against the pinned version of moto.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

PATCHES: dict[str, tuple[str, ...]] = {
    "apigateway": ("apigateway_openapi_import", "apigateway_usage_plans"),
    "applicationautoscaling": ("autoscaling_tags",),
    "ecr": ("ecr_manifest_digest", "ecr_requested_tag", "ecr_other_registries"),
    "ecs": ("ecs_service_members", "ecs_steady_services", "ecs_service_deployments"),
    "eks": ("eks_cluster_members", "eks_cluster_updates", "eks_endpoint"),
    "elb": ("elbv2_private_link_rules",),
    "logs": ("logs_query_definitions",),
    "s3": ("s3_conditional_deny", "s3_lifecycle_newer_versions"),
    "xray": ("xray_groups",),
}
"""Service, as moto names it (`elb` is both versions) -> modules of this package; each has ``apply()``."""


def patch(service: str, *, without: Collection[str] = ()) -> None:
    """Mend one service, but for the patches named in ``without``. To be called once, before it answers."""
    for name in PATCHES.get(service, ()):
        if name not in without:
            import_module(f"{__name__}.{name}").apply()

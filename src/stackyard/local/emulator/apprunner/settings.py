"""A service's settings: what App Runner allows beyond AWS's description of it, and what it fills in."""

from __future__ import annotations

from collections.abc import Mapping

from stackyard.local.emulator.apprunner.errors import InvalidRequestError
from stackyard.local.emulator.shapes import Json

# "Architecture and concepts: App Runner supported configurations" of the App Runner Developer Guide; units and MiB.
_MEMORY = {
    "256": ("512", "1024"),
    "512": ("1024",),
    "1024": ("2048", "3072", "4096"),
    "2048": ("4096", "6144"),
    "4096": ("8192", "10240", "12288"),
}
_HEALTH_CHECK = {
    "Protocol": "TCP",
    "Path": "/",
    "Interval": 5,
    "Timeout": 2,
    "HealthyThreshold": 1,
    "UnhealthyThreshold": 5,
}
_SETTINGS = (
    "SourceConfiguration",
    "InstanceConfiguration",
    "HealthCheckConfiguration",
    "NetworkConfiguration",
    "ObservabilityConfiguration",
)


def fill(request: Json, *, all_of_them: bool) -> Json:
    """Return a request's settings as App Runner would describe them; all of them, or those that the request has.

    Raises InvalidRequestError for a pair of processor and memory that App Runner does not offer, and for a source
    that is no image.
    """
    filled: Json = {}
    fillers = (_source, _instance, _health_check, _network, _observability)
    for name, filler in zip(_SETTINGS, fillers, strict=True):
        given: Json | None = request.get(name)
        if all_of_them or given is not None:
            filled[name] = filler(given or {})
    if request.get("EncryptionConfiguration"):
        filled["EncryptionConfiguration"] = request["EncryptionConfiguration"]
    return filled


def _source(given: Json) -> Json:
    repository: Json | None = given.get("ImageRepository")
    if repository is None:
        raise InvalidRequestError("SourceConfiguration.ImageRepository: missing; only images are offered here")
    private = repository["ImageRepositoryType"] == "ECR"
    if private and "AccessRoleArn" not in given.get("AuthenticationConfiguration", {}):
        raise InvalidRequestError("SourceConfiguration.AuthenticationConfiguration.AccessRoleArn: missing")
    configuration: Json = {"Port": "8080", **repository.get("ImageConfiguration", {})}
    for kind in ("RuntimeEnvironmentVariables", "RuntimeEnvironmentSecrets"):
        names: Mapping[str, str] = configuration.get(kind) or {}
        for name in names:
            if name.startswith("AWSAPPRUNNER"):
                raise InvalidRequestError(f"{kind}: {name} begins with AWSAPPRUNNER, which is reserved")
    filled = {"AutoDeploymentsEnabled": private, **given}
    return filled | {"ImageRepository": {**repository, "ImageConfiguration": configuration}}


def _instance(given: Json) -> Json:
    cpu, memory = _units(given.get("Cpu", "1024"), " vCPU"), _units(given.get("Memory", "2048"), " GB")
    if memory not in _MEMORY[cpu]:
        allowed = ", ".join(_MEMORY[cpu])
        raise InvalidRequestError(f"InstanceConfiguration: memory {memory} with cpu {cpu}; allowed: {allowed}")
    return {**given, "Cpu": cpu, "Memory": memory}


def _units(value: str, word: str) -> str:
    return str(int(float(value.removesuffix(word)) * 1024)) if value.endswith(word) else value


def _health_check(given: Json) -> Json:
    return {**_HEALTH_CHECK, **given}


def _network(given: Json) -> Json:
    return {
        "EgressConfiguration": {"EgressType": "DEFAULT"},
        "IngressConfiguration": {"IsPubliclyAccessible": True},
        "IpAddressType": "IPV4",
        **{name: value for name, value in given.items() if value is not None},
    }


def _observability(given: Json) -> Json:
    return {"ObservabilityEnabled": False, **given}

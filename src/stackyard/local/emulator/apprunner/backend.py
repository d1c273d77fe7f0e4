"""App Runner of one account and region: what each operation does.

Every change is done when it is answered; the answer says "in progress", as AWS's does, and the first description that
follows says how it ended. Log groups and images are those of the emulated CloudWatch and ECR.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from uuid import uuid4

from stackyard.local.emulator.apprunner import surroundings
from stackyard.local.emulator.apprunner.errors import (
    InvalidRequestError,
    InvalidStateError,
    ResourceNotFoundError,
)
from stackyard.local.emulator.apprunner.records import (
    AUTO_SCALING,
    OBSERVABILITY,
    VPC_CONNECTOR,
    Configuration,
    ConfigurationKind,
    Service,
)
from stackyard.local.emulator.apprunner.settings import fill
from stackyard.local.emulator.shapes import Json


class AppRunner:
    """The services and configurations of one account and region. Not for two threads at once."""

    def __init__(self, account: str, region: str) -> None:
        self._account, self._region = account, region
        self._services: dict[str, Service] = {}
        self._configurations: dict[str, Configuration] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._configure(AUTO_SCALING, "DefaultConfiguration", {}, (), "0" * 31 + "1").is_default = True

    def create_configuration(self, kind: ConfigurationKind, request: Json) -> Json:
        """Make the next revision of that name."""
        settings = {name: value for name, value in request.items() if name not in {f"{kind.name}Name", "Tags"}}
        if kind is AUTO_SCALING and not settings.get("MinSize", 1) <= settings.get("MaxSize", 25) <= 25:
            raise InvalidRequestError("MaxSize: must be from MinSize to 25")
        made = self._configure(kind, request[f"{kind.name}Name"], settings, request.get("Tags") or ())
        return {kind.name: self._describe(made)}

    def describe_configuration(self, kind: ConfigurationKind, request: Json) -> Json:
        """Describe one, deleted ones too."""
        return {kind.name: self._describe(self._configuration(kind, request[f"{kind.name}Arn"]))}

    def delete_configuration(self, kind: ConfigurationKind, request: Json) -> Json:
        """Make one inactive; refused while a service uses it."""
        found = self._configuration(kind, request[f"{kind.name}Arn"])
        if found.is_default or self._users(found):
            why = "the account's default" if found.is_default else f"used by {', '.join(self._users(found))}"
            raise InvalidRequestError(f"{found.arn} cannot be deleted: it is {why}")
        found.deleted = found.deleted or time.time()
        return {kind.name: self._describe(found)}

    def list_configurations(self, kind: ConfigurationKind, request: Json) -> Json:
        """List the active ones, oldest first."""
        name: str | None = request.get(f"{kind.name}Name")
        shown = [
            described
            for each in self._active(kind)
            if name in {None, each.name}
            and ((described := self._describe(each)).get("Latest", True) or not request.get("LatestOnly"))
        ]
        return _page(kind.list_key, shown, request)

    def create_service(self, request: Json) -> Json:
        """Make a service that runs, and its log groups."""
        name = request["ServiceName"]
        if any(each.name == name and each.status != "DELETED" for each in self._services.values()):
            raise InvalidRequestError(f"Service with the provided name already exists: {name}")
        settings = fill(request, all_of_them=True)
        scaling = self._scaling(request)
        self._check_references(settings)
        identity = uuid4().hex
        arn = self._arn("service", name, identity)
        # AWS's addresses have an id of their own too, of ten characters.
        url = f"{uuid4().hex[:10]}.{self._region}.awsapprunner.com"
        made = self._services[arn] = Service(name, identity, arn, url, scaling, settings)
        self._tag(arn, request.get("Tags") or ())
        surroundings.make_log_groups(self._account, self._region, name, identity)
        return made.change("CREATE_SERVICE")

    def describe_service(self, request: Json) -> Json:
        """Describe one, deleted ones too."""
        return {"Service": self._service(request).describe()}

    def list_services(self, request: Json) -> Json:
        """List those that are not deleted."""
        shown = [each.summary() for each in self._services.values() if each.status != "DELETED"]
        return _page("ServiceSummaryList", shown, request)

    def update_service(self, request: Json) -> Json:
        """Change what the request names, each as a whole."""
        found = self._service(request, "RUNNING")
        settings = fill(request, all_of_them=False)
        scaling = self._scaling(request) if request.get("AutoScalingConfigurationArn") else found.scaling
        self._check_references(settings)
        found.settings |= settings
        found.scaling = scaling
        return found.change("UPDATE_SERVICE")

    def delete_service(self, request: Json) -> Json:
        """Delete one; its log groups stay, as on AWS."""
        return self._service(request, "RUNNING", "PAUSED").change("DELETE_SERVICE", "DELETED")

    def pause_service(self, request: Json) -> Json:
        """Pause one that runs."""
        return self._service(request, "RUNNING").change("PAUSE_SERVICE", "PAUSED")

    def resume_service(self, request: Json) -> Json:
        """Let a paused one run."""
        return self._service(request, "PAUSED").change("RESUME_SERVICE")

    def start_deployment(self, request: Json) -> Json:
        """Note a deployment of the image that it has."""
        return {"OperationId": self._service(request, "RUNNING").change("START_DEPLOYMENT")["OperationId"]}

    def list_operations(self, request: Json) -> Json:
        """List what was done to a service, the newest first."""
        return _page("OperationSummaryList", self._service(request).operations, request)

    def tag_resource(self, request: Json) -> Json:
        """Add tags."""
        self._tag(self._tagged(request), request["Tags"])
        return {}

    def untag_resource(self, request: Json) -> Json:
        """Take tags away."""
        tags = self._tags[self._tagged(request)]
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags(self, request: Json) -> Json:
        """List the tags of a service or configuration."""
        tags = self._tags[self._tagged(request)]
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _arn(self, *parts: object) -> str:
        return f"arn:aws:apprunner:{self._region}:{self._account}:{'/'.join(map(str, parts))}"

    def _service(self, request: Json, *states: str) -> Service:
        arn: str = request["ServiceArn"]
        if arn not in self._services:
            raise ResourceNotFoundError(f"Service cannot be found: {arn}")
        found = self._services[arn]
        if states and found.status not in states:
            raise InvalidStateError(f"{arn} is {found.status}; this needs {' or '.join(states)}")
        return found

    def _active(self, kind: ConfigurationKind) -> list[Configuration]:
        return [each for each in self._configurations.values() if each.kind is kind and each.deleted is None]

    def _configuration(self, kind: ConfigurationKind, arn: str) -> Configuration:
        """Find one by its ARN, whole or without id, or without id and revision (then the latest)."""
        found = self._configurations.get(arn)
        if found is None:
            found = max(
                (each for each in self._active(kind) if each.arn.startswith(f"{arn}/")),
                key=lambda each: each.revision,
                default=None,
            )
        if found is None or found.kind is not kind:
            raise ResourceNotFoundError(f"{kind.name} cannot be found: {arn}")
        return found

    def _configure(
        self, kind: ConfigurationKind, name: str, settings: Json, tags: Iterable[Json], identity: str | None = None
    ) -> Configuration:
        # Revisions that were deleted still count: a number never comes back.
        before = [each for each in self._configurations.values() if each.kind is kind and each.name == name]
        arn = self._arn(kind.name.lower(), name, len(before) + 1, identity or uuid4().hex)
        made = Configuration(kind, name, len(before) + 1, arn, {**kind.defaults, **settings})
        self._configurations[arn] = made
        self._tag(arn, tags)
        return made

    def _describe(self, which: Configuration) -> Json:
        revisions = [each.revision for each in self._active(which.kind) if each.name == which.name]
        latest = which.revision == max(revisions, default=which.revision)
        return which.describe(latest=latest, used=bool(self._users(which)))

    def _users(self, which: Configuration) -> list[str]:
        return [
            each.name
            for each in self._services.values()
            if each.status != "DELETED" and which.arn in {each.scaling.arn, *_references(each.settings).values()}
        ]

    def _scaling(self, request: Json) -> Configuration:
        arn: str | None = request.get("AutoScalingConfigurationArn")
        found = self._configuration(AUTO_SCALING, arn or self._arn("autoscalingconfiguration", "DefaultConfiguration"))
        return self._usable(found)

    def _check_references(self, settings: Json) -> None:
        """Refuse what names an image or a configuration that is not there."""
        for kind, arn in _references(settings).items():
            self._usable(self._configuration(kind, arn))
        if "SourceConfiguration" in settings:
            repository = settings["SourceConfiguration"]["ImageRepository"]
            if repository["ImageRepositoryType"] == "ECR":
                surroundings.check_image(repository["ImageIdentifier"])

    @staticmethod
    def _usable(which: Configuration) -> Configuration:
        if which.deleted is not None:
            raise InvalidRequestError(f"{which.arn} is {which.kind.inactive}")
        return which

    def _tag(self, arn: str, tags: Iterable[Json]) -> None:
        self._tags.setdefault(arn, {}).update({tag["Key"]: tag.get("Value", "") for tag in tags})

    def _tagged(self, request: Json) -> str:
        arn: str = request["ResourceArn"]
        if arn not in self._tags:
            raise ResourceNotFoundError(f"Resource cannot be found: {arn}")
        return arn


def _references(settings: Json) -> dict[ConfigurationKind, str]:
    """Return the configurations that a service's settings name, but for its scaling."""
    connector: str | None = (
        settings.get("NetworkConfiguration", {}).get("EgressConfiguration", {}).get("VpcConnectorArn")
    )
    observed: str | None = settings.get("ObservabilityConfiguration", {}).get("ObservabilityConfigurationArn")
    return {kind: arn for kind, arn in ((VPC_CONNECTOR, connector), (OBSERVABILITY, observed)) if arn}


def _page(key: str, items: Sequence[Json], request: Json) -> Json:
    """Return one page of a list; the token of the next is where it starts."""
    token: str = request.get("NextToken") or "0"
    if not token.isdecimal():
        raise InvalidRequestError(f"NextToken: {token!r} is none of ours")
    end = int(token) + int(request.get("MaxResults") or 20)
    return {key: items[int(token) : end]} | ({"NextToken": str(end)} if end < len(items) else {})

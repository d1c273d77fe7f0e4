"""Settings from the environment, read once and never changed.

Owns the names and forms of the variables that every service gets. Reads nothing at import.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Json, ValidationError, field_validator

from servicekit.cors import Cors

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = re.compile(r"/|(/[A-Za-z0-9_][A-Za-z0-9._~-]*)+")


class SettingsError(ValueError):
    """An environment variable is missing or cannot be what it says; the message names it."""


class Settings(BaseModel):
    """What a service is told about itself. Inherit from it to add variables of your own.

    A field ``database_url`` is read from ``DATABASE_URL``.
    """

    model_config = ConfigDict(frozen=True)

    service_name: str = "service"
    service_environment: str = "local"
    service_path: str = "/"
    service_url_base: str | None = None
    service_auth: str | None = None
    service_cors: Json[Cors] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    @field_validator("service_path")
    @classmethod
    def _check_path(cls, value: str) -> str:
        if not _PATH.fullmatch(value):
            message = 'must be "/" or start with a slash and end without one, like "/worker"'
            raise ValueError(message)
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _accept_lower_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every field from its variable; an empty variable counts as not set.

        Without ``environ`` the process's own environment is read, after the secrets that SERVICE_SECRETS names were
        put there (`servicekit.secrets`).

        Raises SettingsError, which names each variable that is wrong and what was found. Values of fields other than
        the ones every service has are left out of it: they may be secrets.
        """
        if environ is None and os.environ.get("SERVICE_SECRETS"):
            from servicekit.secrets import load_secrets  # noqa: PLC0415  most processes have none to read

            load_secrets()
        source = os.environ if environ is None else environ
        found = {name: source[name.upper()] for name in cls.model_fields if source.get(name.upper())}
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            lines = [_explain(str(e["loc"][0]), e["type"], e["msg"], found) for e in error.errors(include_url=False)]
            raise SettingsError("; ".join(lines)) from None


def _explain(field: str, kind: str, message: str, found: Mapping[str, str]) -> str:
    variable = field.upper()
    if kind == "missing":
        return f"{variable}: is not set"
    reason = message.removeprefix("Value error, ")
    value = f", found {found[field]!r}" if field in Settings.model_fields else ""
    return f"{variable}: {reason}{value}"

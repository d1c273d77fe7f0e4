"""Settings come from the environment, and say which variable is wrong."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from servicekit import Settings, SettingsError


def test_defaults_run_on_a_laptop() -> None:
    """With no variables at all a service runs, as itself, at the root."""
    settings = Settings.from_environ({})
    assert (settings.service_name, settings.service_environment) == ("service", "local")
    assert (settings.service_path, settings.log_level) == ("/", "INFO")


def test_variables_are_read_and_kept() -> None:
    """Each field has its variable; an empty one counts as not set; nothing can be changed afterwards."""
    settings = Settings.from_environ(
        {"SERVICE_NAME": "worker", "SERVICE_PATH": "/a/b-1", "LOG_LEVEL": "debug", "X": "y"}
    )
    assert (settings.service_name, settings.service_path, settings.log_level) == ("worker", "/a/b-1", "DEBUG")
    assert Settings.from_environ({"LOG_LEVEL": ""}).log_level == "INFO"
    with pytest.raises(ValidationError):
        settings.service_name = "other"  # pyright: ignore[reportAttributeAccessIssue]  # the claim


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SERVICE_PATH", "worker"),
        ("SERVICE_PATH", "/worker/"),
        ("SERVICE_PATH", "//worker"),
        ("SERVICE_PATH", "/../worker"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str) -> None:
    """The error names the variable and what was found."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({variable: value})
    assert str(caught.value).startswith(f"{variable}: ")
    assert repr(value) in str(caught.value)


class _Own(Settings):
    database_url: str
    pool_size: int = 5


def test_a_services_own_settings() -> None:
    """A subclass reads variables of its own, and names each one that is missing or wrong, but not its value."""
    own = _Own.from_environ({"DATABASE_URL": "postgres://db", "POOL_SIZE": "7", "SERVICE_NAME": "worker"})
    assert (own.database_url, own.pool_size, own.service_name) == ("postgres://db", 7, "worker")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: is not set; POOL_SIZE: .*integer") as caught:
        _Own.from_environ({"POOL_SIZE": "hunter2"})
    assert "hunter2" not in str(caught.value)

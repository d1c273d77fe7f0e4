"""The secrets that services name: there before a deploy, or an error that says how to make them.

On a laptop they are made: a value from ``secrets.local.yaml``, which git does not see, or a stand-in.
"""

from __future__ import annotations

from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError
from stackyard.project import Target
from stackyard.tools.secrets import has_secret, set_secret
from stackyard.yamlfile import read_yaml

FILE = "secrets.local.yaml"
STAND_IN = "local"


def check_secrets(session: Session, *, make: bool) -> None:
    """See that every secret is there that a service of the environment names; ``make`` the laptop's.

    Raises MissingError that names the command for the first one that is missing.
    """
    wanted = {secret: entry.folder for entry in session.catalog.entries for secret in entry.secrets.values()}
    if not wanted:
        return
    if session.target.emulated and make:
        _make(session, sorted(wanted))
        return
    missing = [name for name in sorted(wanted) if not has_secret(session.aws, name)]
    if missing and session.target.emulated:
        raise MissingError(
            f"the embedded AWS has no secret {', '.join(missing)}",
            "a deploy makes it",
            command="inv deploy --env local",
        )
    if missing:
        raise MissingError(
            f"AWS Secrets Manager has no {', '.join(missing)}",
            f"{wanted[missing[0]]}/service.yaml names it",
            fix="Make it; the value comes from a file, so that no shell history has it.",
            command=create_secret(session.target, missing[0]),
        )


def create_secret(target: Target, name: str) -> str:
    """Return what to type to make a secret whose value stands in a file."""
    return f"aws secretsmanager create-secret --region {target.region} --name {name} --secret-string file://value.txt"


def _make(session: Session, wanted: list[str]) -> None:
    values = _local_values(session)
    for name in wanted:
        if name in values:
            set_secret(session.aws, name, values[name])
        elif not has_secret(session.aws, name):
            set_secret(session.aws, name, STAND_IN)
            session.screen.note(f"secret {name}: a stand-in, `{STAND_IN}`; {FILE} can say another (`{name}: value`)")


def _local_values(session: Session) -> dict[str, str]:
    path = session.root / FILE
    if not path.is_file():
        return {}
    file = read_yaml(path, FILE)
    values: dict[str, str] = {}
    for name, value in file.data.items():
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{FILE}:{file.line_of((name,))}: `{name}`: it must be text, in quotes")
        values[name] = value
    return values

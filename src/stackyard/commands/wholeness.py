"""Whether a state is there and whole, before Terraform takes a lost one for an environment that was never made.

Terraform itself would plan to create everything again, and fail in the middle on names that are taken.
"""

from __future__ import annotations

from stackyard.commands.session import Session
from stackyard.errors import RefusedError
from stackyard.releases import last_number, release_prefix
from stackyard.states import parse_state


def require_state(session: Session, key: str) -> None:
    """See that a state is whole, or was never made. Raises RefusedError that says how it comes back."""
    fault = find_fault(session, key)
    if fault is not None:
        raise fault


def find_fault(session: Session, key: str) -> RefusedError | None:
    """Return what is wrong with a state, or None. Two calls where all is well."""
    target, aws = session.target, session.aws
    # To a role that may list below some prefixes only, S3 says of a missing key that it is forbidden; so it is listed.
    if key not in aws.list_keys(target.state_bucket, key):
        return _find_loss(session, key)
    text = aws.read_text(target.state_bucket, key)
    try:
        parse_state(text or "")
    except ValueError as error:
        return RefusedError(
            f"the state of {target.name} is corrupted",
            f"s3://{target.state_bucket}/{key}: {error}",
            fix="The bucket keeps older versions; the newest whole one comes back. Nothing that runs is touched.",
            command=_restore(session, key),
        )
    return None


def _find_loss(session: Session, key: str) -> RefusedError | None:
    """Tell a state that is lost from one that there never was, or that went with what it described."""
    from stackyard.tools.stateversions import read_history  # noqa: PLC0415  (botocore takes 65 ms)

    target = session.target
    place = f"s3://{target.state_bucket}/{key}"
    found = read_history(session.aws, target.state_bucket, key, 1)
    if found.versions:
        newest = found.versions[0]
        if newest.state is not None and not newest.state.addresses:
            return None
        when = f"{found.deleted:%Y-%m-%d %H:%M:%S %Z}" if found.deleted else "some time"
        return RefusedError(
            f"the state of {target.name} is gone",
            f"{place} was deleted at {when}",
            fix="The bucket keeps older versions; the newest whole one comes back. Nothing that runs is touched.",
            command=_restore(session, key),
        )
    if target.preview or key.startswith("bootstrap/"):
        return None
    number = last_number(session.aws.list_keys(target.state_bucket, release_prefix(target)))
    if not number:
        return None
    return RefusedError(
        f"the state of {target.name} is gone",
        f"release {number} is recorded, and the bucket has no version of {place}",
        fix=f"Bring a backup back. Where nothing of it runs any more: inv state-restore --env {target.name} --empty",
        command=f"inv restore --env {target.name} --from FOLDER",
    )


def _restore(session: Session, key: str) -> str:
    stack = " --stack bootstrap" if key.startswith("bootstrap/") else ""
    return f"inv state-restore --env {session.target.name}{stack}"

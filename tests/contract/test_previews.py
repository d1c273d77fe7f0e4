"""Previews against a real S3 API: who is counted, who is let in, and what may be deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stackyard.commands.previews import find_there, leave_nothing, require_room
from stackyard.commands.session import Session
from stackyard.errors import RefusedError
from stackyard.testing import ScriptedRunner, printed_screen
from tests.clients import make_client
from tests.unit.folder import PREVIEWS, PROJECT, Folder

NUMBER = "111111111111"
BUCKET = f"acme-state-{NUMBER}-eu-west-1"
FULL = json.dumps({"version": 4, "resources": [{"mode": "managed"}]})
EMPTY = json.dumps({"version": 4, "resources": []})


class Account:
    """The account of previews, of which there may be two at once."""

    def __init__(self, folder: Folder, s3: Any) -> None:
        self.folder, self.s3 = folder, s3
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def session(self, name: str) -> Session:
        """Begin a command."""
        return Session(self.folder.root, name, printed_screen().screen, ScriptedRunner())

    def put(self, name: str, state: str) -> None:
        """Write an environment's state."""
        self.s3.put_object(Bucket=BUCKET, Key=f"app/{name}/terraform.tfstate", Body=state.encode())

    def states(self) -> list[str]:
        """Return the keys of all states."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.fixture
def account(emulator: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulated account that is taken for a real one."""
    for name, value in {**emulator.environment, "AWS_ACCESS_KEY_ID": NUMBER}.items():
        monkeypatch.setenv(name, value)
    folder = Folder(tmp_path / "project")
    folder.project_yaml(PROJECT + PREVIEWS)
    make_client(emulator.url, "ecr", NUMBER).create_repository(repositoryName="acme")
    return Account(folder, make_client(emulator.url, "s3", NUMBER))


def test_a_preview_needs_room_once_and_is_destroyed_with_its_state(account: Account) -> None:
    """Those count that hold something; one that is there is let in again, though its place would not be free."""
    account.put("dev", FULL)
    account.put("pr-1", FULL)
    account.put("pr-2", EMPTY)
    require_room(account.session("pr-3"))
    require_room(account.session("dev"))
    account.put("pr-2", FULL)
    with pytest.raises(RefusedError, match="there are pr-1, pr-2"):
        require_room(account.session("pr-3"))
    account.put("pr-10", FULL)
    require_room(account.session("pr-10"))
    assert find_there(account.session("pr-3")) == ["pr-1", "pr-2", "pr-10"]

    leave_nothing(account.session("pr-1"))
    assert "app/pr-1/terraform.tfstate" in account.states(), "what holds something stays"
    account.put("pr-1", EMPTY)
    session = account.session("pr-1")
    session.layout.stack_work("pr-1", "app").mkdir(parents=True)
    for _ in range(2):
        leave_nothing(session)
    assert account.states() == [f"app/{name}/terraform.tfstate" for name in ("dev", "pr-10", "pr-2")]
    assert list(session.layout.environment("pr-1").iterdir()) == []

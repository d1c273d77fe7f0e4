"""States, records and backups in a real bucket of the embedded AWS: lost, broken, told by name, brought back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from stackyard.commands.backup import backup
from stackyard.commands.mend import mend
from stackyard.commands.record import begin, read_last, record
from stackyard.commands.reviving import revive
from stackyard.commands.session import Session
from stackyard.commands.state import Wished, begin_anew, history, restore
from stackyard.commands.wanted import Wanted, app_key
from stackyard.commands.wholeness import require_state
from stackyard.errors import MissingError, RefusedError, ToolError
from stackyard.releases import DEPLOYED
from stackyard.testing import ScriptedRunner, printed_screen
from stackyard.tools.git import Revision
from stackyard.tools.loggroups import delete_orphaned
from stackyard.tools.stateversions import locked
from stackyard.tools.terraform import LockedError
from tests.account import Account, serving_account
from tests.clients import make_client

PROJECT = """\
project: acme
repository: acme/platform
region: eu-west-1
environments:
  dev: {account: "111111111111"}
  prod: {account: "111111111111", protected: true}
  far: {account: "222222222222"}
"""
KEY = app_key("dev")


def state(serial: int, *names: str, lineage: str = "l-1") -> str:
    kind: dict[str, object] = {"mode": "managed", "type": "aws_lambda_function", "instances": []}
    resources = [kind | {"name": name} for name in names]
    return json.dumps({"version": 4, "serial": serial, "lineage": lineage, "outputs": {}, "resources": resources})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account for all tests here."""
    with serving_account(tmp_path_factory.mktemp("account"), "111111111111") as made:
        yield made


@pytest.fixture
def account(served: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account with an empty bucket that keeps versions."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    erase(served)
    served.prepare()
    keeping = {"Status": "Enabled"}
    served.client("s3").put_bucket_versioning(Bucket=served.bucket, VersioningConfiguration=keeping)
    return served


def erase(account: Account) -> None:
    """Take bucket and repository away, with all versions."""
    s3, ecr = account.client("s3"), account.client("ecr")
    found = s3.list_object_versions(Bucket=account.bucket)
    for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=account.bucket, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=account.bucket)
    ecr.delete_repository(repositoryName="acme", force=True)


@pytest.fixture
def session(account: Account, tmp_path: Path) -> Session:
    """A command's view of dev, in a project with the service api."""
    assert account.bucket
    (tmp_path / "stackyard.yaml").write_text(PROJECT)
    folder = tmp_path / "src/services/api"
    (folder / "api").mkdir(parents=True)
    for name in ("pyproject.toml", "api/__init__.py", "api/lambda_handler.py"):
        (folder / name).write_text("")
    (folder / "service.yaml").write_text("kind: lambda\nmemory: 512\n")
    return view(tmp_path, "dev")


def view(root: Path, environment: str) -> Session:
    return Session(root, environment, printed_screen().screen, ScriptedRunner())


def put(account: Account, key: str, text: str) -> None:
    account.client("s3").put_object(Bucket=account.bucket, Key=key, Body=text.encode())


def read(account: Account, key: str) -> dict[str, Any]:
    return json.loads(account.client("s3").get_object(Bucket=account.bucket, Key=key)["Body"].read())


def bring(session: Session, digest: str) -> int:
    """Do what a deploy does around its apply."""
    begun = begin(session, DEPLOYED)
    wanted = Wanted({"api": digest}, {"api": "api-1"}, Revision("c0ffee", dirty=False), DEPLOYED)
    return record(session, wanted, "1 to change", {"update": 1}, begun).release.number


def deploy(session: Session, account: Account, *states: str) -> int:
    """Write states as an apply does, and record the release."""
    for text in states:
        put(account, KEY, text)
    return bring(session, account.push("api-1"))


def test_a_history_tells_serial_time_and_who(account: Account, session: Session) -> None:
    """By the record that followed; what is no state is told as such, and what no release followed as under way."""
    deploy(session, account, state(1, "a"), state(2, "a", "b"))
    put(account, KEY, "{")
    begun = begin(session, DEPLOYED)
    found = history(session)
    rows = [(row.serial, row.resources, row.current, row.fault[:13]) for row in found.versions]
    assert rows == [(None, None, True, "it is no JSON"), (2, 2, False, ""), (1, 1, False, "")]
    # One clock second holds all of it here, so each may be the release's.
    assert {row.who for row in found.versions[1:]} == {f"{begun.who}, release 1"}
    assert all(row.when.endswith("+00:00") for row in found.versions)
    assert found.deleted == ""


def test_a_deleted_state_is_told_and_restored(account: Account, session: Session) -> None:
    """Nothing is planned over it; the command that the error names brings back the newest version, a serial higher."""
    require_state(session, KEY)
    deploy(session, account, state(4, "a"), state(5, "a", "b"))
    require_state(session, KEY)
    account.client("s3").delete_object(Bucket=account.bucket, Key=KEY)
    with pytest.raises(RefusedError, match="the state of dev is gone") as refused:
        require_state(session, KEY)
    assert refused.value.command == "inv state-restore --env dev"
    [finding] = mend(session)
    assert (finding.what, finding.command, finding.mended) == (refused.value.what, refused.value.command, False)

    shown = restore(session, Wished(), yes=False, dry_run=True)
    assert (shown.serial, shown.done, account.keys("app/dev/")) == (6, False, [])
    done = restore(session, Wished(), yes=False)
    assert (done.serial, done.kept, done.forgotten) == (6, "", ())
    assert read(account, KEY) == json.loads(state(6, "a", "b"))
    require_state(session, KEY)
    assert account.keys("app/dev/") == ["terraform.tfstate"], "the lock is gone"
    assert "restored serial 5 of " in history(session).versions[0].who
    with pytest.raises(RefusedError, match="the state of dev is whole"):
        restore(session, Wished(), yes=False)


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"version": 3}', state(9)[:-20], "\ud7ff\udfff"])
def test_a_corrupted_state_is_told_and_restored(account: Account, session: Session, broken: str) -> None:
    """Whatever it holds: the newest whole version comes back, and the broken one stays a version."""
    deploy(session, account, state(7, "a"))
    raw = broken.encode(errors="surrogatepass")
    account.client("s3").put_object(Bucket=account.bucket, Key=KEY, Body=raw)
    with pytest.raises(RefusedError, match="the state of dev is corrupted") as refused:
        require_state(session, KEY)
    assert refused.value.command == "inv state-restore --env dev"
    done = restore(session, Wished(), yes=False)
    assert read(account, KEY)["serial"] == 8
    kept = account.client("s3").get_object(Bucket=account.bucket, Key=KEY, VersionId=done.kept)
    assert kept["Body"].read() == raw


def test_an_older_version_is_restored_by_serial_or_id(account: Account, session: Session) -> None:
    """What it forgets and what it knows again is told; so is a version that there is not, or that is no state."""
    deploy(session, account, state(1, "a", "old"), state(2, "a", "new"))
    done = restore(session, Wished(serial=1), yes=False)
    names = (("aws_lambda_function.new",), ("aws_lambda_function.old",))
    assert (done.serial, done.forgotten, done.known_again) == (3, *names)
    back = restore(session, Wished(id=done.kept), yes=False)
    assert (back.serial, read(account, KEY)["resources"][1]["name"]) == (4, "new")
    put(account, KEY, "{")
    broken = history(session).versions[0].version
    for wished, error in (
        (Wished(serial=9), MissingError),
        (Wished(id="no-such-version"), MissingError),
        (Wished(id=broken), RefusedError),
    ):
        with pytest.raises(error) as refused:
            restore(session, wished, yes=False)
        assert refused.value.command == "inv state-history --env dev"


def test_a_protected_state_asks(account: Account, session: Session) -> None:
    """Without a terminal it refuses, names the command that says yes, and changes nothing."""
    prod = view(session.root, "prod")
    put(account, app_key("prod"), state(1, "a"))
    put(account, app_key("prod"), state(2))
    with pytest.raises(RefusedError) as refused:
        restore(prod, Wished(serial=1), yes=False)
    assert refused.value.command == "inv state-restore --env prod --serial 1 --yes"
    assert read(account, app_key("prod"))["serial"] == 2
    assert restore(prod, Wished(serial=1), yes=True).serial == 3
    with pytest.raises(RefusedError) as anew:
        restore(prod, begin_anew("prod"), yes=False)
    assert anew.value.command == "inv state-restore --env prod --empty --yes"
    folder = Path(backup([prod], str(session.root / "kept")).place)
    with pytest.raises(RefusedError) as revived:
        revive(prod, folder, moved=False, yes=False)
    assert revived.value.command == f"inv restore --env prod --from {folder} --yes"


def test_a_restore_waits_for_nobody(account: Account, session: Session) -> None:
    """Terraform's lock refuses it, and its own lock is told to Terraform in Terraform's words."""
    deploy(session, account, state(1, "a"), state(2, "a"))
    with locked(session.aws, account.bucket, KEY, "OperationTypeApply"):
        lock = read(account, f"{KEY}.tflock")
        assert sorted(lock) == ["Created", "ID", "Info", "Operation", "Path", "Version", "Who"]
        with pytest.raises(LockedError) as refused:
            restore(session, Wished(serial=1), yes=False)
        assert refused.value.command == f"inv unlock --env dev --id {lock['ID']}"
        [finding] = mend(session)
        assert (finding.command, finding.mended) == (refused.value.command, False)
    assert restore(session, Wished(serial=1), yes=False).serial == 3


def test_an_environment_without_versions_needs_a_backup_or_a_new_beginning(account: Account, session: Session) -> None:
    """A first deploy is no loss, nor is an environment that was destroyed."""
    deploy(session, account)
    with pytest.raises(RefusedError, match="release 1 is recorded") as refused:
        require_state(session, KEY)
    assert refused.value.command == "inv restore --env dev --from FOLDER"
    assert restore(session, begin_anew("dev"), yes=False).serial == 1
    require_state(session, KEY)
    put(account, app_key("prod"), state(3))
    account.client("s3").delete_object(Bucket=account.bucket, Key=app_key("prod"))
    require_state(view(session.root, "prod"), app_key("prod"))


def cut(account: Account, key: str) -> None:
    """Leave half of an object."""
    text = account.client("s3").get_object(Bucket=account.bucket, Key=key)["Body"].read().decode()
    put(account, key, text[: len(text) // 2])


def test_a_half_written_record_is_mended(account: Account, session: Session) -> None:
    """By an older version that is whole, else from its images' tags, else it is taken away."""
    digest = account.push("api-1")
    deploy(session, account, state(1, "a"))
    cut(account, "releases/dev/1.json")
    with pytest.raises(ToolError, match="no record of a release") as failed:
        read_last(session)
    assert failed.value.command == "inv mend --env dev"
    [seen] = mend(session, dry_run=True)
    assert (seen.what, seen.mended) == ("release 1 of dev is no record", False)
    [found] = mend(session)
    assert found.done == "its version before was whole, and is brought back"
    assert (last := read_last(session))
    assert (last.commit, last.digests) == ("c0ffee", {"api": digest})

    put(account, "releases/dev/2.json", '{"number": 2')
    put(account, "releases/dev/3.json", "")
    account.client("ecr").put_image(
        repositoryName="acme", imageTag="release-dev-2-api", imageManifest=manifest(account, digest)
    )
    assert [each.mended for each in mend(session)] == [True, True]
    assert account.keys("releases/dev/") == ["1.json", "2.json"]
    assert (last := read_last(session))
    assert (last.number, last.digests, last.who, last.when[:2]) == (2, {"api": digest}, "", "20")
    assert mend(session) == []


def manifest(account: Account, digest: str) -> str:
    [image] = account.client("ecr").batch_get_image(repositoryName="acme", imageIds=[{"imageDigest": digest}])["images"]
    return image["imageManifest"]


def test_a_half_written_note_still_owes_a_release(account: Account, session: Session) -> None:
    """The next deploy that changes nothing records it."""
    digest = account.push("api-1")
    deploy(session, account, state(1, "a"))
    begin(session, DEPLOYED)
    cut(account, "releases/dev/underway.json")
    with pytest.raises(ToolError) as failed:
        begin(session, DEPLOYED)
    assert failed.value.command == "inv mend --env dev"
    [found] = mend(session)
    assert found.mended
    [left] = mend(session)
    assert (left.what, left.command) == ("what somebody began has left no release", "inv deploy --env dev")
    wanted = Wanted({"api": digest}, {"api": "api-1"}, Revision("c0ffee", dirty=False), DEPLOYED)
    assert record(session, wanted, "no changes", {}, None).release.number == 2
    assert mend(session) == []


def test_a_note_that_was_kept_is_taken_away(account: Account, session: Session) -> None:
    """A run that was killed between its record and the end of its note, tags or not, owes nothing any more."""
    digest = account.push("api-1")
    put(account, KEY, state(1, "a"))
    begun = begin(session, DEPLOYED)
    wanted = Wanted({"api": digest}, {"api": "api-1"}, Revision("c0ffee", dirty=False), DEPLOYED)
    record(session, wanted, "1 to change", {"update": 1}, begun)
    put(account, "releases/dev/underway.json", json.dumps(asdict(begun)))
    account.client("ecr").batch_delete_image(repositoryName="acme", imageIds=[{"imageTag": "release-dev-1-api"}])
    [seen, _] = mend(session, dry_run=True)
    assert (seen.what, seen.mended) == ("the note of release 1 is still there", False)
    assert [each.mended for each in mend(session)] == [True, True]
    assert account.keys("releases/dev/") == ["1.json"]
    assert account.tags("dev") == {"release-dev-1-api": digest}
    assert mend(session) == []


def test_a_deleted_image_is_told_and_kept_again_once_it_is_built(account: Account, session: Session) -> None:
    """The deploy that is named builds it; the record's tags come back with it, though nothing else changes."""
    digest = account.push("api-1")
    deploy(session, account, state(1, "a"))
    ecr = account.client("ecr")
    ecr.batch_delete_image(repositoryName="acme", imageIds=[{"imageDigest": digest}])
    [found] = mend(session)
    assert found.what == "acme has lost images of release 1: api"
    assert found.command == "git checkout c0ffee && inv deploy --env dev"
    assert account.push("api-1") == digest
    wanted = Wanted({"api": digest}, {"api": "api-1"}, Revision("c0ffee", dirty=False), DEPLOYED)
    assert record(session, wanted, "no changes", {}, None).release.number == 1
    assert account.tags("dev") == {"release-dev-1-api": digest}
    ecr.batch_delete_image(repositoryName="acme", imageIds=[{"imageTag": "release-dev-1-api"}])
    [again] = mend(session)
    assert (again.mended, mend(session)) == (True, [])


def test_a_backup_brings_back_a_lost_bucket(account: Account, session: Session, tmp_path: Path) -> None:
    """Bucket, states, records; what is there already is left alone, what was damaged on its way is refused."""
    deploy(session, account, state(3, "a"))
    put(account, "bootstrap/terraform.tfstate", state(8, "roles"))
    far = view(session.root, "far")
    done = backup([session, view(session.root, "prod"), far], str(tmp_path / "kept"))
    assert [(each.environment, each.release, each.serial) for each in done.environments] == [
        ("dev", 1, 3),
        ("prod", 0, -1),
    ]
    assert done.left_out == ("far",)
    folder = Path(done.place)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "stackyard.yaml").read_text() == PROJECT
    [image] = json.loads((folder / "dev/images.json").read_text())
    assert (image["service"], image["there"]) == ("api", True)

    erase(account)
    with pytest.raises(MissingError, match="there is no state bucket") as missing:
        require_state(session, KEY)
    assert missing.value.command == "inv bootstrap --env dev"
    assert revive(session, folder, moved=False, yes=False, dry_run=True).bucket_made
    revived = revive(session, folder, moved=False, yes=False)
    assert [(each.stack, each.serial) for each in revived.states] == [("bootstrap", 9), ("app", 4)]
    assert revived.records == ("releases/dev/1.json",)
    assert read(account, KEY)["resources"] == json.loads(state(3, "a"))["resources"]
    assert read(account, "releases/dev/1.json")["commit"] == "c0ffee"
    again = revive(session, folder, moved=False, yes=False)
    assert ([each.stack for each in again.states], again.records) == (["app"], ())
    account.client("ecr").create_repository(repositoryName="acme", imageTagMutability="IMMUTABLE")

    (folder / "dev/app.tfstate").write_text(state(3))
    (folder / "dev/releases/1.json").unlink()
    with pytest.raises(RefusedError, match=r"app\.tfstate was changed or cut short; releases/1\.json is missing"):
        revive(session, folder, moved=False, yes=False)
    with pytest.raises(MissingError, match="is no backup of dev"):
        revive(session, tmp_path / "src", moved=False, yes=False)


@pytest.mark.parametrize("prefix", ["vault", "vault/acme/"])
def test_a_backup_goes_to_another_bucket(account: Account, session: Session, prefix: str) -> None:
    """Under a prefix of its own, stackyard.yaml beside it."""
    deploy(session, account, state(3, "a"))
    s3 = make_client(account.endpoint, "s3")
    s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    done = backup([session], f"s3://elsewhere/{prefix}")
    with pytest.raises(MissingError, match="there is no bucket nowhere"):
        backup([session], f"s3://nowhere/{prefix}")
    keys: Sequence[str] = [each["Key"] for each in s3.list_objects_v2(Bucket="elsewhere")["Contents"]]
    names = ["dev/app.tfstate", "dev/backup.json", "dev/images.json", "dev/releases/1.json", "stackyard.yaml"]
    assert sorted(keys) == [f"{done.place.removeprefix('s3://elsewhere/')}/{name}" for name in names]
    for key in keys:
        s3.delete_object(Bucket="elsewhere", Key=key)
    s3.delete_bucket(Bucket="elsewhere")


def test_log_groups_of_services_that_are_gone_go(account: Account, session: Session) -> None:
    """App Runner leaves them; another environment's and another project's stay."""
    logs = account.client("logs")
    kept = ["/aws/apprunner/acme-developer-web/1/application", "/aws/apprunner/acme-prod-web/2/service"]
    gone = ["/aws/apprunner/acme-dev-web/3/application", "/aws/apprunner/acme-dev-web/3/service"]
    for name in (*kept, *gone):
        logs.create_log_group(logGroupName=name)
    assert delete_orphaned(session.aws) == gone
    assert [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]] == kept
    assert delete_orphaned(session.aws) == []

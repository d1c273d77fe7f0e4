"""Releases in a real bucket and a real image repository of the embedded AWS: begun, recorded, kept, forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from stackyard.commands.cost import compare_release
from stackyard.commands.deploy import find_kept
from stackyard.commands.promote import bring_images, find_missing, promote
from stackyard.commands.record import begin, find_underway, forget, read_history, read_last, record
from stackyard.commands.releases import releases
from stackyard.commands.rollback import rollback
from stackyard.commands.session import Session
from stackyard.commands.wanted import Options, Wanted
from stackyard.errors import MissingError, RefusedError, StackyardError, ToolError
from stackyard.releases import DEPLOYED, KEPT, Release, Source
from stackyard.testing import ScriptedRunner, printed_screen
from stackyard.tools.aws import Aws
from stackyard.tools.git import Revision
from stackyard.tools.process import SystemRunner
from stackyard.tools.repository import Repository
from tests.account import Account, serving_account

PROJECT = """\
project: acme
repository: acme/platform
region: eu-west-1
environments:
  dev: {account: "111111111111"}
  test: {account: "111111111111"}
"""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account for all tests here; each empties its bucket and its repository."""
    with serving_account(tmp_path_factory.mktemp("account"), "111111111111") as served:
        yield served


@pytest.fixture
def session(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A command's view of dev, in a project with the service api."""
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    account.empty()
    (tmp_path / "stackyard.yaml").write_text(PROJECT)
    folder = tmp_path / "src/services/api"
    (folder / "api").mkdir(parents=True)
    for name in ("pyproject.toml", "api/__init__.py", "api/lambda_handler.py"):
        (folder / name).write_text("")
    (folder / "service.yaml").write_text("kind: lambda\nmemory: 512\n")
    return Session(tmp_path, "dev", printed_screen().screen, ScriptedRunner())


def wanted(digest: str, source: Source = DEPLOYED) -> Wanted:
    return Wanted({"api": digest}, {"api": "api-1"}, Revision("c0ffee", dirty=False), source)


def bring(session: Session, digest: str, source: Source = DEPLOYED) -> int:
    """Do what a deploy does around its apply."""
    begun = begin(session, source)
    return record(session, wanted(digest, source), "1 to change", {"update": 1}, begun).release.number


def kept(account: Account, environment: str = "dev") -> Mapping[str, str]:
    """Return an environment's tags."""
    return account.tags(environment)


def test_the_last_releases_images_are_kept_and_no_others(account: Account, session: Session) -> None:
    """Tags come with each release and go with the one that is too long ago; fingerprints stay."""
    first, second = account.push("api-1"), account.push("api-2")
    for number in range(1, KEPT + 3):
        assert bring(session, first if number <= 2 else second) == number
    assert kept(account) == {f"release-dev-{number}-api": second for number in range(3, KEPT + 3)}
    assert Repository(session.aws).find_digests([first, second, f"sha256:{0:064}"]) == {first, second}
    assert list(read_history(session, 5)) == list(range(KEPT - 2, KEPT + 3))
    listing = releases(session, count=2)
    assert [(each.release.number, each.changed, each.running) for each in listing.releases] == [
        (KEPT + 2, ["infrastructure"], True),
        (KEPT + 1, ["infrastructure"], False),
    ]


def test_a_record_says_what_was_brought(account: Account, session: Session) -> None:
    """And the next one is compared with it; without a change there is none."""
    digest = account.push("api-1")
    bring(session, digest, Source("promote", "test", 4))
    last = read_last(session)
    assert last is not None
    assert (last.settings, last.source.words(), last.changes) == (
        {"api": {"kind": "lambda", "memory": 512}},
        "promoted from test 4",
        {"update": 1},
    )
    again = record(session, wanted(digest), "no changes", {}, None)
    assert (again.release, again.before, again.owed) == (last, None, None)
    assert account.keys("releases/dev/") == ["1.json"]


def test_a_record_is_enough_to_tell_what_a_change_costs(account: Account, session: Session) -> None:
    """Services and the environment's own settings, as they were; an older record lacks the latter and is compared."""
    bring(session, account.push("api-1"))
    service = session.root / "src/services/api/service.yaml"
    service.write_text("kind: lambda\nmemory: 1024\n")
    (session.root / "stackyard.yaml").write_text(PROJECT.replace('"}', '", xray: false}'))
    now = Session(session.root, "dev", session.screen, session.runner)
    last = read_last(now)
    assert last is not None
    found = compare_release(now, last)
    assert found is not None
    assert [part.words() for part in found.parts] == [
        "api: + $0.66 (memory 512 → 1024)",
        "shared: - $5.00 (X-Ray goes)",
    ]
    older = compare_release(now, replace(last, ground=None))
    assert older is not None
    assert [part.service for part in older.parts] == ["api"]


@pytest.mark.parametrize("moment", ["before the record", "before the tags", "before the note's end"])
def test_what_a_kill_left_is_done_by_the_next_run(account: Account, session: Session, moment: str) -> None:
    """Whether that one changes something or not: one record, its tags, and no note that one is owed."""
    digest, other = account.push("api-1"), account.push("api-2")
    underway = begin(session, DEPLOYED)
    if moment != "before the record":
        record(session, wanted(digest), "1 to change", {}, underway)
        session.aws.put_new(account.bucket, "releases/dev/underway.json", asdict(underway))
        if moment == "before the tags":
            Repository(session.aws).remove_tags(account.tags("dev"))
    done = record(session, wanted(digest), "no changes", {}, None)
    assert (done.release.number, done.before, done.owed) == (1, None, underway)
    assert kept(account) == {"release-dev-1-api": digest}
    assert find_underway(session) is None

    underway = begin(session, DEPLOYED)
    record(session, wanted(other), "1 to change", {}, underway)
    session.aws.put_new(account.bucket, "releases/dev/underway.json", asdict(underway))
    Repository(session.aws).remove_tags({"release-dev-2-api"})
    done = record(session, wanted(other), "no changes", {}, None)
    assert (done.release.number, done.before and done.before.number, done.owed) == (2, 1, underway)
    session.aws.put_new(account.bucket, "releases/dev/underway.json", asdict(underway))
    Repository(session.aws).remove_tags({"release-dev-2-api"})
    assert bring(session, digest) == 3
    assert kept(account) == {"release-dev-1-api": digest, "release-dev-2-api": other, "release-dev-3-api": digest}
    assert find_underway(session) is None


def test_two_who_bring_at_once_leave_a_record_each(account: Account, session: Session) -> None:
    """And the first to end leaves the other's note alone."""
    digest, other = account.push("api-1"), account.push("api-2")
    mine = begin(session, DEPLOYED)
    theirs = begin(session, DEPLOYED)
    assert record(session, wanted(digest), "", {}, mine).release.number == 1
    assert find_underway(session) == theirs
    assert record(session, wanted(other), "", {}, theirs).release.number == 2
    assert find_underway(session) is None


def test_a_forgotten_environment_keeps_records_and_no_tags(account: Account, session: Session) -> None:
    """Another's are not touched, and neither is the image."""
    digest = account.push("api-1")
    bring(session, digest)
    bring(Session(session.root, "test", session.screen, session.runner), digest)
    forget(session)
    assert kept(account) == {}
    assert kept(account, "test") == {"release-test-1-api": digest}
    assert account.keys("releases/dev/") == ["1.json"]
    forget(session)


def test_a_broken_record_is_named(account: Account, session: Session) -> None:
    """With its place; a release that was never there is another error."""
    bring(session, account.push("api-1"))
    session.aws.put_text(account.bucket, "releases/dev/2.json", "{")
    with pytest.raises(ToolError, match=r"releases/dev/2.json cannot be read"):
        read_last(session)


def test_an_image_that_is_gone_is_not_tagged(account: Account, session: Session) -> None:
    """The record is there, and so is the note: the tags are still owed."""
    assert account.number == session.target.account
    with pytest.raises(MissingError, match=r"has no sha256:"):
        bring(session, f"sha256:{0:064}")
    assert find_underway(session) is not None


def refused(kind: type[StackyardError], session: Session, work: Callable[[], object], *words: str) -> str:
    """Insist that work is refused in these words, with a command; return the command."""
    with pytest.raises(kind) as caught:
        work()
    for word in words:
        assert word in str(caught.value)
    assert not session.aws.client("lambda").list_functions()["Functions"]
    return caught.value.command


def test_what_cannot_be_rolled_back_is_refused_with_the_way(account: Account, session: Session) -> None:
    """Nothing before, other services, images that have expired, the same images: each names what to type instead."""
    back = partial(rollback, session, Options(yes=True))
    assert refused(MissingError, session, back, "dev has nothing to go back to") == "inv releases --env dev"
    old, new = account.push("api-1"), account.push("api-2")
    bring(session, old)
    refused(MissingError, session, back, "nothing to go back to", "release 1 runs")
    settings = session.root / "src/services/api/service.yaml"
    settings.write_text("kind: lambda\nmemory: 1024\n")
    session = Session(session.root, "dev", session.screen, session.runner)
    back = partial(rollback, session, Options(yes=True))
    bring(session, old)
    way = refused(RefusedError, session, back, "release 2 has the images of release 1", "api.memory")
    assert way == "git checkout c0ffee && inv deploy --env dev"

    bring(session, new)
    Repository(session.aws).remove_tags({"api-1", "release-dev-1-api", "release-dev-2-api"})
    way = refused(MissingError, session, back, "images of release 2 of dev are gone: api")
    assert way == "git checkout c0ffee && inv deploy --env dev"
    refused(MissingError, session, partial(rollback, session, Options(), 9), "dev has no release 9")
    (session.root / "src/services/api").rename(session.root / "src/services/web")
    (session.root / "src/services/web/api").rename(session.root / "src/services/web/web")
    session = Session(session.root, "dev", session.screen, ScriptedRunner())
    way = refused(
        RefusedError,
        session,
        partial(rollback, session, Options(), 2),
        "release 2 of dev has api, the working tree does not; the working tree has web",
    )
    assert way == "git checkout c0ffee && inv rollback --env dev --to 2"


def test_what_cannot_be_promoted_is_refused_with_the_way(account: Account, session: Session) -> None:
    """To itself, from or to the laptop, from an environment without a release, what has expired."""

    def promotes(source: str, to: str) -> Callable[[], object]:
        view = partial(Session, session.root, screen=session.screen, runner=SystemRunner())
        return lambda: promote(view(environment=to), view(environment=source), Options(yes=True))

    assert refused(RefusedError, session, promotes("dev", "dev"), "itself") == "inv rollback --env dev"
    assert refused(RefusedError, session, promotes("local", "dev"), "the laptop's images") == "inv deploy --env dev"
    assert refused(RefusedError, session, promotes("dev", "local"), "the laptop's images") == "inv deploy --env local"
    assert refused(MissingError, session, promotes("dev", "test"), "dev has no release yet") == "inv deploy --env dev"
    bring(session, account.push("api-1"))
    Repository(session.aws).remove_tags({"api-1", "release-dev-1-api"})
    way = refused(MissingError, session, promotes("dev", "test"), "images of release 1 of dev are gone")
    assert way == "git checkout c0ffee && inv deploy --env dev"


def test_services_that_are_not_named_keep_their_images(account: Account, session: Session) -> None:
    """Those of the last release, which must know them; a name that is no service's is told."""
    none = partial(find_kept, session, ["api"])
    assert refused(MissingError, session, none, "dev has no release yet") == "inv deploy --env dev"
    digest = account.push("api-1")
    bring(session, digest)
    assert find_kept(session, ["api"]).digests == {"api": digest}
    refused(MissingError, session, partial(find_kept, session, ["shop"]), "there is no service shop")
    shutil.copytree(session.root / "src/services/api", session.root / "src/services/web")
    (session.root / "src/services/web/api").rename(session.root / "src/services/web/web")
    session = Session(session.root, "dev", session.screen, ScriptedRunner())
    assert find_kept(session, ["web"]).digests == {"api": digest}
    way = refused(MissingError, session, partial(find_kept, session, ["api"]), "web is not in release 1")
    assert way == "inv deploy --env dev"


def pushes(account: Account, tag: str, of: str) -> Callable[[], None]:
    """Do what docker's copy does in the other registry."""

    def push() -> None:
        account.push(tag, of)

    return push


def test_images_come_from_another_account_by_their_digest(
    account: Account, session: Session, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Docker is logged in to both registries and copies what is missing; a tag that is taken is left alone."""
    text = PROJECT.replace('test: {account: "111111111111"}', 'prod: {account: "222222222222", protected: true}')
    (session.root / "stackyard.yaml").write_text(text)
    with serving_account(tmp_path_factory.mktemp("far"), "222222222222") as far:
        digests = {name: account.push(f"{name}-1") for name in ("api", "taken", "there")}
        far.push("there-1")
        far.push("taken-1", of="another build")
        scripted = ScriptedRunner({"docker": "docker"})
        source, target = (Session(session.root, name, session.screen, scripted) for name in ("dev", "prod"))
        target.aws = Aws(target.target, far.endpoint)
        release = Release(4, "dev", digests, "", dirty=False, who="", when="", summary="")
        release = replace(release, images={name: f"{name}-1" for name in digests})
        here, there = (f"{view.target.registry}/acme" for view in (source, target))
        scripted.expect("docker", "version", ...).expect("docker", "buildx", "version")
        for name in (source.target.registry, target.target.registry):
            scripted.expect("docker", "login", "--username", "AWS", "--password-stdin", name)
        copies = {"api": "api-1", "taken": f"taken-{digests['taken'].removeprefix('sha256:')[:16]}"}
        for name, tag in copies.items():
            scripted.expect(
                *("docker", "buildx", "imagetools", "create", ..., f"{there}:{tag}", f"{here}@{digests[name]}"),
                does=pushes(far, tag, f"{name}-1"),
            )
        missing = find_missing(target, release)
        assert set(missing) == {"api", "taken"}
        with scripted:
            bring_images(target, source, release, missing, dry_run=False)
        assert all(call.stdin for call in scripted.calls if "login" in call.argv)
        assert find_missing(target, release) == {}

"""Every Terraform command as it is started, and what its endings become."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stackyard.errors import ConfigError, MissingError, RefusedError, StackyardError, ToolError
from stackyard.testing import ScriptedRunner
from stackyard.tools.terraform import LockedError, Planned, Stack
from stackyard.tools.terraform_binary import Binary
from stackyard.tools.tfevents import Applied, Change, Event

RECORDED = Path(__file__).with_name("recorded")


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8")


AGAIN = "inv promote --from test --to prod"


@pytest.fixture
def stack(tmp_path: Path, runner: ScriptedRunner) -> Stack:
    """A stack of prod with one source file, not yet initialised."""
    source = tmp_path / "infra/app"
    source.mkdir(parents=True)
    (source / "main.tf").write_text("# main")
    return Stack(
        runner=runner,
        binary=Binary(("/bin/terraform",), "Terraform", "1.11.4"),
        source=source,
        work=tmp_path / "work",
        environment="prod",
        again=AGAIN,
        env={"PATH": "/bin", "TF_DATA_DIR": "/elsewhere"},
        backend={"bucket": "acme-state", "use_lockfile": "true"},
        variables={"environment": "prod", "image_digests": '{"api" = "sha256:0"}'},
        parallelism=7,
        keep_fds=(9,),
    )


def expect_init(runner: ScriptedRunner, stack: Stack, **ends: str | int) -> None:
    def does() -> None:
        if not ends:
            (stack.work / "data/providers").mkdir(parents=True, exist_ok=True)
            (stack.work / "data/terraform.tfstate").touch()

    runner.expect(
        *stack.binary.argv,
        f"-chdir={stack.source}",
        "init",
        "-input=false",
        "-no-color",
        "-reconfigure",
        *(f"-backend-config={name}={value}" for name, value in stack.backend.items()),
        code=int(ends.get("code", 0)),
        stderr=str(ends.get("stderr", "")),
        stdout=str(ends.get("stdout", "")),
        does=does,
    )


def initialised(runner: ScriptedRunner, stack: Stack) -> list[Path]:
    sources = sorted(stack.source.glob("*.tf"))
    expect_init(runner, stack)
    assert stack.init(sources)
    return sources


def ready(stack: Stack) -> Stack:
    (stack.work / "data").mkdir(parents=True)
    return stack


def test_init_is_skipped_while_nothing_that_it_reads_has_changed(runner: ScriptedRunner, stack: Stack) -> None:
    """A repeated init costs more than a second."""
    sources = initialised(runner, stack)
    assert not stack.init(sources)
    assert len(runner.calls) == 1


CHANGES: list[tuple[str, Callable[[Stack], object]]] = [
    ("a source", lambda stack: stack.source.joinpath("main.tf").write_text("# other")),
    ("a new source", lambda stack: stack.source.joinpath("more.tf").write_text("")),
    ("the lock file", lambda stack: stack.source.joinpath(".terraform.lock.hcl").write_text("x")),
    ("the backend", lambda stack: setattr(stack, "backend", {**stack.backend, "key": "k"})),
    ("the binary", lambda stack: setattr(stack, "binary", Binary(("/opt/tofu",), "OpenTofu", "1.11.4"))),
    ("its version", lambda stack: setattr(stack, "binary", Binary(("/bin/terraform",), "Terraform", "1.12.0"))),
    ("the CLI configuration", lambda stack: setattr(stack, "env", {**stack.env, "TF_CLI_CONFIG_FILE": "/rc"})),
    ("its data lost", lambda stack: stack.work.joinpath("data/providers").rmdir()),
    ("its backend lost", lambda stack: stack.work.joinpath("data/terraform.tfstate").unlink()),
]


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in CHANGES])
def test_init_runs_again_after_a_change_of(
    runner: ScriptedRunner, stack: Stack, change: Callable[[Stack], object]
) -> None:
    """Anything that init reads."""
    initialised(runner, stack)
    change(stack)
    initialised(runner, stack)


def test_init_takes_the_lock_file_that_it_writes_into_account(runner: ScriptedRunner, stack: Stack) -> None:
    """Else the second deploy of every project would init again."""
    sources = sorted(stack.source.glob("*.tf"))

    def does() -> None:
        (stack.work / "data/providers").mkdir(parents=True)
        (stack.work / "data/terraform.tfstate").touch()
        (stack.source / ".terraform.lock.hcl").write_text("written by init")

    runner.expect("/bin/terraform", ..., does=does)
    assert stack.init(sources)
    assert not stack.init(sources)


def test_a_failed_init_is_not_taken_for_a_done_one(runner: ScriptedRunner, stack: Stack) -> None:
    """Nor is one that was killed: the mark is taken away before it starts."""
    sources = initialised(runner, stack)
    stack.backend = {"bucket": "other"}
    expect_init(runner, stack, code=1, stderr="Error: no")
    with pytest.raises(ToolError, match="terraform init failed"):
        stack.init(sources)
    stack.backend = {"bucket": "acme-state", "use_lockfile": "true"}
    initialised(runner, stack)


def test_a_command_gets_its_own_data_folder_and_the_lock(runner: ScriptedRunner, stack: Stack) -> None:
    """So that no environment's variables meet another's state, and a killed run's Terraform still holds the lock."""
    initialised(runner, stack)
    [call] = runner.calls
    assert call.env is not None
    assert call.env["TF_DATA_DIR"] == str(stack.work / "data")
    assert (call.env["TF_INPUT"], call.env["TF_IN_AUTOMATION"], call.env["CHECKPOINT_DISABLE"]) == ("0", "1", "1")
    assert (call.env["PATH"], call.env["GOGC"]) == ("/bin", "400")
    assert call.keep_fds == (9,)


@pytest.mark.parametrize(("code", "changed"), [(0, False), (2, True)])
def test_a_plan_is_kept_in_a_file_and_says_whether_it_changes(
    runner: ScriptedRunner, stack: Stack, code: int, changed: bool
) -> None:
    """By -detailed-exitcode, which counts outputs too."""
    ready(stack)
    file = stack.work / "plan.tfplan"
    runner.expect(
        "/bin/terraform",
        f"-chdir={stack.source}",
        "plan",
        "-parallelism=7",
        "-json",
        "-input=false",
        "-detailed-exitcode",
        f"-out={file}",
        "-var=environment=prod",
        '-var=image_digests={"api" = "sha256:0"}',
        code=code,
        stdout=recorded("plan") if changed else "",
    )
    seen: list[Event] = []
    planned = stack.plan(seen.append)
    assert (planned.file, planned.changed) == (file, changed)
    assert [change.action for change in planned.changes] == (
        ["remove", "replace", "delete", "import", "move", "create", "update"] if changed else []
    )
    assert [event for event in seen if isinstance(event, Change)] == list(planned.changes)
    assert stack.work.stat().st_mode & 0o777 == 0o700


def test_a_plan_to_destroy_says_so(runner: ScriptedRunner, stack: Stack) -> None:
    """Terraform's own flag."""
    runner.expect("/bin/terraform", ..., "plan", ..., "-destroy", ..., code=2)
    assert ready(stack).plan(lambda _: None, destroy=True).changed


def test_an_apply_takes_the_kept_plan_and_removes_it(runner: ScriptedRunner, stack: Stack) -> None:
    """The plan holds every value; its positional argument comes last."""
    planned = kept(ready(stack))
    runner.expect(
        "/bin/terraform",
        f"-chdir={stack.source}",
        "apply",
        "-parallelism=7",
        "-json",
        "-input=false",
        str(planned.file),
        stdout=recorded("apply"),
    )
    seen: list[Event] = []
    pids: list[int] = []
    stack.on_start = pids.append
    stack.apply(planned, seen.append)
    assert Applied("terraform_data.slow", "created", 12) in seen
    assert pids == [0]
    assert not planned.file.exists()


def kept(stack: Stack) -> Planned:
    file = stack.work / "plan.tfplan"
    file.write_text("plan")
    return Planned(file, (), changed=True)


def diagnostic(summary: str, detail: str = "") -> str:
    return json.dumps({"type": "diagnostic", "diagnostic": {"severity": "error", "summary": summary, "detail": detail}})


@pytest.mark.parametrize(
    ("stdout", "kind", "words", "command"),
    [
        pytest.param(
            recorded("locked"),
            RefusedError,
            "the state of prod is locked: ada@laptop holds it since 2026-11-23 08:05:20.470769877 +0000 UTC (apply)",
            "inv unlock --env prod --id 0f955b9c-ee0b-9338-749c-f5ab4ee26590",
            id="locked",
        ),
        pytest.param(recorded("stale"), RefusedError, "the plan for prod is out of date", AGAIN, id="stale"),
        pytest.param(recorded("failed"), ToolError, "terraform apply failed", AGAIN, id="failed"),
        pytest.param(
            diagnostic("No valid credential sources found", "Please see …"),
            MissingError,
            "no AWS credentials",
            "inv doctor --env prod",
            id="no credentials",
        ),
        pytest.param(
            diagnostic("Retrieving AWS account details", "StatusCode: 403, api error InvalidClientTokenId: no"),
            MissingError,
            "no AWS credentials",
            "inv doctor --env prod",
            id="wrong credentials",
        ),
        pytest.param(
            diagnostic("Failed to save", "write /x: no space\nleft on device"),
            MissingError,
            "terraform apply: the disk is full",
            "df -h .",
            id="disk full",
        ),
        pytest.param(
            recorded("precondition"), ConfigError, "the configuration was refused", "inv services", id="precondition"
        ),
        pytest.param(
            diagnostic("creating IAM Role", "EntityAlreadyExists: Role with name x already exists"),
            ToolError,
            "Terraform's state does not know it",
            "inv doctor --env prod",
            id="exists",
        ),
    ],
)
def test_a_failed_apply_becomes_the_error_that_helps(
    runner: ScriptedRunner, stack: Stack, stdout: str, kind: type[StackyardError], words: str, command: str
) -> None:
    """Its kind is its exit code; Terraform's own words come with it; the plan is gone in any case."""
    planned = kept(ready(stack))
    runner.expect("/bin/terraform", ..., code=1, stdout=stdout)
    with pytest.raises(kind) as caught:
        stack.apply(planned, lambda _: None)
    assert words in str(caught.value)
    assert caught.value.command == command
    assert not planned.file.exists()


def test_a_lock_is_handed_on_with_the_error(runner: ScriptedRunner, stack: Stack) -> None:
    """On the laptop it can be released at once."""
    runner.expect("/bin/terraform", ..., "plan", ..., code=1, stdout=recorded("locked"))
    with pytest.raises(LockedError) as caught:
        ready(stack).plan(lambda _: None)
    assert caught.value.exit_code == 5
    assert caught.value.lock.id == "0f955b9c-ee0b-9338-749c-f5ab4ee26590"


def test_a_failure_without_diagnostics_shows_what_there_is(runner: ScriptedRunner, stack: Stack) -> None:
    """A crash prints to standard error."""
    runner.expect("/bin/terraform", ..., code=11, stderr="panic: oh")
    with pytest.raises(ToolError) as caught:
        ready(stack).plan(lambda _: None)
    assert caught.value.detail == "panic: oh"


def test_every_error_of_a_failure_is_shown(runner: ScriptedRunner, stack: Stack) -> None:
    """Warnings are not errors."""
    warning = json.dumps({"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "old"}})
    lines = "\n".join([diagnostic("one", "first"), warning, diagnostic("two")])
    runner.expect("/bin/terraform", ..., code=1, stdout=lines)
    with pytest.raises(ToolError) as caught:
        ready(stack).plan(lambda _: None)
    assert caught.value.detail == "one\nfirst\n\ntwo"


# As Terraform 1.11.4 printed them: its sentences are broken into lines.
NO_CREDENTIALS = """
Error: No valid credential sources found

Please see https://developer.hashicorp.com/terraform/language/backend/s3
for more information about providing credentials.

Error: failed to refresh cached credentials, no EC2 IMDS role found,
operation error ec2imds: GetMetadata, access disabled to EC2 IMDS
"""
NO_PROVIDER = """
Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider hashicorp/aws:
cannot search /nonexistent: lstat /nonexistent: no such file or directory
"""
DISK_FULL = """
Error: Failed to install provider

Error while installing hashicorp/aws v5.100.0: failed to create parent
directories leading to
/project/data/providers/registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64:
mkdir /project/data/providers/registry.terraform.io/hashicorp: no
space left on device
"""


@pytest.mark.parametrize(
    ("stderr", "words", "command"),
    [
        pytest.param(NO_CREDENTIALS, "no AWS credentials", "inv doctor --env prod", id="no credentials"),
        pytest.param(
            NO_PROVIDER, "no AWS provider", "export STACKYARD_PROVIDER_MIRROR=/path/to/mirror", id="no provider"
        ),
        pytest.param(DISK_FULL, "the disk is full", "df -h .", id="disk full"),
    ],
)
def test_an_init_that_lacks_something_says_what(
    runner: ScriptedRunner, stack: Stack, stderr: str, words: str, command: str
) -> None:
    """With exit code 3, about the environment that was asked for."""
    expect_init(runner, stack, code=1, stderr=stderr)
    with pytest.raises(MissingError, match=words) as caught:
        stack.init([])
    assert caught.value.command == command
    assert caught.value.detail == stderr


def test_a_work_folder_that_cannot_be_written_is_named(runner: ScriptedRunner, stack: Stack) -> None:
    """Before Terraform is started."""
    stack.work.parent.joinpath("file").touch()
    stack.work = stack.work.parent / "file" / "work"
    with pytest.raises(MissingError, match="cannot write initialised"):
        stack.init([])


def test_a_log_that_cannot_be_written_is_named(runner: ScriptedRunner, stack: Stack) -> None:
    """As on a full disk."""
    (ready(stack).work / "plan.jsonl").mkdir()
    runner.expect("/bin/terraform", ...)
    with pytest.raises(MissingError, match=re.escape("cannot write plan.jsonl")):
        stack.plan(lambda _: None)


def test_outputs_are_read_by_name(runner: ScriptedRunner, stack: Stack) -> None:
    """Without the types around them; none before the first apply."""
    argv = ("/bin/terraform", f"-chdir={stack.source}", "output", "-json", "-no-color")
    runner.expect(*argv, stdout='{"url": {"value": "https://x", "type": "string", "sensitive": false}}')
    runner.expect(*argv, stdout="{}")
    assert stack.outputs() == {"url": "https://x"}
    assert stack.outputs() == {}


def test_outputs_and_show_fail_with_terraforms_words(runner: ScriptedRunner, stack: Stack) -> None:
    """As an outside tool's failure."""
    runner.expect("/bin/terraform", ..., "output", ..., code=1, stderr="oh")
    runner.expect("/bin/terraform", ..., "show", "-no-color", "/p", code=1, stderr="no")
    with pytest.raises(ToolError) as caught:
        stack.outputs()
    assert caught.value.detail == "oh"
    with pytest.raises(ToolError) as caught:
        stack.show(Planned(Path("/p"), (), changed=True))
    assert caught.value.detail == "no"


def test_a_plan_is_shown_in_terraforms_words(runner: ScriptedRunner, stack: Stack) -> None:
    """Without colours."""
    runner.expect("/bin/terraform", ..., "show", "-no-color", "/p", stdout="# x will be created\n")
    assert stack.show(Planned(Path("/p"), (), changed=True)) == "# x will be created\n"


def test_a_lock_is_released_by_its_id(runner: ScriptedRunner, stack: Stack) -> None:
    """Without a question, because ours was asked before."""
    runner.expect("/bin/terraform", f"-chdir={stack.source}", "force-unlock", "-force", "-no-color", "some-id")
    assert stack.unlock("some-id").code == 0

"""`inv add-service` and `inv remove-service` from outside: real commands, real git, a real terminal, kill -9."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from stackyard.local.layout import Layout
from stackyard.tools.holding import take
from stackyard.tools.placing import WORKSHOP
from tests.printed import check_printed
from tests.terminal import converse
from tests.terraform import ROOT

INV = str(Path(sys.executable).with_name("inv"))
TEN = [f"shop{number}" for number in range(10)]
NEEDED = ("service.yaml", "pyproject.toml", "README.md")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one service, all of it committed."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "src/services/api", root / "src/services/api", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tasks", root / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("stackyard.yaml", ".gitignore"):
        shutil.copy2(ROOT / name, root / name)
    commit(root)
    return root


def commit(root: Path) -> None:
    author = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "--allow-empty", "-m", "all"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    return {**kept, **extra}


def inv(root: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [INV, *arguments],
        cwd=root,
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    check_printed(arguments, done.stdout)
    return done


def snapshot(root: Path) -> dict[str, tuple[str, int]]:
    """Return every file below src/services with its text and the time of its last change."""
    files = (path for path in (root / "src/services").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(root)): (path.read_text(), path.stat().st_mtime_ns) for path in files}


def settings(root: Path, name: str) -> dict[str, object]:
    return yaml.safe_load((root / f"src/services/{name}/service.yaml").read_text())


def test_names_go_without_a_flag_and_flags_anywhere(checkout: Path) -> None:
    """The command line as it is documented; a name may be a task's."""
    done = inv(checkout, "add-service", "shop", "--kind", "ecs", "order-desk", "plan", "--api-key")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    for name in ("shop", "order-desk", "plan"):
        assert settings(checkout, name)["kind"] == "ecs"
        assert settings(checkout, name)["api_key"] is True
    assert "next: inv up" in done.stderr
    assert not (checkout / "src/services" / WORKSHOP).exists()
    listed = inv(checkout, "services", "--json")
    assert [row["name"] for row in json.loads(listed.stdout)] == ["api", "order-desk", "plan", "shop"], listed.stderr


def test_the_next_command_is_a_deploy_where_the_laptop_runs(checkout: Path) -> None:
    """`inv up` would be refused then."""
    hold = take(Layout(checkout).daemon_lock("emulator"))
    assert hold
    done = inv(checkout, "add-service", "--json", "shop")
    assert json.loads(done.stdout)["next"] == "inv deploy --env local"
    assert done.stderr == ""
    hold.release()


def test_again_it_changes_nothing(checkout: Path) -> None:
    """Not even a file's time; what was edited stays edited."""
    assert inv(checkout, "add-service", "shop").returncode == 0
    (checkout / "src/services/shop/shop/app.py").write_text("mine = 1\n")
    (checkout / "src/services/shop/README.md").unlink()
    before = snapshot(checkout)
    again = inv(checkout, "add-service", "shop")
    assert again.returncode == 0
    assert "shop: already there, nothing changed" in again.stderr
    assert snapshot(checkout) == before


def test_a_half_made_folder_is_completed(checkout: Path) -> None:
    """What is there keeps its text; `inv services` takes the whole."""
    folder = checkout / "src/services/shop"
    folder.mkdir()
    (folder / "service.yaml").write_text("kind: eks\npath: /buy\n")
    (folder / "README.md").write_text("mine\n")
    done = inv(checkout, "add-service", "shop")
    assert "shop: completed" in done.stderr, done.stderr
    assert (folder / "README.md").read_text() == "mine\n"
    assert settings(checkout, "shop") == {"kind": "eks", "path": "/buy"}
    assert (folder / "shop/app.py").is_file()
    assert not (folder / "shop/lambda_handler.py").exists()
    assert inv(checkout, "services").returncode == 0


def test_what_python_left_of_a_removed_service_is_in_nobodys_way(checkout: Path) -> None:
    """Git takes the files and leaves the caches."""
    cache = checkout / "src/services/shop/shop/__pycache__"
    cache.mkdir(parents=True)
    (cache / "app.pyc").write_text("")
    assert inv(checkout, "add-service", "shop").returncode == 0
    assert (checkout / "src/services/shop/shop/app.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shop", "../up"], "the name `../up` must be"),
        (["shop", "a;touch x", "$(id)", "`id`", "a b", "Ä", "x\ny", "{{x}}"], "the name `{{x}}` must be"),
        (["shop", "src/x"], "the name `src/x` must be"),
        (["shop", "yaml"], "would hide the installed package `yaml`"),
        (["shop", "class"], "is a word of the Python language"),
        (["shop", "--path", "/a/../b"], "the path `/a/../b` cannot be"),
        (["shop", "--path", "/"], "both own /"),
        (["shop", "--kind", "vm"], "there is no kind `vm`; there are lambda, apprunner, ecs, eks"),
        (["shop", "--template", "../../services/api"], "there is no template"),
        (["shop", "api", "--kind", "ecs"], "api is there already: its kind is lambda, not ecs"),
        ([], "no name is given"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(checkout: Path, arguments: list[str], words: str) -> None:
    """Not even of the names that are right; one error, one command to type."""
    before = snapshot(checkout)
    done = inv(checkout, "add-service", *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "run: inv add-service" in done.stderr
    assert "Traceback" not in done.stderr
    assert snapshot(checkout) == before
    assert sorted(path.name for path in checkout.iterdir() if not path.name.startswith((".", "__"))) == [
        "src", "stackyard.yaml", "tasks",
    ]  # fmt: skip


def test_a_file_in_the_place_of_the_folder(checkout: Path) -> None:
    """It is somebody's."""
    (checkout / "src/services/shop").write_text("mine")
    done = inv(checkout, "add-service", "shop")
    assert done.returncode == 2
    assert "src/services/shop: is no folder" in done.stderr
    assert (checkout / "src/services/shop").read_text() == "mine"


def test_a_dry_run_writes_nothing(checkout: Path) -> None:
    """And says what it would."""
    before = snapshot(checkout)
    done = inv(checkout, "add-service", "--dry-run", "--kind", "apprunner", "shop")
    assert "shop: would be added" in done.stderr
    assert "src/services/shop/shop/app.py" in done.stderr
    assert "no new customers since 30 April 2026" in done.stderr
    assert snapshot(checkout) == before


def complete(root: Path) -> list[str]:
    """Return the services that are there, and insist that each is whole."""
    folders = [path for path in (root / "src/services").iterdir() if not path.name.startswith(".")]
    for folder in folders:
        if folder.name != "api":
            for name in (*NEEDED, f"{folder.name}/app.py", f"{folder.name}/lambda_handler.py"):
                assert (folder / name).read_text(), f"{folder.name}/{name}"
    return sorted(folder.name for folder in folders)


def kill_in_the_middle(root: Path, *arguments: str) -> None:
    """Kill an `inv` as soon as it has begun to change something."""
    workshop = root / "src/services" / WORKSHOP
    with subprocess.Popen([INV, *arguments], cwd=root, env=environment(), stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while not workshop.exists() and process.poll() is None:
            assert time.monotonic() < until
        process.kill()


def test_killed_in_the_middle_of_adding(checkout: Path) -> None:
    """Each of ten services is whole or not there, whenever the kill comes; the next run finishes and sweeps up."""
    left = 0
    for _ in range(8):
        kill_in_the_middle(checkout, "add-service", *TEN)
        complete(checkout)
        left += (checkout / "src/services" / WORKSHOP).exists()
        # What uv takes for members of the workspace: a second `shop0` would stop every `uv run`.
        members = [path.parent.name for path in (checkout / "src/services").glob("*/pyproject.toml")]
        assert set(members) <= {"api", *TEN}
        for name in TEN[::2]:
            shutil.rmtree(checkout / "src/services" / name, ignore_errors=True)
    assert left, "no kill came in the middle"
    done = inv(checkout, "add-service", *TEN)
    assert done.returncode == 0, done.stderr
    assert complete(checkout) == ["api", *TEN]
    assert not (checkout / "src/services" / WORKSHOP).exists()


def test_killed_in_the_middle_of_removing(checkout: Path) -> None:
    """The folder is there or gone, never half; the next run sweeps up."""
    for _ in range(4):
        inv(checkout, "add-service", "shop")
        commit(checkout)
        kill_in_the_middle(checkout, "remove-service", "shop", "--yes")
        assert complete(checkout) in (["api", "shop"], ["api"])
    inv(checkout, "add-service", "shop")
    assert complete(checkout) == ["api", "shop"]
    assert not (checkout / "src/services" / WORKSHOP).exists()


def test_two_at_once(checkout: Path) -> None:
    """One waits for the other; both end well and nothing is written twice."""
    argv = [INV, "add-service", *TEN]
    with contextlib.ExitStack() as ends:
        both = [
            ends.enter_context(
                subprocess.Popen(argv, cwd=checkout, env=environment(), stderr=subprocess.PIPE, text=True)
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("shop0: added" in each for each in said) == 1
    assert sum("shop0: already there" in each for each in said) == 1
    assert complete(checkout) == ["api", *TEN]


def answer(root: Path, *arguments: str, answers: dict[str, str], **extra: str) -> tuple[int, str]:
    """Run an `inv` at a terminal of its own and answer its questions; return its exit code and what it said."""
    return converse([INV, *arguments], root, environment(**extra), answers)


def test_at_a_terminal_it_asks_for_what_is_missing(checkout: Path) -> None:
    """Kind, with what it is for and costs, and path; a wrong answer is asked again."""
    answers = {"Kind [lambda]: ": "9\n", "eks\r\nKind [lambda]: ": "3\n", "Public path [/shop]: ": "/buy\n"}
    code, said = answer(checkout, "add-service", "shop", answers=answers)
    assert code == 0, said
    for words in ("requests come and go", "a month", "$", "30 April 2026", "a number from 1 to 4"):
        assert words in said
    assert (settings(checkout, "shop")["kind"], settings(checkout, "shop")["path"]) == ("ecs", "/buy")
    assert "shop: already there" in answer(checkout, "add-service", "shop", answers={})[1]


def test_in_ci_it_never_asks(checkout: Path) -> None:
    """Though there be a terminal; what is not said is the default, or an error where there is none."""
    code, said = answer(checkout, "add-service", "shop", answers={}, CI="true")
    assert code == 0, said
    assert settings(checkout, "shop")["kind"] == "lambda"
    assert "Kind [" not in said
    code, said = answer(checkout, "add-service", answers={}, CI="true")
    assert (code, "no name is given" in said) == (2, True)


def test_ctrl_d_changes_nothing(checkout: Path) -> None:
    """No answer is no."""
    code, said = answer(checkout, "add-service", "shop", answers={"Kind [lambda]: ": "\x04"})
    assert code == 5, said
    assert "no answer: nothing was changed" in said
    assert complete(checkout) == ["api"]


def test_removing_asks_for_the_name(checkout: Path) -> None:
    """What goes where is said first; another answer changes nothing, the right one names the next command."""
    inv(checkout, "add-service", "shop")
    commit(checkout)
    code, said = answer(checkout, "remove-service", "shop", answers={"Type shop to remove it: ": "yes\n"})
    assert (code, complete(checkout)) == (5, ["api", "shop"]), said
    code, said = answer(checkout, "remove-service", "shop", answers={"Type shop to remove it: ": "shop\n"})
    assert (code, complete(checkout)) == (0, ["api"]), said
    for words in ("the path /shop", "prod: if it is deployed there", "git checkout -- src/services/shop", "next: inv"):
        assert words in said
    subprocess.run(["git", "checkout", "-q", "--", "src/services/shop"], cwd=checkout, check=True)
    assert complete(checkout) == ["api", "shop"]


def test_what_is_not_in_git_is_not_removed(checkout: Path) -> None:
    """A new file, a changed one, an ignored one; caches do not count, --force says that it is meant."""
    inv(checkout, "add-service", "shop")
    commit(checkout)
    folder = checkout / "src/services/shop"
    (folder / "shop/__pycache__").mkdir()
    (folder / "shop/__pycache__/app.cpython-314.pyc").write_text("")
    (checkout / ".git/info/exclude").write_text(".env\n")
    for name in ("new.txt", "README.md", ".env"):
        old = (folder / name).read_text() if (folder / name).exists() else None
        (folder / name).write_text("mine\n")
        done = inv(checkout, "remove-service", "shop", "--yes")
        assert (done.returncode, f"git could not bring back src/services/shop/{name}" in done.stderr) == (5, True)
        assert "run: inv remove-service shop --force" in done.stderr
        (folder / name).write_text(old) if old else (folder / name).unlink()
    assert inv(checkout, "remove-service", "shop").returncode == 5, "there is no terminal to ask at"
    assert inv(checkout, "remove-service", "shop", "--dry-run").returncode == 0
    assert complete(checkout) == ["api", "shop"]
    assert inv(checkout, "remove-service", "shop", "--yes").returncode == 0
    assert complete(checkout) == ["api"]


def test_removing_the_last_one(checkout: Path) -> None:
    """The next command says that none is meant; one that is broken, or not there, is no riddle either."""
    (checkout / "src/services/api/service.yaml").write_text("kind: [\n")
    done = inv(checkout, "remove-service", "api", "--yes", "--force", "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["last"], record["next"]) == (True, "inv deploy --env dev --allow-empty")
    gone = inv(checkout, "remove-service", "api")
    assert (gone.returncode, "there is no service api: there are: none" in gone.stderr) == (3, True)
    assert inv(checkout, "add-service", "api").returncode == 0

"""``inv init``: make a clone of the template the user's own project, in one commit.

Observe (the clone, what it was made from), ask for what is open where there is a person to answer, render the template
with the answers (pure, `stackyard.template`), merge (`stackyard.commands.moving`), show (``--dry-run`` ends here), do
it. Again with the same answers it changes nothing; with others, what they change; what the team wrote is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stackyard.answers import SAMPLES, Answers, Record, Samples, check_answer, read_record
from stackyard.commands.ask import ask, can_ask, choose
from stackyard.commands.moving import (
    Move,
    Moved,
    carry_out,
    check_clean,
    moving,
    open_repository,
    render_commit,
    try_move,
)
from stackyard.errors import ConfigError, RefusedError
from stackyard.local.layout import Layout
from stackyard.project import Project, find_overlaps, read_project
from stackyard.screen import Screen
from stackyard.template import RULES, parse_rules
from stackyard.tools.gitobjects import Repository
from stackyard.tools.holding import is_held
from stackyard.tools.process import Runner, SystemRunner

BY_FLAGS = "inv init --project shop --repository you/shop --region eu-west-1"


@dataclass(frozen=True, slots=True)
class Given:
    """What was said with flags; empty where it was not."""

    project: str = ""
    repository: str = ""
    region: str = ""
    accounts: tuple[tuple[str, str], ...] = ()
    samples: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What the project is now."""

    record: Record
    move: Move
    moved: Moved
    without: tuple[str, ...]
    """Environments that have the template's own account number still."""
    next: tuple[str, ...]
    dry_run: bool

    def document(self) -> dict[str, object]:
        """Return it as data."""
        return {
            **self.record.model_dump(),
            "changes": [{"what": each.what, "path": each.path} for each in self.move.changes],
            "conflicts": list(self.moved.conflicts or self.move.conflicts),
            "commit_made": self.moved.commit,
            "undo": self.moved.undo,
            "without_account": list(self.without),
            "next": list(self.next),
            "dry_run": self.dry_run,
        }


def init(root: Path, screen: Screen, given: Given, *, dry_run: bool = False, runner: Runner | None = None) -> Made:
    """Make the project what was answered. Raises StackyardError."""
    repository = Repository(runner or SystemRunner(), root)
    with moving(repository, screen, "init") as hold:
        head = open_repository(repository, "init")
        before = read_record(root)
        environments = read_project(root).environments
        if not dry_run:
            check_clean(repository, "init")
        answers = _answer(screen, given, before, repository)
        record = _record(repository, head, given, before, answers)
        without = tuple(name for name in environments if name not in answers.accounts)
        _check_running(root, answers)
        if before and not repository.has(before.commit):
            repository.fetch(before.template, before.commit)
        base = render_commit(repository, before.commit, before) if before else repository.tree_of(head)
        target = render_commit(repository, record.commit, record)
        message = f"Make {answers.project} of Stackyard {record.version}"
        move = try_move(repository, head, base, target, message)
        moved = Moved("", (), "") if dry_run else carry_out(repository, move, hold)
        if moved.commit:
            read_project(root)
    return Made(record, move, moved, without, tuple(_next(repository, record)), dry_run)


def _answer(screen: Screen, given: Given, before: Record | None, repository: Repository) -> Answers:
    """Put together what was said before, what flags say, and what a person answers. Raises ConfigError."""
    project = read_project(repository.root)
    known = before.answers if before else None
    asked = known is None and can_ask(screen)
    words: dict[str, str] = {}
    defaults = {"project": "", "repository": "", "region": project.region}
    for name, question in _QUESTIONS.items():
        if known:
            defaults[name] = str(getattr(known, name))
        value = str(getattr(given, name))
        if not value and asked:
            guess = defaults[name] or (_guess_name(repository.root) if name == "project" else "")
            value = ask(screen, question, guess, partial(check_answer, name))
        words[name] = value = value or defaults[name]
        if not value:
            raise ConfigError(f"--{name} is missing", "there is nobody to ask", command=BY_FLAGS)
        why = check_answer(name, value)
        if why:
            raise ConfigError(f"--{name} {value}", why, command="inv init --help")
    accounts = {**(known.accounts if known else {}), **dict(given.accounts)}
    if asked and not given.accounts:
        accounts |= _ask_accounts(screen, project)
    samples = given.samples or (known.samples if known else "")
    if not samples and asked:
        menu = [("keep", ["to look at, and to delete later (`inv remove-service`)"]), ("remove", ["an empty project"])]
        samples = choose(screen, "The services that come with the template", menu, "keep")
    _check_environments(accounts, project)
    return Answers(**words, accounts=accounts, samples=_settle_samples(samples or "keep"))


_QUESTIONS = {
    "project": "Project's name; it begins every name in AWS",
    "repository": "Repository at GitHub, owner/name",
    "region": "AWS region",
}


def _settle_samples(given: str) -> Samples:
    for each in SAMPLES:
        if given == each:
            return each
    raise ConfigError(f"--samples {given}", f"must be {' or '.join(SAMPLES)}", command="inv init --help")


def _ask_accounts(screen: Screen, project: Project) -> dict[str, str]:
    """Ask for the account of each environment; Enter leaves it for later."""
    screen.say("AWS accounts, 12 digits each; Enter leaves one for later. A laptop needs none.")
    answered = {
        name: ask(screen, f"  {name}", "", lambda answer: check_answer("account", answer) if answer else None)
        for name in project.environments
    }
    return {name: account for name, account in answered.items() if account}


def _check_environments(accounts: Mapping[str, str], project: Project) -> None:
    """Raise ConfigError for environments whose names in AWS would mix."""
    first = next(iter(project.environments.values()))
    places = {
        name: (project.environments.get(name) or first).model_copy(update={"account": account})
        for name, account in accounts.items()
    }
    problems = find_overlaps(project.model_copy(update={"environments": {**project.environments, **places}}))
    if problems:
        raise ConfigError("--account", problems[0][1], command="inv init --help")


def _guess_name(root: Path) -> str:
    """Make a project's name of its folder's; empty where that is none."""
    guess = re.sub(r"[^a-z0-9]+", "-", root.resolve().name.lower()).strip("-")
    return guess if check_answer("project", guess) is None else ""


def _record(repository: Repository, head: str, given: Given, before: Record | None, answers: Answers) -> Record:
    """Write down what the project is made from. Raises ConfigError for what is no clone of the template."""
    if before:
        return before.model_copy(update={"answers": answers, "template": given.template or before.template})
    tree = repository.list_tree(head)
    if RULES not in tree:
        why = f"it has no {RULES}"
        raise ConfigError("this is no clone of the template", why, fix="Clone the template, and run `inv init` there.")
    rules = parse_rules(repository.read_blob(tree[RULES].blob))
    found = re.search(r'^version = "(.+)"', repository.read_blob(tree["pyproject.toml"].blob), re.MULTILINE)
    origin = repository.ask("remote", "get-url", "origin")
    address = given.template or rules.home or ("" if _is_at(origin, answers.repository) else origin)
    return Record(
        template=address,
        version=found[1] if found else "0.0.0",
        commit=head,
        tree=repository.tree_of(head),
        answers=answers,
    )


def _is_at(url: str, repository: str) -> bool:
    """Tell whether an address is that of a repository at GitHub."""
    return re.search(rf"[/:]{re.escape(repository)}(\.git)?/?$", url, re.IGNORECASE) is not None


def _check_running(root: Path, answers: Answers) -> None:
    """Raise RefusedError while the laptop's environment runs under another name."""
    now = read_project(root)
    other = now.project != answers.project or now.region != answers.region
    if other and is_held(Layout(root).daemon_lock("emulator")):
        why = f"what runs there is called {now.project} and is in {now.region}"
        raise RefusedError("the laptop's environment runs", why, command="inv down")


def _next(repository: Repository, record: Record) -> Iterator[str]:
    """Say what to type next."""
    origin = repository.ask("remote", "get-url", "origin")
    if origin and origin == record.template:
        yield f"git remote set-url origin git@github.com:{record.answers.repository}.git"
    if not any((repository.root / "src/services").glob("*/service.yaml")) or record.answers.samples == "remove":
        yield "inv add-service NAME"
    yield "inv up"


def show_made(screen: Screen, made: Made) -> None:
    """Say what the project is, and what comes next."""
    answers = made.record.answers
    if made.moved.commit:
        screen.say(
            f"{answers.project}: made of Stackyard {made.record.version}, commit {made.moved.commit[:12]}", "bold"
        )
    elif made.dry_run:
        screen.say(f"{answers.project}: would be made of Stackyard {made.record.version}", "bold")
    elif not made.moved.conflicts:
        screen.say(f"{answers.project}: nothing to change", "bold")
    if not made.record.template:
        screen.warn("where the template is published is not known; `inv upgrade --template ADDRESS` will ask for it")
    if made.without and not made.moved.conflicts:
        screen.note(f"no account yet: {', '.join(made.without)}; later: inv init --account {made.without[0]}=ACCOUNT")

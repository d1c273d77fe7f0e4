"""What the template becomes with a project's answers, and which of its versions a project goes to."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stackyard.answers import FILE, Answers, Record, check_answer, parse_accounts, read_record, write_record
from stackyard.errors import ConfigError, MissingError, RefusedError
from stackyard.project import Project
from stackyard.template import (
    EMPTY,
    HOME,
    RULES,
    File,
    Replaced,
    Rules,
    drop_marked,
    find_texts,
    is_below,
    parse_rules,
    render,
    render_project,
    replace_lines,
)
from stackyard.upgrading import Version, choose_base, choose_version, find_versions, parse_version

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Answers(project="shop", repository="you/shop", region="us-east-1", accounts={"dev": "111122223333"})
RECORD = Record(template="https://example.com/t.git", version="0.1.0", commit="a" * 40, tree="b" * 40, answers=ANSWERS)
TEXTS = {
    "stackyard.yaml": (ROOT / "stackyard.yaml").read_text(),
    "noxfile.py": "one\ntwo  # template-only\nthree\n",
    f"{HOME}/files/README.md": "# $project at $repository, $$5\n",
}
TREE = {
    **{path: File("100644", path) for path in TEXTS},
    **{path: File("100755", path) for path in (RULES, "src/services/api/service.yaml", "tests/unit/test_a.py")},
    **{path: File("100644", path) for path in ("README.md", "tests/infra/test_b.py", "infra/main.tf")},
}
RULED = Rules(format=1, samples=["src/services/api"], dropped=["tests"], kept=["tests/infra"], marked=["noxfile.py"])


def test_a_rendering_has_what_is_for_projects() -> None:
    """What tests the template goes but what is kept; marked lines go; answers are filled in; modes and blobs stay."""
    assert find_texts(TREE, RULED) == {path: path for path in TEXTS}
    rendered = render(TREE, TEXTS, RULED, RECORD)
    assert rendered["infra/main.tf"] == TREE["infra/main.tf"]
    assert rendered["src/services/api/service.yaml"].mode == "100755"
    assert rendered["noxfile.py"].text == "one\nthree\n"
    assert rendered["README.md"].text == "# shop at you/shop, $5\n"
    assert rendered[FILE].text == write_record(RECORD)
    assert set(rendered) == {
        *("README.md", "noxfile.py", "stackyard.yaml", FILE),
        *("infra/main.tf", "src/services/api/service.yaml", "tests/infra/test_b.py"),
    }


def test_without_samples_the_folder_of_services_stays() -> None:
    """Git keeps no empty folder, and nox looks for tests in it."""
    removed = RECORD.model_copy(update={"answers": ANSWERS.model_copy(update={"samples": "remove"})})
    rendered = render(TREE, TEXTS, RULED, removed)
    assert "src/services/api/service.yaml" not in rendered
    assert rendered[EMPTY].text == ""


def test_marks_leave_out_lines_and_blocks() -> None:
    """In Python, YAML, TOML and Markdown; what only speaks of the mark stays."""
    text = "a\n    # template-only: begin\nb\n    # template-only: end\nc  # why # template-only\n"
    assert drop_marked(f"{text}d: x # template-only, they say\n", "f") == "a\nd: x # template-only, they say\n"
    assert drop_marked("<!-- template-only: begin -->\nb\n<!-- template-only: end -->\nc\n", "f") == "c\n"


@pytest.mark.parametrize("marks", ["begin", "end", "begin begin end", "begin end end"])
def test_a_mark_without_its_other_half_is_refused(marks: str) -> None:
    """Half of a file would be gone, or what was meant to go would stay."""
    text = "".join(f"# template-only: {mark}\nx\n" for mark in marks.split())
    with pytest.raises(ConfigError, match=r"^noxfile.py: has a mark"):
        drop_marked(text, "noxfile.py")


def test_lines_are_replaced_as_a_whole() -> None:
    """What stands in the rules is text, not a pattern's answer."""
    lines = [Replaced(line='version = ".*"', by=r'version = "\1"')]
    assert replace_lines('version = "3"\nxversion = "3"\n', lines) == 'version = "\\1"\nxversion = "3"\n'


def test_the_projects_file_takes_the_answers() -> None:
    """What has no account keeps the template's, what the template does not know is added; comments stay."""
    answers = ANSWERS.model_copy(update={"accounts": {"prod": "999988887777", "stage": "111122223333"}})
    text = render_project(TEXTS["stackyard.yaml"], answers)
    read = Project.model_validate(yaml.safe_load(text))
    assert (read.project, read.repository, read.region) == ("shop", "you/shop", "us-east-1")
    assert {name: each.account for name, each in read.environments.items()} == {
        "dev": "111111111111",
        "test": "111111111111",
        "prod": "999988887777",
        "stage": "111122223333",
    }
    assert read.environments["prod"].protected
    comments = [line for line in TEXTS["stackyard.yaml"].splitlines() if line.startswith("#")]
    assert [line for line in text.splitlines() if line.startswith("#")] == comments


def test_a_pattern_is_a_file_or_a_folder() -> None:
    """`tests` is all below it, and no other name that begins so."""
    assert is_below("tests/a/b.py", ["tests"])
    assert is_below("docs/x.md", ["docs/*.md"])
    assert not is_below("tests2/a.py", ["tests"])


def test_the_rules_of_this_repository_are_read() -> None:
    """Every sample is a service that is here, and every marked file is here."""
    rules = parse_rules((ROOT / RULES).read_text())
    assert {*rules.samples} == {f"src/services/{path.parent.name}" for path in ROOT.glob("src/services/*/service.yaml")}
    for path in (*rules.marked, *rules.kept, *rules.replaced):
        assert (ROOT / path).exists(), path


def test_rules_of_another_time_are_refused() -> None:
    """A later format is told from a broken file."""
    with pytest.raises(ConfigError, match="too new"):
        parse_rules("format: 2\nwhatever: 1\n")
    for text in ("format: 1\n", "- a\n", "a: ["):
        with pytest.raises(ConfigError, match=r"rules\.yaml: is not what was expected"):
            parse_rules(text)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Numbers that look like something else are quoted; a fresh clone has none."""
    assert read_record(tmp_path) is None
    for record in (RECORD, RECORD.model_copy(update={"template": "", "version": "1.10.0"})):
        (tmp_path / FILE).write_text(write_record(record))
        assert read_record(tmp_path) == record
    (tmp_path / FILE).write_text(write_record(RECORD) + "more: 1\n")
    with pytest.raises(ConfigError, match=r"\.stackyard-template\.yaml:\d+: unknown key `more`"):
        read_record(tmp_path)


def test_answers_are_checked() -> None:
    """By what stackyard.yaml takes, in words."""
    assert check_answer("project", "shop") is None
    assert check_answer("project", "Shop") == "must be small letters, digits and single dashes, 20 at the most"
    assert check_answer("repository", "shop") == "must be owner/name, as at GitHub"
    assert parse_accounts(["dev=111122223333"]) == {"dev": "111122223333"}
    for wrong in ("dev", "dev=1", "=111122223333", "Dev=111122223333"):
        with pytest.raises(ConfigError, match="--account"):
            parse_accounts([wrong])


THERE = find_versions(["v0.9.0", "v0.10.0", "v0.2.0", "v1.0.0-rc1", "latest", "0.3.0"])


def test_versions_are_counted_as_numbers() -> None:
    """0.10 comes after 0.9; what is no release is none."""
    assert [each.tag for each in THERE] == ["v0.2.0", "v0.9.0", "v0.10.0"]
    assert parse_version("1.2") is None


def test_the_newest_version_is_chosen_or_the_one_asked_for() -> None:
    """None where the project is there already."""
    assert choose_version("0.2.0", THERE) == Version(0, 10, 0)
    assert choose_version("0.10.0", THERE) is None
    assert choose_version("0.11.0", THERE) is None
    assert choose_version("0.2.0", []) is None
    assert choose_version("0.2.0", THERE, "v0.9.0") == Version(0, 9, 0)
    assert choose_version("0.9.0", THERE, "0.9.0") is None
    with pytest.raises(MissingError, match=r"no version 0\.3\.0: it has 0\.2\.0, 0\.9\.0, 0\.10\.0"):
        choose_version("0.2.0", THERE, "0.3.0")
    with pytest.raises(RefusedError, match=r"0\.2\.0 is older"):
        choose_version("0.9.0", THERE, "0.2.0")


def test_where_a_project_began() -> None:
    """At the commit that it knows, else at one that holds the same, else at its version's tag."""
    history = {"c2": "t2", "c1": "t1"}
    assert choose_base("c1", "t9", "", history) == "c1"
    assert choose_base("c9", "t1", "", history) == "c1"
    assert choose_base("c9", "t9", "v", history) == "v"
    assert choose_base("c9", "t9", "", history) == ""

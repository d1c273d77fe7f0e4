"""Which files an init depends on."""

from __future__ import annotations

from pathlib import Path

from stackyard.tools.terraform import stack_sources


def test_a_stacks_sources_are_its_own_and_all_modules(tmp_path: Path) -> None:
    """In one order, whatever the file system's; tests and other stacks are not among them."""
    for name in ("app/b.tf", "app/a.tf", "modules/m/main.tf", "modules/m/tests/x.tftest.hcl", "bootstrap/main.tf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in stack_sources(tmp_path, "app")]
    assert found == ["app/a.tf", "app/b.tf", "modules/m/main.tf"]

"""The search for planted secrets finds what is there: a search that never finds proves nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.planted import Planted

SECRET = "planted-0123456789abcdef"


def test_it_is_found_wherever_it_is(tmp_path: Path) -> None:
    """In a note, a file of bytes, a packed plan, an object; not where a link leads."""
    planted = Planted({"the secret": SECRET})
    assert planted.found(tmp_path, {"object": b"nothing"}) == []
    planted.note("deploy", f"error: {SECRET} is wrong")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/log").write_bytes(b"\xff" + SECRET.encode())
    with zipfile.ZipFile(tmp_path / "plan.tfplan", "w", zipfile.ZIP_DEFLATED) as plan:
        plan.writestr("tfstate", SECRET * 20)
    (tmp_path / "link").symlink_to(tmp_path / "below/log")
    assert sorted(planted.found(tmp_path, {"object": SECRET.encode()})) == [
        f"the secret in {tmp_path}/below/log",
        f"the secret in {tmp_path}/plan.tfplan: tfstate",
        "the secret in 0 deploy",
        "the secret in object",
    ]

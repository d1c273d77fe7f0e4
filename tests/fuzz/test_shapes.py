"""Each shape of a malformed request gets the answer that its row says, and reaches a service as often as it says."""

from __future__ import annotations

import pytest

from tests.fuzz.client import check_discreet, talk
from tests.fuzz.conftest import Target
from tests.fuzz.shapes import CHUNKS, HEADERS, LINES, SMUGGLING, Shape

SHAPES = (*SMUGGLING, *CHUNKS, *LINES, *HEADERS)


@pytest.mark.parametrize("kind", ["afar", "near"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_malformed_request_is_refused_whole_or_served_once(target: Target, shape: Shape, kind: str) -> None:
    """The status of the row, no word of where it was made, nothing smuggled, and the gateway hangs up where it must."""
    target.record.take()
    data = shape.data.replace(b"/afar/", f"/{kind}/".encode())
    said = talk(target.port, data, finish=not shape.hangs_up)
    assert said.statuses == list(shape.statuses)
    assert said.closed
    check_discreet(said.answers)
    seen = target.record.take()
    assert [each.fault for each in seen] == [""] * shape.served
    assert all("smuggled" not in each.target for each in seen)

"""What was seen is known again, in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stackyard.seen import Seen


@given(st.lists(st.tuples(st.integers(0, 5_000), st.text(max_size=3))))
def test_an_event_is_new_once(events: list[tuple[int, str]]) -> None:
    """Whatever order they come in: an event keeps its time, and so its second."""
    seen, told = Seen(), set[tuple[int, str]]()
    for at, key in events:
        known = {each for each in told if each[0] // 1000 == at // 1000}
        assert seen.add(at, key) is (key not in {each[1] for each in known})
        told.add((at, key))


def test_what_is_forgotten_is_forgotten_by_whole_seconds() -> None:
    """And it is said from when on everything is still known."""
    seen = Seen()
    for at in (1_000, 1_999, 2_000, 3_500):
        seen.add(at, str(at))
    seen.forget(2_500)
    assert (len(seen), seen.since) == (2, 2_000)
    assert not seen.add(2_000, "2000")
    seen.forget(1_000)
    assert seen.since == 2_000


def test_there_is_room_for_so_many() -> None:
    """The oldest seconds go first, and the one that grows never: none of its lines may come twice."""
    seen = Seen(room=10)
    most = 0
    for number in range(1_000):
        assert seen.add(number * 200, str(number))
        most = max(most, len(seen))
    assert most <= 15
    assert seen.since == 198_000
    crowd = Seen(room=10)
    assert all(crowd.add(5, str(number)) for number in range(100))
    assert not any(crowd.add(5, str(number)) for number in range(100))

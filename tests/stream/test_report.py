"""Reports and the areas' state in records that no broker refuses."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream import widerows
from stream.calendar import Calendar
from stream.records import Alert
from stream.report import Report, SlotReport, pieces
from stream.rules import Rules
from stream.settings import Settings
from stream.wide import Outage, Wide, WideState

AT = datetime(2026, 3, 2, tzinfo=UTC)
LIMIT = 1024 * 1024


def gap(number: int, area: str = "a0") -> Alert:
    """A data gap of home ``number``."""
    return Alert(
        "raised", f"id{number:018}", f"h{number:07}", "data_gap", "attention", "dashboard", AT, AT, AT, None, (),
        "전기 검침값이 6시간째 오지 않습니다.", "No valid meter reading for 6 h.", area, "dong-000",
    )  # fmt: skip


def wide() -> Wide:
    """A judge of areas that has seen nothing."""
    settings = Settings()
    return Wide(Rules.of(settings), Calendar(settings.tz))


@given(
    gaps=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    late=st.integers(0, 9),
    silent=st.integers(0, 200),
    most=st.integers(1, 7),
)
def test_pieces_come_to_what_the_whole_comes_to(gaps: list[int], late: int, silent: int, most: int):
    """In pieces of any size a report gives the same alerts and leaves the judge of areas in the same state."""
    numbers = iter(range(10_000))
    slots = tuple(
        SlotReport(100 + i, {f"a{a}": 3 for a in range(silent)}, tuple(gap(next(numbers)) for _ in range(many)))
        for i, many in enumerate(gaps)
    )
    members = {f"a{a}": 10 for a in range(silent)}
    whole = Report(0, 100 + len(gaps), slots, members, tuple(gap(next(numbers), "b") for _ in range(late)))
    one, many = wide(), wide()
    first = one.add(whole) + one.advance(0.0)
    second = [alert for piece in pieces(whole, most) for alert in many.add(piece) + many.advance(0.0)]
    assert sorted(map(str, second)) == sorted(map(str, first))
    assert many.state == one.state


def test_a_region_without_data_is_no_record_too_large():
    """Twelve thousand gaps in one slot of one partition: no record is larger than a megabyte."""
    slot = SlotReport(100, {f"area-{a:05}": 4 for a in range(3000)}, tuple(gap(n) for n in range(12_000)))
    sizes = [len(msgspec.json.encode(piece)) for piece in pieces(Report(0, 101, (slot,), None))]
    assert max(sizes) < LIMIT
    assert len(sizes) > 10


@pytest.mark.parametrize("held", [0, 9000])
def test_the_areas_state_comes_back_from_its_rows(held: int):
    """Cut into rows below a megabyte, after a larger state was stored before it, the state is restored."""
    state = WideState(
        clocks=dict.fromkeys(range(8), 100),
        members={p: {f"area-{a:05}": 2 for a in range(30_000)} for p in range(8)},
        done=100,
        out={"a0": Outage(90, {g.alert_id: g for g in map(gap, range(held))})},
    )
    stored = widerows.Stored(7, state, {"meter": 1.0}, {})
    much = WideState(out={"b": Outage(1, {str(n): gap(n) for n in range(20_000)})})
    larger = msgspec.structs.replace(stored, wide=much)
    rows = [*widerows.rows(larger, ()), *widerows.rows(stored, state.members)]
    assert max(len(value) for _, value in rows) < LIMIT
    assert widerows.restore(rows) == stored
    assert widerows.restore([]) is None

"""One slot judged: silence adds up, life ends it, what is not known says nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import judge, levels
from models.judge import Day, Model, Span
from models.levels import Thresholds
from models.slots import DATA, ESTIMATED, INCOMING, MISSING, OWN, ZERO
from models.state import CAP, FLOOR, HABIT, UNIT, Heads, fresh
from tests.learned import LINEAR, Fixed

EVENING = 9
QUIET, LIVELY = 60, 160


def home(n: int = 1, days: int = 30, model: Model | None = None) -> tuple[Heads, Day]:
    """Homes that are quiet at night and lively every evening, with a phone used now and then."""
    kept = fresh(np.zeros(n, np.int64))
    head, habit = kept.head, kept.habit
    habit["nights"][:] = np.random.default_rng(3).integers(QUIET - 4, QUIET + 4, (5, 8))
    habit["active"], habit["bins"] = 20, [1500, 1500, 1500, 1500, 500, 500, 500, 500, 28_000, 29_535]
    habit["active"][:, EVENING] = 230
    habit["calls"][:, EVENING // 2], habit["calls_days"], habit["days"] = 30, 20, days
    habit["worst"], habit["stretch"], habit["record"] = 5, 20, 30
    assert habit.dtype == HABIT
    return Heads.of(head), judge.open_day(habit, Thresholds(), model)


def span(
    codes: object, phone: object = 0, width: int = 2, first: int = 1, heard: bool = True, watched: bool = True
) -> Span:
    """Slots of one home in the evening, each the end of an interval."""
    c = np.atleast_1d(np.array(codes, np.uint8))[:, None]
    p = np.broadcast_to(np.array(phone, np.uint8).reshape(-1, 1), c.shape)
    ones = np.ones(c.shape, np.bool_)
    due = ones & watched & (width > 0)
    return Span(first, EVENING, None, 1, c, p, ones & watched, due, due, ones & heard & watched,
                np.array([width], np.uint16))  # fmt: skip


def run(
    heads: Heads, day: Day, given_span: Span, limit: int = 200, kept: NDArray[np.void] | None = None
) -> list[tuple[int, int]]:
    """Judge a span, moving ``kept`` (None: a home whose last hours are not known). Returns (slot, level before) where
    the level changed."""
    moved, kept = [], lately(heads) if kept is None else kept
    for told in judge.weigh(day, given_span):
        rows, before = judge.advance(heads, kept, day, told, np.full(len(heads.score), limit, np.uint16))
        moved += [(told.number, int(b)) for b in before]
        assert len(rows) == len(before)
    return moved


def lately(heads: Heads) -> NDArray[np.void]:
    """What the learned model would be told, of a home of which nothing is known."""
    return fresh(np.zeros(len(heads.score), np.int64)).lately


def bytes_of(heads: Heads) -> bytes:
    """All fields."""
    return b"".join(getattr(heads, name).tobytes() for name in Heads.__slots__)


def test_quiet_evenings_add_up_and_raise_levels_in_order() -> None:
    """Hours of quiet load with a silent phone go through attention and caution to serious, never back."""
    heads, day = home()
    moved = run(heads, day, span([QUIET] * 80))
    assert [before for _, before in moved] == [levels.NONE, levels.ATTENTION, levels.CAUTION]
    assert heads.level[0] == levels.SERIOUS
    assert heads.onset[0] == 0  # the first interval is that of slots 0 and 1


@pytest.mark.parametrize(("codes", "phone"), [([LIVELY], [0]), ([QUIET], [OWN])], ids=["load", "phone"])
def test_a_proof_of_life_ends_everything(codes: list[int], phone: list[int]) -> None:
    """Load far above quiet, or the phone used: score, hours and level are back at nothing."""
    heads, day = home()
    run(heads, day, span([QUIET] * 80))
    moved = run(heads, day, span(codes, phone, first=200))
    assert moved == [(200, levels.SERIOUS)]
    assert (heads.score[0], heads.silent[0], heads.level[0], heads.life[0]) == (0, 0, levels.NONE, 200)


@pytest.mark.parametrize("code", [DATA, INCOMING])
def test_what_others_do_proves_nothing(code: int) -> None:
    """Incoming calls, pushes and data leave the evidence as silence does."""
    (a, day), (b, _) = home(), home()
    run(a, day, span([QUIET] * 20, [0]))
    run(b, day, span([QUIET] * 20, [code]))
    assert bytes_of(a) == bytes_of(b)


@pytest.mark.parametrize("code", [MISSING, ESTIMATED])
def test_what_was_not_measured_is_neither_silence_nor_life(code: int) -> None:
    """A slot without a reading moves nothing but the phone's part."""
    heads, day = home()
    run(heads, day, span([QUIET] * 10))
    before = (int(heads.meter[0]), int(heads.silent[0]), int(heads.life[0]))
    run(heads, day, span([code] * 10, first=50))
    assert (int(heads.meter[0]), int(heads.silent[0]), int(heads.life[0])) == before


def test_no_power_is_not_a_silent_resident() -> None:
    """Exactly zero in a home that always draws something is no evidence on its resident."""
    heads, day = home()
    run(heads, day, span([ZERO] * 40, heard=False))
    assert heads.score[0] == 0


def test_a_phone_feed_that_is_behind_says_nothing() -> None:
    """Empty slots past a feed's watermark are not silence."""
    heads, day = home()
    run(heads, day, span([MISSING] * 40, heard=False))
    assert (heads.score[0], heads.phone[0]) == (0, 0)


@pytest.mark.parametrize("alone", ["meter", "phone"])
def test_one_silent_source_alone_reaches_at_most_caution(alone: str) -> None:
    """Days of it change nothing about that."""
    heads, day = home()
    run(heads, day, span([QUIET] * 900, heard=False) if alone == "meter" else span([MISSING] * 900))
    assert heads.level[0] == levels.CAUTION


def test_who_is_absent_is_not_judged_and_begins_anew() -> None:
    """An absence ends what stands and raises nothing, however long."""
    heads, day = home()
    run(heads, day, span([QUIET] * 80))
    run(heads, day, span([QUIET] * 400, watched=False, first=100))
    assert (heads.level[0], heads.score[0], heads.silent[0]) == (levels.NONE, 0, 0)


def test_in_the_learning_days_only_the_limit_speaks() -> None:
    """Evidence of a new home raises nothing, the fixed limit does, from the slot at which silence began."""
    heads, day = home(days=5)
    moved = run(heads, day, span([QUIET] * 120), limit=200)
    assert moved == [(100, levels.NONE)]
    assert heads.level[0] == levels.CAUTION


@pytest.mark.parametrize("sign", [False, True])
def test_time_alone_ends_no_alert(sign: bool) -> None:
    """A home without power is told by the fixed limit; that its limit becomes longer (a warning that ends, another
    risk group, a silence learned as usual) ends nothing, and a sign of life does."""
    heads, day = home()
    assert run(heads, day, span([ZERO] * 49, heard=False), limit=96) == [(48, levels.NONE)]
    then = span([LIVELY] if sign else [ZERO], first=50, heard=False)
    assert run(heads, day, then, limit=288) == ([(50, levels.CAUTION)] if sign else [])
    assert heads.level[0] == (levels.NONE if sign else levels.CAUTION)


def test_a_limit_counts_only_what_is_known() -> None:
    """Slots without a reading do not use up the limit of a home with a meter."""
    heads, day = home(days=5)
    run(heads, day, span([MISSING] * 300), limit=200)
    assert heads.silent[0] == 0


@pytest.mark.parametrize(("record", "limit"), [(20, 96), (70, 210), (1000, 288)])
def test_a_known_long_silence_moves_the_limit_up_to_three_times(record: int, limit: int) -> None:
    """Three times the longest silence known, at least the limit, at most three of it; new homes the limit."""
    _, day = home()
    day.habit["record"] = record
    fixed = np.array([96], np.uint16)
    assert day.limit(fixed).tolist() == [limit]
    assert replace(day, learned=np.array([False])).limit(fixed).tolist() == [96]


slots = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=40
)


@pytest.mark.slow
@given(slots, st.sampled_from([0, 1, 2, 4]), st.lists(st.integers(1, 39), max_size=5))
def test_how_slots_are_grouped_does_not_matter(
    told: list[tuple[int, int, bool, bool]], width: int, cuts: list[int]
) -> None:
    """Judged one by one, all at once or in pieces: the same heads and last hours, and all figures within bounds."""
    codes, phone, heard, watched = (np.array(column) for column in zip(*told, strict=True))
    whole = _span(codes, phone, heard, watched, width, 0)
    (a, day), (b, other) = home(model=LINEAR), home(model=LINEAR)
    kept, again = lately(a), lately(b)
    run(a, day, whole, kept=kept)
    edges = sorted({0, len(told), *(c for c in cuts if c < len(told))})
    for i, j in pairwise(edges):
        run(b, other, _span(codes[i:j], phone[i:j], heard[i:j], watched[i:j], width, i), kept=again)
    assert bytes_of(a) == bytes_of(b)
    assert kept.tobytes() == again.tobytes()
    for field in (a.score, a.meter, a.phone, a.peak):
        assert 0 <= field[0] <= CAP


@pytest.mark.slow
@given(slots, st.integers(2, 30), st.integers(0, 29))
def test_a_home_is_judged_alike_among_any_number_of_homes(
    told: list[tuple[int, int, bool, bool]], n: int, row: int
) -> None:
    """The head and the last hours of one home do not depend on the homes beside it."""
    row %= n
    codes, phone, heard, watched = (np.array(column) for column in zip(*told, strict=True))
    one = _span(codes, phone, heard, watched, 2, 0)
    (a, day), (b, other) = home(model=LINEAR), home(n, model=LINEAR)
    kept, many = lately(a), lately(b)
    run(a, day, one, kept=kept)
    run(b, other, _among(one, n, row), kept=many)
    assert kept[0] == many[row]
    for name in Heads.__slots__:
        assert getattr(a, name)[0] == getattr(b, name)[row], name


def _span(
    codes: NDArray[np.int64], phone: NDArray[np.int64], heard: NDArray[np.bool_], watched: NDArray[np.bool_],
    width: int, first: int,
) -> Span:  # fmt: skip
    over = first + np.arange(len(codes)) + 1
    due = watched & (width > 0) & (over % max(width, 1) == 0)
    asked = watched & (over % 4 == 0)
    told = codes.astype(np.uint8), phone.astype(np.uint8), watched, due, asked, heard & watched
    ended = EVENING - 1 if first == 0 else None
    return Span(first, EVENING, ended, first, *(x[:, None] for x in told), np.array([width], np.uint16))


def _among(one: Span, n: int, row: int) -> Span:
    rng = np.random.default_rng(n)

    def wide(x: NDArray[np.generic]) -> NDArray[np.generic]:
        out = rng.integers(0, 2 if x.dtype == np.bool_ else 200, (len(x), n)).astype(x.dtype)
        out[:, row] = x[:, 0]
        return out

    columns = [wide(x) for x in (one.codes, one.phone, one.watched, one.due, one.asked, one.heard)]
    return Span(one.first, one.block, one.ended, one.into, *columns, np.full(n, 2, np.uint16))  # type: ignore[arg-type]


def _hours(count: int, own: bool = False, into: int = 0) -> Span:
    """Hours of one home with a quiet half-hourly meter, its phone silent, or used in the last slot."""
    n, first = 4 * count, 4 * into
    codes, phone, yes = np.full(n, QUIET), np.zeros(n, int), np.ones(n, np.bool_)
    phone[-1] = OWN if own else 0
    return _span(codes, phone, yes, yes, 2, first)


def test_learned_log_odds_count_as_means_of_the_last_hours() -> None:
    """Asked once an hour, each mean goes 57/256 (30/256) of the way to what the model says, from its floor."""
    heads, day = home(model=Fixed(3.0))
    moved = run(heads, day, _hours(3))
    caution = serious = FLOOR
    for _ in range(3):
        caution += (3 * UNIT - caution) * judge.PACES["caution"] >> 8
        serious += (3 * UNIT - serious) * judge.PACES["serious"] >> 8
    assert (heads.caution[0], heads.serious[0]) == (caution, serious)
    assert moved == []
    run(heads, day, _hours(1, own=True, into=3))
    assert heads.caution[0] == FLOOR + ((3 * UNIT - FLOOR) * judge.PACES["caution"] >> 8), "own use ends what was"


def test_where_a_model_judges_its_levels_count_and_not_the_plain_score() -> None:
    """A model that sees life keeps a long quiet at nothing; one that sees none raises it with evidence of half a day;
    own phone use ends the alert; before a week is learned neither says anything."""
    heads, day = home(model=Fixed(-4.0))
    assert run(heads, day, _hours(12)) == []
    heads, day = home(model=Fixed(4.0))
    kept = lately(heads)
    moved = run(heads, day, _hours(24), kept=kept)
    assert [before for _, before in moved] == [levels.NONE, levels.ATTENTION]
    assert heads.level[0] == levels.CAUTION, "a mean of 4 that is only neared is not one of 3.86 for serious"
    run(heads, day, _hours(1, own=True, into=24), kept=kept)
    assert heads.caution[0] > FLOOR, "asked in the very slot"
    assert heads.level[0] == levels.NONE
    heads, day = home(days=6, model=Fixed(4.0))
    assert run(heads, day, _hours(24)) == []


def test_a_phone_in_use_lately_keeps_the_learned_level_at_caution() -> None:
    """Whatever a model says, serious needs the phone's own silence too."""
    heads, day = home(model=Fixed(5.0))
    quiet = _hours(48)
    run(heads, day, replace(quiet, heard=np.zeros_like(quiet.heard)))
    assert (heads.phone[0], heads.level[0]) == (0, levels.CAUTION)


def test_heads_come_back_as_they_were_stored() -> None:
    """Fields as arrays of their own and as records are the same."""
    head = fresh(np.arange(5)).head
    head["score"], head["level"], head["life"] = CAP, 3, 1_960_000
    again = np.zeros_like(head)
    Heads.of(head).store(again)
    assert again.tobytes() == head.tobytes()
    assert UNIT * 500 == CAP

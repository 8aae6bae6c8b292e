"""How a case was closed, and what that does to judging: whenever it is said, it is as if it had been known at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from msgspec import structs

from models import gaps, levels
from stream import enrolment
from stream.outcomes import FALSE, GONE, MUST_END, PROOFS, false_alerts, most_days, terms_of
from stream.partition import Partition
from stream.records import Absence, Alert, Feeds, Kind, Outcome, OutcomeCode, Reason
from stream.watch import FREE
from tests.lives import (
    DAY,
    SHORT,
    SLOT,
    Lives,
    T,
    given,
    head,
    household,
    lives,
    of,
    partition_of,
    play,
    where,
    with_event,
)
from tests.stream.streaming import standing, state_of

_C = OutcomeCode
LIFE = lives(homes=3, days=6, stop=2.5)
"""home-0 lies still from noon of the third day on."""


def at(days: float) -> datetime:
    """Days after the beginning."""
    return datetime.fromtimestamp(T + round(days * 96) * SLOT, UTC)


def closed(code: OutcomeCode, when: float, begin: float | None = None, end: float | None = None) -> Outcome:
    """An outcome at ``when``, of a time from ``begin`` to ``end``, in days."""
    return Outcome(at(when), code, None if begin is None else at(begin), None if end is None else at(end))


def told(life: Lives, *outcomes: Outcome) -> Lives:
    """The same life, home-0's outcomes known from the beginning."""
    return replace(life, households=[household("home-0", outcomes=outcomes), *life.households[1:]])


def habit(partition: Partition) -> np.void:
    """What is usual of home-0."""
    return partition.members.blocks[0].habit[0]  # type: ignore[no-any-return]


def of_home(alerts: Sequence[Alert], kind: str = "silence") -> list[Alert]:
    """Alerts of one kind on home-0."""
    return [a for a in alerts if a.household_id == "home-0" and a.kind == kind]


# --- each code -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(PROOFS))
def test_a_resident_met_or_heard_is_a_proof_of_life(code: OutcomeCode) -> None:
    """The alert ends in that slot and says why; silence begins anew; nothing of it is a habit of the phone."""
    without, kept = play(LIFE)
    alerts, partition = play(told(LIFE, closed(code, 4.4)))
    before = [a for a in of_home(without) if a.at < at(4.4)]
    assert of_home(alerts)[: len(before)] == before
    assert before[-1].event != "cleared"
    cleared, *after = of_home(alerts)[len(before) :]
    assert (cleared.event, cleared.reasons[0].code) == ("cleared", "made_sure")
    assert cleared.at == at(4.4) + timedelta(seconds=SLOT)
    assert min(a.onset for a in after) >= at(4.4)
    assert (habit(partition)["calls"] == habit(kept)["calls"]).all()


def test_somebody_without_a_phone_is_made_sure_of_as_well() -> None:
    """A visit counts where no feed of a phone watches."""
    meter_only = Feeds("meter", None)
    home = household("home-0", feeds=meter_only, outcomes=(closed(_C.safe_visited, 4.4),))
    only = replace(LIFE, households=[home, *(household(f"home-{i}", feeds=meter_only) for i in (1, 2))])
    life = where(only, None, np.zeros(len(LIFE.phone), bool))
    cleared = [a for a in of_home(play(life)[0]) if a.event == "cleared"]
    assert [a.reasons[0].code for a in cleared if a.at > at(4.4)][:1] == ["made_sure"]


@pytest.mark.parametrize("code", [_C.away_registered, _C.away_unregistered, _C.hospital, _C.emergency_119])
def test_an_explained_absence_raises_nothing_and_is_not_learned(code: OutcomeCode) -> None:
    """From its beginning to its end nothing is said; the days are not learned; afterwards it is judged again."""
    alerts, partition = play(told(LIFE, closed(code, 4, 2.5, 5)))
    mine = of_home(alerts)
    assert [a for a in mine if at(2.5) < a.at <= at(5) and a.event != "cleared"] == []
    assert mine[-1].onset >= at(5)
    assert habit(partition)["days"] == habit(play(LIFE)[1])["days"] - 3


def test_an_open_end_explains_nothing_where_none_is_asked_for() -> None:
    """`emergency_119` without an end changes nothing."""
    assert play(told(LIFE, closed(_C.emergency_119, 4)))[0] == play(LIFE)[0]


def test_who_could_not_be_reached_may_lie_at_home() -> None:
    """`unreachable` ends nothing and explains nothing, with an end or without: the home is watched as before."""
    for outcome in (closed(_C.unreachable, 3.5), closed(_C.unreachable, 4, 2.5, 5)):
        assert play(told(LIFE, outcome))[0] == play(LIFE)[0]


@pytest.mark.parametrize("code", sorted(GONE))
def test_who_moved_or_died_is_not_judged_any_more(code: OutcomeCode) -> None:
    """The alert ends with that reason and nothing follows, not even for want of data."""
    life = where(LIFE, ~(of(LIFE.meter, "home-0") & (LIFE.meter.start >= T + 4 * DAY)))
    alerts, partition = play(told(life, closed(code, 4)))
    last = of_home(alerts)[-1]
    assert (last.event, last.at, last.reasons[0].code) == ("cleared", at(4) + timedelta(seconds=SLOT), "left")
    assert of_home(alerts, "data_gap") == []
    assert (head(partition, "home-0")["level"], head(partition, "home-0")["gap"]) == (levels.NONE, gaps.NONE)


@for_all(begin=st.integers(0, 5 * 48), half_hours=st.integers(1, 96))
@hypothesis(max_examples=8)
def test_readings_of_a_data_problem_are_as_if_they_had_never_come(begin: int, half_hours: int) -> None:
    """Head, habits and levels are those of a home whose readings of that time are missing."""
    first, last = begin / 48, (begin + half_hours) / 48
    start = LIFE.meter.start
    out = of(LIFE.meter, "home-0") & (start >= at(first).timestamp()) & (start < at(last).timestamp())
    a, excused = play(told(LIFE, closed(_C.data_problem, 5, first, last)))
    b, missing = play(where(LIFE, ~out))
    assert [(x.kind, x.event, x.at, x.level) for x in a] == [(x.kind, x.event, x.at, x.level) for x in b]
    for mine, theirs in zip(excused.members.blocks, missing.members.blocks, strict=True):
        assert mine.head[:3].tobytes() == theirs.head[:3].tobytes()
        assert mine.habit[:3].tobytes() == theirs.habit[:3].tobytes()


def test_a_phone_with_a_problem_is_not_listened_to() -> None:
    """Its silence is no evidence, its days are not learned, and an alert says that electricity alone was judged."""
    problem = closed(_C.phone_problem, 3, 2.5, 6)
    alerts, partition = play(told(LIFE, problem))
    then = head(play(LIFE, end=T + int(2.5 * DAY))[1], "home-0")["phone"]
    assert head(partition, "home-0")["phone"] == then < head(play(LIFE)[1], "home-0")["phone"]
    lively = play(told(LIFE, closed(_C.phone_problem, 2, 1.2, 1.8)))[1]
    assert habit(lively)["calls_days"] == habit(play(LIFE)[1])["calls_days"] - 1
    codes = {r.code for a in of_home(alerts) if a.event == "raised" and a.at > at(2.5) for r in a.reasons}
    assert "phone_out" in codes
    assert not codes & {"phone_quiet", "phone_unknown"}


def test_a_use_of_a_phone_with_a_problem_proves_nothing() -> None:
    """Who has a lost phone is not known: its outgoing call ends no alert, and one after that time does."""
    at_hand = with_event(LIFE, int(at(4).timestamp()), Kind.call_out)
    ended = [a.at for a in of_home(play(at_hand)[0]) if a.event == "cleared"]
    assert at(4) + timedelta(seconds=SLOT) in ended
    lost = told(at_hand, closed(_C.phone_problem, 5, 3, 4.5))
    assert at(4) + timedelta(seconds=SLOT) not in [a.at for a in of_home(play(lost)[0]) if a.event == "cleared"]
    found = told(at_hand, closed(_C.phone_problem, 5, 3, 4))
    assert at(4) + timedelta(seconds=SLOT) in [a.at for a in of_home(play(found)[0]) if a.event == "cleared"]


# --- order and lateness ----------------------------------------------------------------------------------------------

_DAYS = st.integers(0, 6 * 96).map(lambda quarter: quarter / 96)
_OUTCOMES = st.lists(
    st.tuples(st.sampled_from(list(OutcomeCode)), _DAYS, _DAYS, st.integers(1, 96)).map(
        lambda o: closed(o[0], o[1], o[2], o[2] + o[3] / 96)
    ),
    min_size=1,
    max_size=4,
)


@for_all(outcomes=_OUTCOMES, seed=st.integers(0, 10**6), step=st.sampled_from([4, 16]))
@hypothesis(max_examples=12)
def test_when_and_in_which_order_outcomes_are_said_does_not_matter(
    outcomes: list[Outcome], seed: int, step: int
) -> None:
    """Said one by one at any time, in any order, before or long after the slots they speak of: in the end all that is
    kept and every alert that stands is as if all had been known from the beginning."""
    rng = np.random.default_rng(seed)
    expected, kept = play(told(LIFE, *outcomes))
    order = [outcomes[i] for i in rng.permutation(len(outcomes))]
    times = sorted(rng.integers(0, 6 * 96, len(order)).tolist())
    partition, found, begin = partition_of(LIFE), [], T
    for i, quarter in enumerate(times, 1):
        end = T + quarter * SLOT // (step * SLOT) * step * SLOT
        found += given(partition, LIFE, end, step, begin=begin) if end > begin else []
        begin = max(begin, end)
        partition.households([household("home-0", outcomes=tuple(order[:i]))])
    found += given(partition, LIFE, LIFE.end, step, begin=begin)
    found += partition.advance(0.0).alerts
    left, right = state_of(kept), state_of(partition)
    assert [name for name in left if left[name] != right[name]] == []
    silences = [a for a in expected if a.kind == "silence"]
    assert standing(a for a in found if a.kind == "silence") == standing(silences)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [(closed(_C.safe_visited, 4.5), "made_sure"), (closed(_C.hospital, 4.5, 2.5, 9), "absence"),
     (closed(_C.deceased, 4.5), "left")],
    ids=["safe", "hospital", "deceased"],
)  # fmt: skip
def test_an_outcome_that_comes_late_ends_the_alert_and_says_why(outcome: Outcome, why: str) -> None:
    """The clock has passed the moment by half a day: the alert is cleared with the outcome as its reason."""
    partition = partition_of(LIFE)
    alerts = list(given(partition, LIFE, T + 5 * DAY))
    assert of_home(alerts)[-1].event != "cleared"
    partition.households([household("home-0", outcomes=(outcome,))])
    cleared, *after = of_home(partition.advance(0.0).alerts)
    assert (cleared.event, cleared.reasons[0].code) == ("cleared", why)
    assert all(a.onset >= outcome.at for a in after)


# --- the record ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(MUST_END))
def test_what_explains_a_time_must_end(code: OutcomeCode) -> None:
    """Without `until`, or with one that is not after its beginning, the record is refused in one line."""
    reason, line = enrolment.fault_of(household("home-0", outcomes=(closed(code, 1),)))  # type: ignore[misc]
    assert (reason, line) == (Reason.bad_time, f"outcomes[0] is {code.value} without an end: send until")
    fault = enrolment.fault_of(household("home-0", outcomes=(closed(code, 2, 1, 1),)))
    assert fault is not None
    assert "not after" in fault[1]
    assert enrolment.fault_of(household("home-0", outcomes=(closed(code, 2, 1, 1.1),))) is None


def test_times_without_zone_and_too_many_outcomes_are_refused() -> None:
    """As of absences: nothing may stop the worker that stores it."""
    naive = Outcome(datetime(2026, 1, 1), _C.refused)
    fault = enrolment.fault_of(household("home-0", outcomes=(naive,)))
    assert fault is not None
    assert fault[0] == Reason.bad_time
    many = (closed(_C.refused, 1),) * (enrolment.MAX_OUTCOMES + 1)
    fault = enrolment.fault_of(household("home-0", outcomes=many))
    assert fault is not None
    assert "at most 100" in fault[1]


@for_all(st.permutations([closed(c, 1 + i / 7, 1 + i / 9, 2 + i / 5) for i, c in enumerate(OutcomeCode)]))
def test_terms_do_not_depend_on_the_order_within_the_record(outcomes: list[Outcome]) -> None:
    """Whatever the order, the same terms; who moved or died is away for ever."""
    terms = terms_of(household("home-0", outcomes=tuple(outcomes)))
    assert terms == terms_of(household("home-0", outcomes=tuple(sorted(outcomes, key=lambda o: o.at))))
    assert sum(b == FREE for _, b in terms.absences) == len(GONE)


def test_alerts_in_vain_are_counted() -> None:
    """Well, away, or a signal that was wrong; from a moment on where asked."""
    all_codes = tuple(closed(c, i, i, i + 1) for i, c in enumerate(OutcomeCode))
    home = household("home-0", outcomes=all_codes)
    assert false_alerts(home) == len(FALSE) == 6
    assert false_alerts(home, since=at(3)) == 3
    assert false_alerts(household("home-0")) == 0


def test_short_limits_are_what_these_tests_rest_on() -> None:
    """home-0 is alarmed and stays so, or nothing above would be tested."""
    assert [a.event for a in of_home(play(LIFE, SHORT)[0])][-1] != "cleared"


@pytest.mark.parametrize("code", sorted(_C))
def test_an_outcome_holds_for_days_not_for_ever(code: OutcomeCode) -> None:
    """Each code has its most, whole days after it was found; from a year back at most."""
    at, most = datetime(2026, 3, 4, 3, tzinfo=UTC), timedelta(days=most_days(code))
    good = Outcome(at, code, at - timedelta(days=365), at + most)
    assert enrolment.fault_of(household("home-0", outcomes=(good,)), at.timestamp()) is None
    far = [at + most + timedelta(days=1, seconds=1), at.replace(year=2199), at.replace(year=2206)]
    for bad in [*(structs.replace(good, until=u) for u in far), structs.replace(good, from_=at - timedelta(days=367))]:
        assert enrolment.fault_of(household("home-0", outcomes=(bad,))) is not None


def test_nothing_is_found_out_before_it_was() -> None:
    """A proof of life of 2199 would keep the home quiet until then; a clock may be ten minutes fast."""
    now = datetime(2026, 3, 4, 3, tzinfo=UTC)
    for ahead, fits in ((timedelta(minutes=10), True), (timedelta(minutes=11), False), (timedelta(days=9_000), False)):
        home = household("home-0", outcomes=(Outcome(now + ahead, _C.safe_visited),))
        assert (enrolment.fault_of(home, now.timestamp()) is None) == fits
        assert (enrolment.fault_of(home) is None), "of a history that is judged, any time is past"


def test_a_registered_absence_ends_within_a_year() -> None:
    """As every time of a record."""
    now = datetime(2026, 3, 4, 3, tzinfo=UTC)
    for days, fits in ((365, True), (367, False), (60_000, False)):
        home = household("home-0", absences=(Absence(now, now + timedelta(days=days)),))
        assert (enrolment.fault_of(home, now.timestamp()) is None) == fits

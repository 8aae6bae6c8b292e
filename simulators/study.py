"""Many homes judged side by side for what a detector may be taught: features, hour by hour, of life and of collapses.

A year of each home is run once (`Life.run`, as the stream does it). A case is a fork of that run: it begins with the
home's state at the midnight before its onset and goes on with the spliced days, so thousands of them cost little.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import state
from models.features import NAMES, Moment
from models.forest import Scale
from models.slots import SLOTS_PER_DAY, SLOTS_PER_HOUR
from models.state import State
from simulators.empty import Empty
from simulators.histories import strip_of
from simulators.phonelife import PhoneLife
from simulators.splice import Case
from stream.calendar import Calendar
from stream.life import Life, Rows
from stream.rules import Rules
from stream.watch import WHO

Codes = NDArray[np.uint8]
Progress = Callable[[int, int], None]
BEGIN = 19_800 * SLOTS_PER_DAY
"""All years begin here, whenever they were: judging knows days and hours, not dates."""
HOURS = 24


class Recorder:
    """Stands where the learned model would, says that everybody lives, and keeps what it was told:
    ``x`` (hours, homes, features) from slot ``begin``, NaN where it was not asked."""

    scale: Mapping[str, Scale] = {}

    def __init__(self, begin: int, hours: int, homes: int) -> None:
        self.begin = begin
        self.x = np.full((hours, homes, len(NAMES)), np.nan, np.float32)

    def log_odds(self, x: NDArray[np.float32], rows: NDArray[np.intp], moment: Moment) -> NDArray[np.float32]:
        """Keep the features (features, k) of ``rows`` (k,)."""
        self.x[(moment.number - self.begin) // SLOTS_PER_HOUR, rows] = x.T
        return np.full(len(rows), -9, np.float32)


@dataclass(frozen=True, slots=True)
class Column:
    """A home's year and the phone life in it. ``fit``: only taught from, not scored (changed, or an odd home)."""

    empty: Empty
    life: PhoneLife | None
    fit: bool
    cases: Sequence[Case]


@dataclass(frozen=True, slots=True)
class Lived:
    """``years`` (hours, columns, features); ``cases`` (hours, cases, features) from the midnight before each onset;
    ``of`` (cases,): the column of each."""

    years: NDArray[np.float32]
    cases: NDArray[np.float32]
    of: NDArray[np.intp]
    each: Sequence[Case]


@dataclass(frozen=True, slots=True)
class Forks:
    """Cases ready to be run: ``rows``, as they stood at the midnight before each onset, which is slot `BEGIN` for all,
    with the spliced days after it; ``of`` (cases,) columns; ``each`` case."""

    rows: Rows
    of: NDArray[np.intp]
    each: Sequence[Case]


def forks(
    columns: Sequence[Column], life: Life, after: int, progress: Progress = lambda done, total: None
) -> Forks | None:
    """Run the years by ``life``, and fork the cases off them, with ``after`` days each; None: there are none."""
    days = _days(columns)
    meter = np.zeros((days * SLOTS_PER_DAY, len(columns)), np.uint8)
    phone = np.zeros_like(meter)
    for i, c in enumerate(columns):
        codes = strip_of(c.empty.home.wh, c.empty.home.minutes)[: len(meter)]
        meter[: len(codes), i] = codes
        if c.life is not None:
            phone[: len(codes), i] = c.life.codes[: len(codes)]
    each = [case for c in columns for case in c.cases]
    of = np.array([i for i, c in enumerate(columns) for _ in c.cases], np.intp)
    firsts = np.array([columns[i].empty.home.first for i in of])
    day = (np.array([case.onset for case in each], np.int64) - firsts) // SLOTS_PER_DAY
    who = _who(columns)
    rows = _rows(state.fresh(np.full(len(columns), BEGIN)), who, meter, phone, BEGIN)
    forked = state.fresh(np.zeros(len(each), np.int64))
    for d in range(days):
        at = np.flatnonzero(day == d)
        if len(at):
            fork = rows.state.take(of[at])
            for name in ("onset", "life", "data"):
                fork.head[name] -= d * SLOTS_PER_DAY
            forked.put(at, fork)
        life.run(rows, BEGIN + d * SLOTS_PER_DAY, BEGIN + (d + 1) * SLOTS_PER_DAY, HEARD)
        progress(d + 1, days + after)
    if not each:
        return None
    days_after = [spliced(case, first, after) for case, first in zip(each, firsts.tolist(), strict=True)]
    meter, phone = (np.stack(part, axis=1) for part in zip(*days_after, strict=True))
    return Forks(_rows(forked, who[of], meter, phone, BEGIN), of, each)


def live(columns: Sequence[Column], rules: Rules, progress: Progress = lambda done, total: None) -> Lived:
    """Run the years, then the cases as forks of them. ``progress``: days done, days in all."""
    days = _days(columns)
    longest = max((case.until - case.onset for c in columns for case in c.cases), default=None)
    after = 0 if longest is None else min(1 + longest // SLOTS_PER_DAY, 6)
    years = Recorder(BEGIN, days * HOURS, len(columns))
    forked = forks(columns, _life(rules, years), after, progress)
    if forked is None:
        return Lived(years.x, np.zeros((0, 0, len(NAMES)), np.float32), np.zeros(0, np.intp), [])
    recorder = Recorder(BEGIN, after * HOURS, len(forked.each))
    life = _life(rules, recorder)
    for d in range(after):
        life.run(forked.rows, BEGIN + d * SLOTS_PER_DAY, BEGIN + (d + 1) * SLOTS_PER_DAY, HEARD)
        progress(days + d + 1, days + after)
    return Lived(years.x, recorder.x, forked.of, forked.each)


def _days(columns: Sequence[Column]) -> int:
    return max(c.empty.home.slots for c in columns) // SLOTS_PER_DAY


HEARD = np.array([0, 1 << 40, 1 << 40])
"""Feeds are complete whenever it is asked."""


def hours_to_onset(case: Case, first: int) -> float:
    """Hours from the midnight before a case's onset to it; ``first``: the home's first slot."""
    return (case.onset - first) % SLOTS_PER_DAY / SLOTS_PER_HOUR


def spliced(case: Case, first: int, days: int) -> tuple[Codes, Codes]:
    """Codes of ``days`` days from the midnight before the onset."""
    midnight = case.onset - (case.onset - first) % SLOTS_PER_DAY
    begin, count = midnight - case.first, days * SLOTS_PER_DAY
    meter, phone = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
    codes = strip_of(case.wh, case.minutes)[begin : begin + count]
    meter[: len(codes)] = codes
    used = case.phone[begin : begin + count]
    phone[: len(used)] = used
    return meter, phone


def _life(rules: Rules, recorder: Recorder) -> Life:
    return Life(replace(rules, model=recorder), Calendar("UTC"))


def _who(columns: Sequence[Column]) -> NDArray[np.void]:
    who = np.zeros(len(columns), WHO)
    who["since"], who["meter_feed"] = BEGIN, 1
    who["phone_feed"] = [2 if c.life is not None else 0 for c in columns]
    who["step"] = [c.empty.home.minutes // 15 for c in columns]
    return who


def _rows(kept: State, who: NDArray[np.void], meter: Codes, phone: Codes, begin: int) -> Rows:
    def read(first: int, count: int) -> tuple[Codes, Codes]:
        return meter[first - begin : first - begin + count], phone[first - begin : first - begin + count]

    return Rows(kept, who, read)

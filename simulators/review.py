"""A history judged and looked at from every side, in one pass: what a city wants to know before it switches on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.levels import Thresholds
from models.slots import SLOTS_PER_DAY
from simulators.backtest import Progress, backtest, span
from simulators.examples import Around, Chosen, around, choose
from simulators.standing import Standing, standing
from simulators.tally import Episode, Tally, week_of
from simulators.tried import Tried, home_weeks
from simulators.trouble import CAUTION, Facts, lost_hours, worst
from stream.calendar import Calendar, slot_at, slot_from
from stream.columns import MeterColumns, PhoneColumns
from stream.partition import Partition
from stream.records import QUALITIES, Alert, AreaWarning, Household, Quality
from stream.rules import Rules
from stream.settings import Settings

_ROWS = 1 << 22  # readings counted at a time
_MEASURED = QUALITIES.index(Quality.measured)


@dataclass(frozen=True, slots=True)
class Review:
    """What came of a history. ``feeds``: homes with both feeds, with the meter alone, with the phone alone. ``lost``
    (n,): hours a month without a reading, of the homes with a meter. ``weeks`` (w): their Mondays, ``home_weeks``
    (w,) watched in each. ``asked``, ``tried`` (k): cautions asked for per 100 households and week, and counted."""

    households: int
    first: datetime
    last: datetime
    readings: int
    events: int
    feeds: tuple[int, int, int]
    lost: NDArray[np.float64]
    thresholds: Thresholds
    tally: Tally
    weeks: Sequence[date]
    home_weeks: NDArray[np.float64]
    asked: Sequence[float]
    tried: NDArray[np.int64]
    chosen: Chosen
    pictures: Sequence[Around]
    troubled: Sequence[Facts]
    standing: Standing

    def picture(self, episode: Episode) -> Around:
        """The hours around one of the chosen."""
        return next(a for a in self.pictures if a.episode is episode)

    def rate(self, count: float) -> float:
        """Per 100 households and week."""
        watched = float(self.home_weeks.sum())
        return 100 * count / watched if watched else 0.0


def review(
    meter: MeterColumns, phone: PhoneColumns, households: Sequence[Household], settings: Settings,
    write: Callable[[Alert], None], progress: Progress = lambda done, total: None,
    warnings: Sequence[AreaWarning] = (),
) -> Review:  # fmt: skip
    """Judge a history as `simulators.backtest.backtest` does, each alert going to ``write``, and look at all of it."""
    rules, calendar, tally = Rules.of(settings), Calendar(settings.tz), Tally()
    tried, looked = Tried(rules.thresholds), _Last()

    def look(partition: Partition) -> None:
        tried(partition)
        looked.partition = partition

    for alert in backtest(meter, phone, households, settings, progress, warnings, look):
        write(alert)
        tally(alert)
    first, last = span(meter, phone)
    since = np.maximum([slot_from(h.since) for h in households] or [first], first).astype(np.int64)
    seen = hours_seen(meter, [h.household_id for h in households])
    lost = lost_hours(seen, since[: len(households)], last)
    weeks, begins = _weeks(calendar, first, last)
    chosen = choose(tally.episodes)
    stand = standing(looked.partition, rules)
    shown = [e for e in (chosen.clearest, chosen.typical, chosen.doubtful) if e is not None]
    return Review(
        len(households), calendar.time(first), calendar.time(last), len(meter), len(phone), _feeds(households),
        lost[[h.feeds.meter is not None for h in households]] if households else lost[:0],
        rules.thresholds, tally, weeks, home_weeks(since, first, last, begins), tried.asked, tried.counts(),
        chosen, [around(e, meter, phone) for e in shown],
        _troubled(tally, households, since, last, lost, stand), stand,
    )  # fmt: skip


class _Last:
    partition: Partition | None = None


def hours_seen(meter: MeterColumns, ids: Sequence[str]) -> NDArray[np.float64]:
    """Hours with a measured reading of each of ``ids``, (n,); a few million readings at a time."""
    out, names = np.zeros(len(ids)), pa.array(ids, pa.string())
    for a in range(0, len(meter), _ROWS):
        some = slice(a, a + _ROWS)
        part = meter.household_id[some]
        part = part.cast(pa.string()) if pa.types.is_dictionary(part.type) else part
        at = pc.fill_null(pc.index_in(part, names), -1).to_numpy()
        use = (at >= 0) & (meter.quality[some] == _MEASURED) & ~np.isnan(meter.kwh[some])
        out += np.bincount(at[use], meter.minutes[some][use] / 60, len(ids))
    return out


def _feeds(households: Sequence[Household]) -> tuple[int, int, int]:
    has = [(h.feeds.meter is not None, h.feeds.phone is not None) for h in households]
    return has.count((True, True)), has.count((True, False)), has.count((False, True))


def _weeks(calendar: Calendar, first: int, last: int) -> tuple[list[date], NDArray[np.int64]]:
    """Mondays of a history's weeks and the slots with which they begin."""
    monday, weeks = week_of(calendar.time(first)), []
    while monday <= calendar.time(max(last - 1, first)).date():
        weeks.append(monday)
        monday += timedelta(days=7)
    noons = [slot_at(datetime.combine(m, time(12), calendar.zone)) for m in weeks]
    return weeks, np.array([calendar.day_start(noon) for noon in noons], np.int64)


def _troubled(
    tally: Tally, households: Sequence[Household], since: NDArray[np.int64], last: int, lost: NDArray[np.float64],
    stand: Standing,
) -> list[Facts]:  # fmt: skip
    cautions = {h: int(n[CAUTION]) for h, n in tally.homes.items()}
    total = max(sum(cautions.values()), 1)
    ids = worst(cautions, len(households))
    of: dict[str, list[Episode]] = {h: [] for h in ids}
    for e in tally.episodes:
        if e.household_id in of:
            of[e.household_id].append(e)
    number = {h.household_id: i for i, h in enumerate(households) if h.household_id in of}
    out = []
    for h in ids:
        i, row = number[h], stand.row(h)
        home, lost_here = households[i], float(lost[i])
        out.append(
            Facts(
                h, of[h], cautions[h] / total, (last - int(since[i])) / (7 * SLOTS_PER_DAY),
                float(stand.calls[row]) if home.feeds.phone is not None and row is not None else None,
                lost_here if home.feeds.meter is not None else None,
                None if row is None else float(stand.hours[row]),
            )
        )  # fmt: skip
    return out

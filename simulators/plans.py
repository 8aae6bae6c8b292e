"""Which events happen when: the trips of ordinary life, a day for the demo, and weeks with incidents in them."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import numpy as np

from simulators.events import Detail, Event, EventKind
from simulators.people import Rng
from simulators.town import BLOCK, Town
from stream.records import Absence, Household

_LIFE, _WEEKS = 7, 8
_HOUR = 3600

LEFT_ON: tuple[dict[str, Detail], ...] = (
    {"what": "tv", "watts": 110.0},
    {"what": "light", "watts": 40.0},
    {"what": "heater", "watts": 800.0, "cycle_minutes": 40.0, "duty": 0.5},
    {"what": "air_conditioning", "watts": 700.0, "cycle_minutes": 25.0, "duty": 0.4},
    {"what": "rice_cooker", "watts": 35.0},
    {"what": "electric_blanket", "watts": 120.0, "cycle_minutes": 15.0, "duty": 0.5},
)
"""What people leave on when they fall."""


def plan_life(town: Town, days: range, trips_a_year: float = 5.0, registered: float = 0.25) -> list[Event]:
    """Ordinary absences that begin in these days: trips of one to a week's nights and, seldom, a hospital stay.

    Depends on the town's seed, the household's number and the date only. ``registered``: share that is told before.
    """
    found = []
    for index in days:
        for block in town.blocks:
            rng = np.random.default_rng([town.seed, _LIFE, block.number, town.date(index).toordinal()])
            draw = rng.random((5, BLOCK))
            ill = draw[0] < 0.15 / 365
            for i in np.flatnonzero(draw[0] < (trips_a_year + 0.15) / 365):
                number = block.number * BLOCK + int(i)
                if number < len(town.households):
                    told = draw[4, i] < registered
                    found.append(_absence(town, index, number, draw[1:4, i], bool(ill[i]), bool(told)))
    return sorted(found, key=_order)


def plan_day(
    town: Town, index: int, rng: Rng, *, collapses: int = 6, left_on: int = 2, trips: int = 4, registered: int = 2,
    hospitals: int = 1, phones_lost: int = 1, guests: int = 1, power_cuts: int = 1, late_concentrators: int = 1,
    cut_reads: str = "zero", hours: tuple[float, float] = (5, 23), busy: Collection[str] = (),
) -> list[Event]:
    """A day for the demo: so many of each, each to a household of its own that is not ``busy``.

    ``left_on`` of them come on top of ``collapses``; ``registered`` trips come on top of ``trips``. Collapses are for
    good, at local ``hours`` of the day. ``cut_reads``: what meters say in a power cut, "zero" or "missing". Power cuts
    and late concentrators take different areas where there are enough. A town that is too small has fewer events.
    """
    taken = set(busy)
    free = [i for i in rng.permutation(len(town.households)) if town.households[int(i)].household_id not in taken]
    wanted = [
        *[(EventKind.collapse, False)] * collapses, *[(EventKind.collapse_left_on, False)] * left_on,
        *[(EventKind.trip, False)] * trips, *[(EventKind.trip, True)] * registered,
        *[(EventKind.hospital, False)] * hospitals, *[(EventKind.phone_lost, False)] * phones_lost,
        *[(EventKind.guest, False)] * guests,
    ]
    events = [_incident(town, index, int(number), kind, rng, told, hours)
              for (kind, told), number in zip(wanted, free, strict=False)]
    return sorted(events + _areas(town, index, rng, power_cuts, late_concentrators, cut_reads), key=_order)


def _areas(town: Town, index: int, rng: Rng, cuts: int, late: int, reads: str) -> list[Event]:
    """Power cuts of two to four hours by day, and concentrators that hold three hours of readings back."""
    midnight, events = town.midnight(index), []
    names = [str(a) for a in rng.permutation(sorted(town.areas))]
    for i in range(cuts if names else 0):
        start = midnight + int(rng.uniform(9, 19) * _HOUR)
        events.append(Event(EventKind.power_cut, start, start + int(rng.uniform(2, 4) * _HOUR),
                            area=names[i % len(names)], details={"reads": reads}))
    for i in range(late if names else 0):
        start = midnight + int(rng.integers(6, 14)) * _HOUR
        events.append(Event(EventKind.late_concentrator, start, start + 3 * _HOUR,
                            area=names[(cuts + i) % len(names)], details={"hours_late": 6.0}))
    return events


def plan_weeks(town: Town, days: range, share: float = 0.2, quiet_days: int = 21) -> list[Event]:
    """Ordinary life over these days, and after ``quiet_days`` (at most half of them) incidents in a share of homes.

    A household has at most one incident; every seven days an area has a power cut and another a late concentrator.
    """
    rng = np.random.default_rng([town.seed, _WEEKS])
    life = plan_life(town, days)
    first = days.start + min(quiet_days, len(days) // 2)
    later = range(first, days.stop)
    if not later:
        return life
    kinds = [EventKind.collapse, EventKind.collapse_left_on, EventKind.trip, EventKind.hospital, EventKind.phone_lost,
             EventKind.guest]
    incidents = []
    for number in np.sort(rng.permutation(len(town.households))[: round(share * len(town.households))]):
        kind = kinds[int(rng.choice(len(kinds), p=(0.4, 0.2, 0.15, 0.1, 0.1, 0.05)))]
        incidents.append(_incident(town, int(rng.choice(later)), int(number), kind, rng, False))
    for week, index in enumerate(later[::7]):
        incidents += plan_day(town, index, rng, collapses=0, left_on=0, trips=0, registered=0, hospitals=0,
                              phones_lost=0, guests=0, cut_reads=("zero", "missing")[week % 2])
    return sorted(_before_collapse(life, incidents) + incidents, key=_order)


def enrolments(town: Town, events: Iterable[Event]) -> list[tuple[int, Household]]:
    """Records of the households topic in order of time (UTC seconds): every enrolment, then each absence when told."""
    now = dict(enumerate(town.households))
    first = town.midnight(0)
    records = [(first, household) for household in town.households]
    told = [e for e in events if "registered_at" in e.details and e.until is not None]
    for event in sorted(told, key=lambda e: (max(first, int(e.number("registered_at", 0))), *_order(e))):
        for household_id in event.households:
            number = town.number[household_id]
            absence = Absence(_time(event.start), _time(event.until or 0),
                              "hospital" if event.kind is EventKind.hospital else "trip")
            now[number] = _with(now[number], absence)
            records.append((max(first, int(event.number("registered_at", 0))), now[number]))
    return records


def _with(household: Household, absence: Absence) -> Household:
    return Household(
        household_id=household.household_id, since=household.since, area=household.area, dong=household.dong,
        feeds=household.feeds, risk=household.risk, risk_since=household.risk_since,
        absences=(*household.absences, absence), withdrawn=household.withdrawn, drill=household.drill,
    )


def _absence(town: Town, index: int, number: int, u: np.ndarray, ill: bool, told: bool) -> Event:
    """A trip or a hospital stay from three uniform numbers: when they leave, how many nights, when they are back."""
    nights = 2 + int(u[1] * 9) if ill else 1 + int(min(-np.log(1 - u[1]) * 1.6, 6))
    start = town.midnight(index) + int((7 + 10 * u[0]) * _HOUR)
    until = town.midnight(index + nights) + int((10 + 10 * u[2]) * _HOUR)
    details: dict[str, Detail] = {}
    if told:
        details["registered_at"] = start + 30 * _HOUR if ill else start - 20 * _HOUR
    kind = EventKind.hospital if ill else EventKind.trip
    return Event(kind, start, until, (town.households[number].household_id,), details=details)


def _incident(town: Town, index: int, number: int, kind: EventKind, rng: Rng, told: bool,
              hours: tuple[float, float] = (5, 23)) -> Event:
    if kind in (EventKind.trip, EventKind.hospital):
        ill = kind is EventKind.hospital
        return _absence(town, index, number, rng.random(3), ill, told or (ill and rng.random() < 0.5))
    who = (town.households[number].household_id,)
    start = town.midnight(index) + int(rng.uniform(*hours) * _HOUR)
    if kind is EventKind.collapse_left_on:
        return Event(kind, start, None, who, details=LEFT_ON[int(rng.integers(len(LEFT_ON)))])
    if kind is EventKind.phone_lost:
        dead: dict[str, Detail] = {"battery": "dead"} if rng.random() < 0.5 else {}
        return Event(kind, start, start + int(rng.uniform(1, 4) * 24 * _HOUR), who, details=dead)
    if kind is EventKind.guest:
        return Event(kind, start, start + int(rng.uniform(1, 3) * 24 * _HOUR), who, details={"factor": 1.8})
    return Event(kind, start, None, who)


def _before_collapse(life: list[Event], incidents: list[Event]) -> list[Event]:
    """Ordinary absences that do not clash with an incident: nobody collapses at home while away."""
    since = {h: e for e in incidents for h in e.households}
    kept = []
    for event in life:
        other = since.get(event.households[0])
        before = other is None or (event.until or 0) <= other.start
        if before or (other is not None and other.until is not None and event.start >= other.until):
            kept.append(event)
    return kept


def _order(event: Event) -> tuple[int, str, str]:
    return event.start, event.kind, event.area or event.households[0]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""What the demonstration plays: a town, weeks of ordinary life, a day on which things happen, and two days more."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from simulators.events import Event, EventKind
from simulators.feeds import HISTORY, USUAL, Delivery, timeline
from simulators.plans import enrolments, plan_day, plan_life
from simulators.town import Town, make_town
from stream.records import Alert, Household

PLAYED_DAYS = 3
"""The day of the incidents, and two more in which full stops are to be found."""
FIRST_DAY = date(2026, 3, 2)
HOUR = 3600

COLLAPSES = (EventKind.collapse, EventKind.collapse_left_on)
AWAY = (EventKind.trip, EventKind.hospital)
NAMES = {
    EventKind.collapse: ("쓰러짐", "collapse"),
    EventKind.collapse_left_on: ("쓰러짐", "collapse"),
    EventKind.trip: ("외출", "away"),
    EventKind.hospital: ("입원", "in hospital"),
    EventKind.phone_lost: ("전화기 분실", "phone lost"),
    EventKind.guest: ("손님", "guest"),
    EventKind.power_cut: ("정전", "power cut"),
    EventKind.late_concentrator: ("집중기 지연", "late concentrator"),
}
LEFT_ON = {
    "tv": "TV", "light": "전등", "heater": "난방기", "air_conditioning": "에어컨", "rice_cooker": "밥솥",
    "electric_blanket": "전기장판",
}  # fmt: skip


@dataclass(frozen=True)
class Story:
    """A town, ``days`` of history and ``PLAYED_DAYS``; ``planned``: the incidents, ``events``: ordinary trips too."""

    town: Town
    days: int
    planned: list[Event]
    events: list[Event]
    _by_household: dict[str, list[Event]] = field(default_factory=dict)
    _by_area: dict[str, list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look events up by whom they touch; incidents before ordinary trips."""
        for event in sorted(self.events, key=lambda e: e not in self.planned):
            for household in event.households:
                self._by_household.setdefault(household, []).append(event)
            if event.area:
                self._by_area.setdefault(event.area, []).append(event)

    @property
    def begins(self) -> int:
        """UTC seconds at which the played days begin."""
        return self.town.midnight(self.days)

    @property
    def ends(self) -> int:
        """UTC seconds at which they end."""
        return self.town.midnight(self.days + PLAYED_DAYS)

    def history(self) -> Iterator[Delivery]:
        """The weeks before, in few large batches."""
        return timeline(self.town, range(self.days), self.events, HISTORY)

    def played(self) -> Iterator[Delivery]:
        """The played days as feeds usually deliver."""
        return timeline(self.town, range(self.days, self.days + PLAYED_DAYS), self.events, USUAL)

    def records(self) -> list[tuple[int, Household]]:
        """Enrolments, and absences when they are told: (UTC seconds, record)."""
        return enrolments(self.town, self.events)

    def cause(self, alert: Alert) -> Event | None:
        """What happened that explains an alert; None: nothing did."""
        at, onset = alert.at.timestamp(), alert.onset.timestamp()
        near = [*self._by_household.get(alert.household_id, ()), *self._by_area.get(alert.area, ())]
        return next((e for e in near if e.start <= at and (e.until is None or onset < _felt_until(e))), None)


def _felt_until(event: Event) -> float:
    late = event.number("hours_late", 6) * HOUR if event.kind is EventKind.late_concentrator else 0
    return (event.until or 0) + late


def tell_story(households: int, days: int, seed: int, tz: str, today: date) -> Story:
    """The same story for the same seed; it lies in the past, for readings from the future are refused."""
    start = min(FIRST_DAY, today - timedelta(days=days + PLAYED_DAYS + 2))
    town = make_town(households, seed, start, tz)
    life = plan_life(town, range(days + PLAYED_DAYS))
    since, until = town.midnight(max(days - 2, 0)), town.midnight(days + PLAYED_DAYS)
    busy = {h for e in life if (e.until or until) > since for h in e.households}
    planned = plan_day(town, days, np.random.default_rng([seed, days]), busy=busy)
    return Story(town, days, planned, sorted([*life, *planned], key=lambda e: e.start))


def told(event: Event) -> bool:
    """Whether an absence was registered."""
    return "registered_at" in event.details


def label(event: Event) -> tuple[str, str]:
    """An event in words, Korean and English."""
    korean, english = NAMES[event.kind]
    if event.kind in AWAY:
        known = ("등록", "registered") if told(event) else ("미등록", "not told")
        return f"{korean}, {known[0]}", f"{english}, {known[1]}"
    if event.kind is EventKind.collapse_left_on:
        what = str(event.details.get("what", "something"))
        return f"쓰러짐, {LEFT_ON.get(what, what)} 켜짐", f"collapse, {what.replace('_', ' ')} on"
    return korean, english


def local(story: Story, seconds: float) -> datetime:
    """Local time of UTC seconds."""
    return datetime.fromtimestamp(seconds, story.town.tz)

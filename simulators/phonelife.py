"""Real people's phone days, and a year of one person made of them: his or her own days, in another order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.slots import DATA, INCOMING, NOTHING, OWN, SLOT_SECONDS, SLOTS_PER_DAY
from simulators.histories import by_household
from simulators.people import Rng
from stream.calendar import Calendar
from stream.columns import PhoneColumns
from stream.kinds import phone_codes
from stream.records import KINDS, Kind

DAY = 86_400
ANSWER_SECONDS = 3600
"""What comes in so soon after own use is taken for an answer to it."""

_OUT = np.array([k in (Kind.call_out, Kind.sms_out) for k in KINDS])
_DATA = KINDS.index(Kind.data)
_GAP = 3600  # events further apart than this are moved apart from each other
_BURSTS = DAY // _GAP + 1
_SHIFT_SECONDS = 600.0
_JUMP = 0.35  # chance a day that another stretch of the record is taken up
_OFFICE = (8, 21)  # hours in which it rings for no reason of the person's
_NIGHT = (2, 5)  # hours in which a phone's data is its own doing


@dataclass(frozen=True, slots=True)
class Person:
    """d whole local days of one person's events. ``weekday`` (d,): 0 is Monday;
    events of day i are ``bounds[i]:bounds[i + 1]`` of the arrays (e,): ``second`` of the day, ``kind`` (position in
    ``KINDS``), ``duration_s``, ``answer`` (came in within an hour of own use), ``burst`` (number in its day)."""

    person_id: str
    weekday: NDArray[np.int64]
    bounds: NDArray[np.int64]
    second: NDArray[np.int64]
    kind: NDArray[np.uint8]
    duration_s: NDArray[np.float32]
    answer: NDArray[np.bool_]
    burst: NDArray[np.int64]

    @property
    def days(self) -> list[tuple[int, NDArray[np.int64], NDArray[np.uint8], NDArray[np.float32]]]:
        """Weekday, seconds, kinds and durations of each day."""
        spans = [slice(a, b) for a, b in zip(self.bounds[:-1], self.bounds[1:], strict=True)]
        return [
            (int(w), self.second[s], self.kind[s], self.duration_s[s]) for w, s in zip(self.weekday, spans, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class PhoneLife:
    """Phone codes (n,) of a life that goes on, and of the same phone whose resident does nothing any more: what then
    still comes in, nobody answers."""

    person_id: str
    first: int
    codes: NDArray[np.uint8]
    alone: NDArray[np.uint8]

    def stopped(self, at: int) -> NDArray[np.uint8]:
        """Codes (n,) of a life that ends with the beginning of slot ``at`` of the array."""
        return np.concatenate([self.codes[:at], self.alone[at:]])


def persons_of(
    columns: PhoneColumns, tz: str, least_days: int = 14, least_own_per_day: float = 0.7, together: bool = False
) -> list[Person]:
    """Persons in phone events, by id, who have so many days of record and so many own uses a day.

    A record is of the days from a person's first to the last event; where all were observed ``together``, from the
    first to the last of anybody: then silence at its ends counts as well.
    """
    if not len(columns):
        return []
    calendar, found = Calendar(tz), []
    codes = phone_codes(columns.kind)
    for name, rows in by_household(columns.household_id):
        rows = rows[np.argsort(columns.at[rows], kind="stable")]
        at = columns.at[rows]
        begin, end = (columns.at.min(), columns.at.max()) if together else (at[0], at[-1])
        midnight = calendar.day_start(int(begin) // SLOT_SECONDS)
        days = int(end - midnight * SLOT_SECONDS) // DAY + 1
        if days >= least_days and (codes[rows] == OWN).sum() >= least_own_per_day * days:
            found.append(_person(name, midnight, days, at, columns.kind[rows], columns.duration_s[rows]))
    return found


def phone_life(person: Person, first_slot: int, slots: int, rng: Rng, unasked: float = 0.0) -> PhoneLife:
    """``slots`` slots of this person's life from the local midnight ``first_slot`` on.

    The person's own days in runs of a few, weekend for weekend; what belongs together is moved by about ten minutes.
    After an end own use is gone, with it what came in as an answer within an hour; calls ring in vain. Data goes on as
    often as it does at night, by the phone itself. ``unasked``: texts and calls a day that nobody thinks of answering,
    of banks, shops and offices, come besides, as long as the phone is on; records of calls among friends have none.
    """
    count = -(-slots // SLOTS_PER_DAY)
    weekday = weekday_of(first_slot) + np.arange(count)
    source = _draw_days(person.weekday >= 5, weekday % 7 >= 5, rng)
    many = person.bounds[source + 1] - person.bounds[source]
    day = np.repeat(np.arange(count), many)
    event = np.arange(len(day)) + np.repeat(person.bounds[source] - np.cumsum(many) + many, many)
    shift = rng.normal(0, _SHIFT_SECONDS, (count, _BURSTS))[day, person.burst[event]]
    second = np.clip(person.second[event] + np.rint(shift).astype(np.int64), 0, DAY - 1)
    slot = day * SLOTS_PER_DAY + second // SLOT_SECONDS

    code = phone_codes(person.kind[event])
    without = np.where((code == OWN) & ~_OUT[person.kind[event]], np.uint8(INCOMING), code)
    without[_OUT[person.kind[event]] | person.answer[event]] = NOTHING
    without[(code == DATA) & (rng.random(len(code)) >= _by_itself(person))] = NOTHING
    strips = _strip(slot, code, slots), _strip(slot, without, slots)
    if unasked:
        rings = _unasked(count, unasked, rng)
        for strip in strips:
            at = rings[rings < slots]
            strip[at] = np.maximum(strip[at], INCOMING)
    return PhoneLife(person.person_id, first_slot, *strips)


def weekday_of(midnight: int) -> int:
    """Weekday (0 is Monday) of the local day that begins at a slot, for zones within twelve hours of UTC."""
    return ((midnight + SLOTS_PER_DAY // 2) // SLOTS_PER_DAY + 3) % 7


def _person(
    name: str, midnight: int, days: int, at: NDArray[np.int64], kind: NDArray[np.uint8], seconds: NDArray[np.float32]
) -> Person:
    day, second = np.divmod(at - midnight * SLOT_SECONDS, DAY)
    bounds = np.searchsorted(day, np.arange(days + 1))
    out = _OUT[kind]
    last = np.maximum.accumulate(np.where(out, at, np.iinfo(np.int64).min // 2))
    begins = np.diff(at, prepend=at[0]) >= _GAP
    number = np.cumsum(begins | (np.diff(day, prepend=-1) > 0))
    burst: NDArray[np.int64] = number - number[bounds[day]]
    return Person(
        person_id=name,
        weekday=(weekday_of(midnight) + np.arange(days)) % 7,
        bounds=bounds,
        second=second,
        kind=kind,
        duration_s=seconds,
        answer=~out & (kind != _DATA) & (at - last < ANSWER_SECONDS),
        burst=burst,
    )


def _draw_days(is_weekend: NDArray[np.bool_], weekend: NDArray[np.bool_], rng: Rng) -> NDArray[np.int64]:
    """Which day (of d, ``is_weekend``) is lived again on each of n days, (n,): the next one, or another of its kind."""
    kinds = [np.flatnonzero(is_weekend == k) for k in (False, True)]
    kinds = [k if len(k) else np.arange(len(is_weekend)) for k in kinds]
    jump, pick = rng.random(len(weekend)) < _JUMP, rng.random(len(weekend))
    jump[:1] = True
    chosen, at = [], 0
    for leaps, u, rests in zip(jump.tolist(), pick.tolist(), weekend.tolist(), strict=True):
        at = (at + 1) % len(is_weekend)
        if leaps or is_weekend[at] != rests:
            at = int(kinds[rests][int(u * len(kinds[rests]))])
        chosen.append(at)
    return np.array(chosen, np.int64)


def _unasked(days: int, rate: float, rng: Rng) -> NDArray[np.int64]:
    """Slots in which something comes that nobody asked for, by day."""
    day = np.repeat(np.arange(days), rng.poisson(rate, days))
    begin, end = _OFFICE
    return np.asarray(day * SLOTS_PER_DAY + rng.integers(begin * 4, end * 4, len(day)))


def _by_itself(person: Person) -> float:
    """Share of the data sessions that the phone makes without anybody: the night's rate against the whole day's."""
    hour = person.second[person.kind == _DATA] // 3600
    if not len(hour):
        return 0.0
    begin, end = _NIGHT
    return min(1.0, float(np.mean((hour >= begin) & (hour < end))) * 24 / (end - begin))


def _strip(slot: NDArray[np.int64], code: NDArray[np.uint8], slots: int) -> NDArray[np.uint8]:
    inside = slot < slots
    strip = np.full(slots, NOTHING, np.uint8)
    np.maximum.at(strip, slot[inside], code[inside])
    return strip

"""Collapses spliced into real homes' histories, and four things that are none: cases on which detection is learned
and scored.

No public data set holds a labelled collapse, so one is made of what is real: a home's readings up to a random moment,
from then on the same home's own load with nobody in it, which the detector has not seen.

    full_stop   the empty home's load; own phone use ends, and with it what answers it; calls ring in vain
    left_on     the same, and something stays on
    away        the empty home's load for 2 to 10 days, the phone goes on: no emergency
    phone_lost  the phone silent for 3 days, the load as usual: no emergency
    gap         no readings for 12 to 48 hours, the phone as usual: a fault of the data
    untouched   nothing at all
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.slots import NOTHING
from simulators.empty import Empty, Hidden, can_be_empty, study, unoccupied
from simulators.histories import Home
from simulators.lefton import left_on
from simulators.meters import counted
from simulators.people import Rng
from simulators.phonelife import Person, PhoneLife, phone_life

FULL_STOP, LEFT_ON, AWAY, PHONE_LOST, GAP, UNTOUCHED = (
    "full_stop", "left_on", "away", "phone_lost", "gap", "untouched",
)  # fmt: skip
SCENARIOS = (FULL_STOP, LEFT_ON, AWAY, PHONE_LOST, GAP, UNTOUCHED)
EMERGENCIES = (FULL_STOP, LEFT_ON)
COUNTS = {FULL_STOP: 8, LEFT_ON: 3, AWAY: 2, PHONE_LOST: 1, GAP: 1}

_AWAY_DAYS, _LOST_DAYS, _GAP_DAYS = (2.0, 10.0), 3.0, (0.5, 2.0)
_TRIES = 50
_BEFORE_DAYS, _MOST_MISSING = 7, 0.1  # an onset has a week behind it that was measured


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of the home a case shows, in days before and after the onset, and how long before the onset the home's
    empty load is not taken from, because a detector may remember it."""

    context_days: int = 28
    after_days: int = 5
    unseen_days: int = 120


@dataclass(frozen=True, slots=True)
class Case:
    """A window of one home with one thing happening. ``first``, ``onset``, ``until``: slots (UTC seconds // 900);
    ``wh`` float32 (n,) an interval of ``minutes``; ``phone`` uint8 (n * minutes / 15,) codes; ``origin``: where the
    empty load comes from; ``left``: what stayed on."""

    household_id: str
    person_id: str
    scenario: str
    minutes: int
    first: int
    onset: int
    until: int
    wh: NDArray[np.float32]
    phone: NDArray[np.uint8]
    origin: str = ""
    left: str = ""


def rng_of(seed: int, *names: str) -> Rng:
    """Random numbers of this home (and person) alone: they do not depend on which others are there."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


def fold_of(names: list[str], folds: int, seed: int = 0) -> dict[str, int]:
    """Fold of each name, folds of equal size: whole homes, or whole persons, are left out together."""
    order = sorted(set(names), key=lambda name: (crc32(f"{seed}:{name}".encode()), name))
    return {name: i % folds for i, name in enumerate(order)}


def settle(homes: Sequence[Home], persons: Sequence[Person], seed: int) -> list[tuple[Empty, PhoneLife | None]]:
    """Each home with the phone life of one of these persons in it, who is drawn by the home's name and the seed.

    For scores with whole homes and persons left out, settle the homes of a fold with the persons of that fold.
    """
    found: list[tuple[Empty, PhoneLife | None]] = []
    for home in homes:
        rng, life = rng_of(seed, home.household_id, "phone"), None
        if persons:
            life = phone_life(persons[int(rng.integers(len(persons)))], home.first, home.slots, rng)
        found.append((study(home), life))
    return found


def cases(
    empty: Empty, life: PhoneLife | None, rng: Rng, counts: Mapping[str, int] = COUNTS, reach: Reach = Reach()
) -> list[Case]:
    """So many cases of each scenario from one home and the phone life lived in it, each at a random moment. Fewer
    where the home's record is too short or too full of holes; without a phone, none in which it is lost."""
    found = []
    for scenario, count in counts.items():
        if scenario == PHONE_LOST and life is None:
            continue
        for _ in range(count):
            onset = draw_onset(empty, rng, reach)
            if onset is not None:
                found.append(splice(empty, life, scenario, onset, rng, reach))
    return found


def draw_onset(empty: Empty, rng: Rng, reach: Reach = Reach()) -> int | None:
    """An interval of the home, any time as likely as another, with its context before it and a week just before that
    was measured; None where none was found."""
    home = empty.home
    low, high = reach.context_days * home.per_day, len(home.wh) - reach.after_days * home.per_day
    if high <= low:
        return None
    for onset in rng.integers(low, high, _TRIES).tolist():
        before = home.wh[max(0, onset - _BEFORE_DAYS * home.per_day) : onset]
        if np.isnan(before).mean() <= _MOST_MISSING and can_be_empty(empty, hidden_of(empty, onset, reach)):
            return int(onset)
    return None


def hidden_of(empty: Empty, onset: int, reach: Reach) -> Hidden:
    """What a case at this interval may not take its empty load from."""
    per_day = empty.home.per_day
    before = max(reach.unseen_days, reach.context_days)
    return max(0, onset - before * per_day), onset + reach.after_days * per_day


def splice(empty: Empty, life: PhoneLife | None, scenario: str, onset: int, rng: Rng, reach: Reach = Reach()) -> Case:
    """One case at interval ``onset`` of the home. Raises ValueError for a scenario that there is not."""
    home, width, per_day = empty.home, empty.home.width, empty.home.per_day
    begin, end = max(0, onset - reach.context_days * per_day), min(len(home.wh), onset + reach.after_days * per_day)
    wh, phone = home.wh[begin:end].copy(), _phone(life, begin * width, end * width)
    at, stop, origin, left = onset - begin, end - begin, "", ""
    if scenario in EMERGENCIES or scenario == AWAY:
        if scenario == AWAY:
            stop = min(stop, at + _days(_AWAY_DAYS, per_day, rng))
        load, origin = unoccupied(empty, onset, stop - at, hidden_of(empty, onset, reach), rng)
        if scenario == LEFT_ON:
            was_on = (float(np.nan_to_num(home.wh[onset - 1])) - float(np.median(load))) * 60 / home.minutes
            more, left = left_on(len(load), home.minutes, rng, was_on)
            load = counted(load + more, empty.step, rng.random())
        wh[at:stop] = np.where(np.isnan(wh[at:stop]), np.float32(np.nan), load)
        if scenario in EMERGENCIES and life is not None:
            phone = life.stopped(onset * width)[begin * width : end * width]
    elif scenario == PHONE_LOST:
        stop = min(stop, at + round(_LOST_DAYS * per_day))
        phone[at * width : stop * width] = NOTHING
    elif scenario == GAP:
        stop = min(stop, at + _days(_GAP_DAYS, per_day, rng))
        wh[at:stop] = np.nan
    elif scenario != UNTOUCHED:
        raise ValueError(f"scenario {scenario!r}: one of {', '.join(SCENARIOS)}")
    slot = home.first + begin * width
    person = life.person_id if life is not None else ""
    return Case(home.household_id, person, scenario, home.minutes, slot, slot + at * width, slot + stop * width, wh,
                phone, origin, left)  # fmt: skip


def _phone(life: PhoneLife | None, begin: int, end: int) -> NDArray[np.uint8]:
    return np.full(end - begin, NOTHING, np.uint8) if life is None else life.codes[begin:end].copy()


def _days(span: tuple[float, float], per_day: int, rng: Rng) -> int:
    return int(rng.uniform(*span) * per_day)

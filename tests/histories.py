"""Small histories in which every kind of alert occurs, for the tests of the stream."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from simulators import events
from simulators.events import Event, EventKind
from simulators.town import Town, make_town
from stream import frames
from stream.columns import MeterColumns, PhoneColumns
from stream.records import Household

HOUR = 3600


@dataclass(frozen=True)
class History:
    """What feeds delivered of some households, all of it."""

    meter: MeterColumns
    phone: PhoneColumns
    households: list[Household]


def eventful(homes: int = 128, days: int = 20, seed: int = 7) -> History:
    """A town with meters of 15, 30 and 60 minutes in which people collapse, travel and lose phones, an area loses its
    power, and meters fall silent for a day."""
    town = make_town(homes, seed, date(2026, 3, 2))
    parts = [events.apply(town, town.day(i), _events(town, days)) for i in range(days)]
    meter = frames.concat([d.meter for d in parts])
    phone = frames.concat([d.phone for d in parts])
    return History(_without(meter, town, days), phone, town.households)


def _events(town: Town, days: int) -> list[Event]:
    """The last five days' events."""
    day, ids = town.midnight, [h.household_id for h in town.households]
    later = day(days - 5)
    found = [Event(EventKind.collapse, later + 9 * HOUR, None, tuple(ids[3:9]))]
    found.append(Event(EventKind.collapse_left_on, later + 15 * HOUR, None, tuple(ids[20:23]), details={"watts": 40.0}))
    found.append(Event(EventKind.trip, later + 11 * HOUR, later + 60 * HOUR, tuple(ids[30:36])))
    found.append(Event(EventKind.phone_lost, later, None, tuple(ids[40:43]), details={"battery": "dead"}))
    found.append(
        Event(EventKind.power_cut, day(days - 3) + 10 * HOUR, day(days - 3) + 14 * HOUR, area=town.households[0].area,
              details={"reads": "missing"})
    )  # fmt: skip
    return found


def _without(meter: MeterColumns, town: Town, days: int) -> MeterColumns:
    """Of five homes nothing comes for ten hours, of three others nothing for two days."""
    number = np.array([town.number[h] for h in meter.household_id.to_pylist()])
    since = meter.start - town.midnight(days - 4)
    short = (number >= 50) & (number < 55) & (since >= 0) & (since < 10 * HOUR)
    long = (number >= 60) & (number < 63) & (since >= 0) & (since < 48 * HOUR)
    return frames.take(meter, np.flatnonzero(~short & ~long))

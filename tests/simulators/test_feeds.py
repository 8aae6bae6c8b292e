"""How feeds deliver days."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulators.events import Event, EventKind
from simulators.feeds import CLEAN, HISTORY, USUAL, Delivery, Profile, deliver, timeline
from simulators.town import Town, make_town
from stream.frames import decode, encode
from stream.records import METER, PHONE, QUALITIES, Quality

TOWN = make_town(150, 5, date(2026, 4, 6))
HOUR = 3600


def rows(deliveries: list[Delivery], topic: str) -> Counter[Any]:
    """How often each (household, time) was delivered on a topic."""
    times = [(i, t) for d in deliveries if d.topic == topic
             for i, t in zip(d.columns.household_id.to_pylist(), _times(d).tolist(), strict=True)]
    return Counter(times)


def _times(delivery: Delivery) -> np.ndarray:
    columns: Any = delivery.columns
    return columns.start if delivery.topic == METER else columns.at


def one_day(town: Town = TOWN, profile: Profile = USUAL, events: tuple[Event, ...] = ()) -> list[Delivery]:
    """Deliveries of day 0."""
    return list(deliver(town, town.day(0), events, np.random.default_rng(1), profile))


def test_clean_feeds_deliver_everything_once() -> None:
    """With nothing wrong, every row arrives once, in order of arrival, never before its interval has ended."""
    day, found = TOWN.day(0), one_day(profile=CLEAN)
    assert [d.arrival for d in found] == sorted(d.arrival for d in found)
    meter = rows(found, METER)
    assert set(meter.values()) == {1}
    assert len(meter) == len(day.meter)
    assert rows(found, PHONE).total() == len(day.phone)
    for d in found:
        ends = _times(d) + (d.columns.minutes.astype(int) * 60 if d.topic == METER else 0)  # type: ignore[union-attr]
        assert np.all(ends <= d.arrival)
    assert not any(d.as_json for d in found)


def test_meters_come_in_batches() -> None:
    """Meter batches leave at their minute of the hour, all households together."""
    found = [d for d in one_day(profile=CLEAN) if d.topic == METER]
    assert {d.arrival % HOUR for d in found} == {5 * 60}
    assert len(found) == 24
    assert max(len(d.columns) for d in found) > 150


def test_late_rows_are_within_the_lateness() -> None:
    """Late rows take at most the profile's lateness and the wait for a batch; some do."""
    profile = replace(CLEAN, late_share=0.3, meter_batch_minutes=15, offset_minutes=0)
    delays = np.concatenate([
        d.arrival - d.columns.start - d.columns.minutes.astype(int) * 60  # type: ignore[union-attr]
        for d in one_day(profile=profile) if d.topic == METER
    ])
    assert delays.max() <= (45 + 3 + 15) * 60
    assert np.mean(delays > 20 * 60) > 0.05


def test_duplicates_gaps_and_estimates_have_their_share() -> None:
    """Of many rows about the asked share comes twice, never, or as an estimate."""
    profile = replace(CLEAN, duplicate_share=0.05, missing_share=0.04, estimated_share=0.03)
    found = one_day(profile=profile)
    meter, n = rows(found, METER), len(TOWN.day(0).meter)
    assert 0.03 < sum(c == 2 for c in meter.values()) / n < 0.07
    assert 0.03 < 1 - len(meter) / n < 0.05
    quality = np.concatenate([d.columns.quality for d in found if d.topic == METER])  # type: ignore[union-attr]
    assert 0.02 < np.mean(quality == QUALITIES.index(Quality.estimated)) < 0.04


def test_rows_within_a_batch_are_out_of_order() -> None:
    """The rows of a batch come in no order of time."""
    batch = max((d for d in one_day(profile=CLEAN) if d.topic == METER), key=lambda d: len(d.columns))
    assert np.any(np.diff(_times(batch)) < 0)


def test_single_records_decode_as_json() -> None:
    """Some rows come alone, and travel as one JSON record each; frames travel as Arrow."""
    found = one_day(profile=replace(CLEAN, json_share=0.01))
    single = [d for d in found if d.as_json]
    assert {d.topic for d in single} == {METER, PHONE}
    assert all(len(d.columns) == 1 for d in single)
    for d in [*single[:20], *found[:20]]:
        value, headers = encode(d.columns, d.feed, d.complete_until, d.as_json)
        frame = decode("meter" if d.topic == METER else "phone", value, headers)
        assert frame.bad == []
        assert len(frame.columns) == len(d.columns)


@pytest.mark.parametrize("profile", [USUAL, HISTORY, CLEAN])
def test_a_promise_of_completeness_is_kept(profile: Profile) -> None:
    """Once the phone feed said it is complete up to a time, no event from before that time arrives any more."""
    profile = replace(profile, duplicate_share=0)
    promised, promises = 0, 0
    for d in timeline(TOWN, range(3), (), profile):
        if d.topic == PHONE:
            assert len(d.columns) == 0 or _times(d).min() >= promised
            if d.complete_until is not None:
                assert d.complete_until > promised
                promised, promises = d.complete_until, promises + 1
    assert promises == 3 * 1440 // profile.phone_batch_minutes
    assert promised >= TOWN.midnight(3) - profile.phone_batch_minutes * 60 - 300


def test_a_late_concentrator_delivers_all_later() -> None:
    """The rows it held come together, hours after; the same rows as without it, and other areas are not touched."""
    start = TOWN.midnight(0) + 8 * HOUR
    late = Event(EventKind.late_concentrator, start, start + 3 * HOUR, area="area-0001", details={"hours_late": 6.0})
    held = {(TOWN.households[i].household_id, t) for i in TOWN.areas["area-0001"]
            for t in range(start, start + 3 * HOUR, 900)}
    plain, found = one_day(profile=CLEAN), one_day(profile=CLEAN, events=(late,))
    assert rows(plain, METER) == rows(found, METER)
    seen = 0
    for d in found:
        if d.topic == METER:
            inside = held & set(rows([d], METER))
            seen += len(inside)
            assert not inside or d.arrival == start + 9 * HOUR + 5 * 60
    assert seen > 100


def test_a_timeline_is_ordered_complete_and_the_same_again() -> None:
    """Over days, batches come in order of arrival, nothing is lost at midnight, and again gives the same bytes."""
    start = TOWN.midnight(0) + 22 * HOUR
    late = Event(EventKind.late_concentrator, start, start + 4 * HOUR, area="area-0000")
    found = list(timeline(TOWN, range(2), [late], replace(USUAL, missing_share=0)))
    arrivals = [d.arrival for d in found]
    assert arrivals == sorted(arrivals)
    assert len(rows(found, METER)) == sum(len(TOWN.day(i).meter) for i in range(2))
    again = list(timeline(TOWN, range(2), [late], replace(USUAL, missing_share=0)))
    assert [encode(d.columns, as_json=d.as_json)[0] for d in found] == [
        encode(d.columns, as_json=d.as_json)[0] for d in again]

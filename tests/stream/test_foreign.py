"""A feed speaks for the homes that name it: nothing of what it says of others is used, however it is said."""

import json
from collections import Counter

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry

from stream import frames
from stream.columns import MeterColumns, PhoneColumns
from stream.foreign import OTHER, SHOWN
from stream.intake import HEADERS_JSON, Intake, Message, Taken
from stream.metrics import Metrics
from stream.records import HOUSEHOLDS, KINDS, METER, PHONE, Feeds, Household, Kind, Reason
from stream.settings import FeedSettings, Settings
from stream.watermark import MOST_STRANGERS
from tests.stream.streaming import HERE, NOW, SINCE, TWO, T, new_partition, readings, state_of

DAY = 86_400
OWN = Feeds("kepco", "kt")
MINE, OTHERS = HERE[0], HERE[1]


class Bench:
    """Partition 0 of two, to which senders write; homes are watched by `kepco` and `kt`, or as their records say."""

    def __init__(
        self, feeds: dict[str, Feeds] | None = None, settings: Settings = TWO, begun: bool = True, usual: Feeds = OWN
    ) -> None:
        self.now, self.offsets = NOW, Counter[str]()
        self.intake = Intake(new_partition(0, settings), settings, {})
        self.partition = self.intake.partition
        for home in HERE:
            self.enrol(Household(home, SINCE, feeds=(feeds or {}).get(home, usual)))
        self.take()
        if begun:
            self.partition.begin(T, 0)

    def enrol(self, record: Household) -> None:
        """Send a home's record."""
        self._put(HOUSEHOLDS, msgspec.json.encode(record), record.household_id.encode(), HEADERS_JSON)

    def send(self, columns: MeterColumns | PhoneColumns, feed: str, until: int | None = None) -> None:
        """Send a frame on the topic of its rows."""
        topic = METER if isinstance(columns, MeterColumns) else PHONE
        value, headers = frames.encode(columns, feed, until)
        self._put(topic, value, None, headers)

    def take(self) -> Taken:
        """One batch."""
        taken = self.intake.take(400, self.now)
        self.partition.advance(self.now)
        return taken

    def _put(self, topic: str, value: bytes, key: bytes | None, headers: object) -> None:
        self.intake.put(Message(topic, self.offsets[topic], value, key, headers, self.now))
        self.offsets[topic] += 1

    def written(self) -> tuple[int, int]:
        """Slots with something of the meter and of the phone."""
        strips = self.partition.members.blocks[0].strips
        return int((strips.meter > 0).sum()), int((strips.phone > 0).sum())


def calls(ids: list[str], at: int = T) -> PhoneColumns:
    """Outgoing calls: proofs of life."""
    n = len(ids)
    kind = np.full(n, KINDS.index(Kind.call_out), np.uint8)
    return PhoneColumns(pa.array(ids, pa.string()), np.full(n, at, np.int64), kind, np.full(n, 60, np.float32))


@pytest.mark.parametrize("feed", ["kepco", "skt", "kt.", "meter", "phone"])
def test_no_feed_but_the_homes_own_gives_life(feed: str) -> None:
    """The meter company, another carrier, a name like it: no use of the phone comes of it, and all is counted."""
    bench = Bench()
    bench.send(readings([MINE], [T]), "kepco")
    bench.take()
    before = state_of(bench.partition)
    bench.send(calls([MINE, OTHERS, *["nobody"] * 3]), feed)
    taken = bench.take()
    assert taken.counts[PHONE, Reason.foreign_feed] == 2
    assert bench.written() == (1, 0)
    after = state_of(bench.partition)
    assert {k: v for k, v in after.items() if k != "sources"} == {k: v for k, v in before.items() if k != "sources"}


def test_a_feed_of_one_home_is_no_feed_of_another() -> None:
    """Of one frame the rows of its own homes are used; those of others neither as data nor as an interval."""
    bench = Bench({OTHERS: Feeds("gas", None)})
    hourly = readings([MINE, OTHERS], [T, T], [0.4, 0.4])
    bench.send(MeterColumns(hourly.household_id, hourly.start, hourly.kwh, np.full(2, 60, np.uint8), hourly.quality),
               "kepco")  # fmt: skip
    taken = bench.take()
    assert +taken.counts == {(METER, Reason.foreign_feed): 1}
    assert bench.written() == (4, 0)
    who = bench.partition.members.blocks[0].who
    assert [int(s) for s in who["step"][bench.partition.members.locate(pa.array([MINE, OTHERS]))]] == [4, 0]


def test_a_home_without_a_phone_has_no_use_of_it() -> None:
    """A signal for which the record names no feed takes nothing from anybody."""
    bench = Bench({MINE: Feeds("kepco", None)})
    for feed in ("kt", "kepco", "phone"):
        bench.send(calls([MINE]), feed)
    assert bench.take().counts[PHONE, Reason.foreign_feed] == 3
    assert bench.written() == (0, 0)


def test_a_home_that_names_none_has_the_feeds_by_default() -> None:
    """`meter` and `phone`, as a sender who names itself nothing."""
    bench = Bench()
    bench.enrol(Household(MINE, SINCE))
    bench.send(calls([MINE]), "kt")
    bench.send(calls([MINE], T + 900), "phone")
    assert bench.take().counts[PHONE, Reason.foreign_feed] == 1
    assert bench.written() == (0, 1)


def test_a_new_record_gives_a_home_to_another_feed() -> None:
    """From then on the one is heard and the other is not."""
    bench = Bench()
    bench.enrol(Household(MINE, SINCE, feeds=Feeds("kepco", "skt")))
    bench.take()
    bench.send(calls([MINE]), "kt")
    bench.send(calls([MINE], T + 3600), "skt")
    assert bench.take().counts[PHONE, Reason.foreign_feed] == 1
    assert bench.written() == (0, 1)


def test_a_flood_is_one_dead_letter_without_a_value() -> None:
    """A hundred thousand rows in fifty frames: counted, told once with at most twenty homes, no row kept."""
    bench = Bench()
    many = [h for h in HERE for _ in range(100_000 // len(HERE) // 50)]
    for n in range(50):
        bench.send(readings(many, [T + n * 900] * len(many), [0.777] * len(many)), "gas")
    taken = bench.take()
    assert taken.counts[METER, Reason.foreign_feed] == 50 * len(many)
    [letter] = taken.dead
    assert (letter.reason, letter.rows, letter.offset) == (Reason.foreign_feed, 50 * len(many), 49)
    assert len(json.loads(letter.sample)["household_ids"]) == min(SHOWN, len(HERE))
    assert "0.777" not in letter.sample + letter.detail
    assert "feeds.meter" in letter.detail


# --- clocks ------------------------------------------------------------------------------------------------------


def test_a_foreign_frame_is_no_beginning() -> None:
    """Sent first, with rows of today: the clock does not begin with it, and the history of the homes' feed is used."""
    bench = Bench(begun=False, usual=Feeds("kepco", None))
    bench.send(readings([MINE], [T + 30 * DAY]), "gas", T + 30 * DAY)
    bench.take()
    assert bench.partition.start is None
    bench.send(readings([MINE], [T]), "kepco")
    assert +bench.take().counts == {}
    assert bench.written() == (1, 0)


def test_a_foreign_frame_is_no_word_of_a_signal() -> None:
    """The phones' feed is waited for at the beginning, though a stranger has written to its topic."""
    bench = Bench(begun=False)
    bench.send(readings([MINE], [T + DAY]), "kepco")
    bench.send(calls([MINE], T + DAY), "skt")
    bench.take()
    assert bench.partition.start is None
    bench.send(calls([MINE], T), "kt")
    taken = bench.take()
    assert +taken.counts == {(PHONE, Reason.foreign_feed): 1}
    assert bench.written() == (1, 1)


def test_a_foreign_frame_ahead_holds_nothing_up() -> None:
    """While the homes' feed is away another sends rows of weeks later: none waits behind them when it is back."""
    bench = Bench()
    bench.send(readings([MINE], [T]), "kepco", T + 900)
    bench.take()
    bench.send(readings([MINE], [T + 30 * DAY]), "gas", T + 30 * DAY)
    bench.send(readings([MINE], [T + 900]), "kepco", T + 1800)
    bench.take()
    assert (len(bench.intake), bench.intake.next[METER]) == (0, 3)
    assert bench.written() == (2, 0)


def test_nobody_moves_the_watermark_of_another_feed() -> None:
    """A promise of `kt` among the readings, in the meters' name among the events, in a stranger's: all are idle."""
    bench = Bench()
    bench.send(readings([MINE], [T]), "kepco", T + 900)
    bench.send(calls([MINE]), "kt", T + 900)
    bench.take()
    clock = bench.partition.marks.clock
    bench.send(readings([], []), "kt", T + DAY)
    bench.send(calls([]), "kepco", T + DAY)
    bench.send(calls([]), "stranger", T + DAY)
    bench.send(readings([], []), "stranger", T + DAY)
    bench.take()
    assert {s.name: s.until for s in bench.partition.marks.sources.values() if s.wanted} == {
        "kepco": (T + 900) // 900, "kt": (T + 900) // 900,
    }  # fmt: skip
    assert bench.partition.marks.clock == clock


def test_names_of_strangers_fill_nothing() -> None:
    """A feed's name is whatever a sender wrote: of a thousand some are kept, and the homes' own are among them."""
    bench = Bench()
    for n in range(1000):
        bench.send(readings([MINE], [T]), f"x{n}", T + 900)
    for _ in range(3):
        bench.take()
    assert len(bench.partition.marks.sources) == MOST_STRANGERS + 2
    bench.enrol(Household(MINE, SINCE, feeds=Feeds("x999", "new")))
    bench.take()
    assert {"x999", "new", "kepco", "kt"} <= {s.name for s in bench.partition.marks.sources.values() if s.wanted}


def test_metrics_name_only_feeds_that_we_know() -> None:
    """Labels take few values: a name nobody here has is `other`."""
    bench = Bench(settings=TWO.model_copy(update={"feeds": {"gas": FeedSettings()}}))
    for feed in ("kt", "gas", "x1", "x2"):
        bench.send(readings([MINE], [T]), feed)
    found = bench.take().foreign
    assert found == {(METER, "kt"): 1, (METER, "gas"): 1, (METER, OTHER): 2}
    metrics = Metrics(CollectorRegistry())
    metrics.rows_foreign.labels(METER, OTHER).inc()
    assert metrics.registry.get_sample_value("anbu_rows_foreign_total", {"topic": METER, "feed": OTHER}) == 1


def test_the_lateness_of_a_feed_is_that_of_the_settings() -> None:
    """Also where homes were enrolled before its first frame: its data count as complete so long after them."""
    bench = Bench(settings=TWO.model_copy(update={"feeds": {"kepco": FeedSettings(lateness_minutes=15)}}))
    bench.send(readings([MINE], [T + 900]), "kepco")
    bench.take()
    assert bench.partition.marks.sources["kepco"].until == (T + 900) // 900

"""History as it is sent: each feed sends the rows of its own homes."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from simulators.replay import by_feed
from stream import frames
from stream.columns import MeterColumns, PhoneColumns
from stream.records import Feeds, Household

T = 1_767_225_600
SINCE = datetime.fromtimestamp(T, UTC)
HOMES = [
    Household("a", SINCE, feeds=Feeds("kepco", "kt")), Household("b", SINCE, feeds=Feeds("gas", None)),
    Household("c", SINCE, feeds=Feeds("kepco", "skt")), Household("d", SINCE),
]  # fmt: skip


def test_rows_go_out_under_the_feed_of_their_homes() -> None:
    """Every feed is there, so that each says how far it is, one without rows too."""
    ids = pa.array(["a", "b", "c", "b", "stranger"]).dictionary_encode()
    ones = np.ones(5, np.float32)
    meter = MeterColumns(ids, np.full(5, T), ones, np.full(5, 15, np.uint8), np.zeros(5, np.uint8))
    sent = {feed: rows.household_id.to_pylist() for feed, rows in by_feed(meter, HOMES)}
    assert sent == {"gas": ["b", "b"], "kepco": ["a", "c"], "meter": []}
    phone = PhoneColumns(ids, np.full(5, T), np.zeros(5, np.uint8), ones)
    assert {feed: len(rows) for feed, rows in by_feed(phone, HOMES)} == {"kt": 1, "phone": 0, "skt": 1}
    assert [feed for feed, _ in by_feed(frames.empty("phone"), HOMES)] == ["kt", "phone", "skt"]  # type: ignore[type-var]

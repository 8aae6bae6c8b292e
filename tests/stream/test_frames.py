"""Frames: what is written is what is read, and no bytes make the decoder do anything but say what is wrong."""

import json
import math
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream import frames
from stream.columns import MeterColumns, PhoneColumns
from stream.records import ARROW, JSON, KINDS, QUALITIES, Kind, Quality, Reason

T = 1_767_225_600  # 2026-01-01T00:00:00Z
UTC_S = pa.timestamp("s", tz="UTC")
ARROW_HEADERS = [("schema", b"1"), ("content-type", ARROW.encode())]
JSON_HEADERS = [("schema", b"1"), ("content-type", JSON.encode())]

ids = st.text(alphabet="abcXYZ019._:-", min_size=1, max_size=64)
readings = st.tuples(
    ids,
    st.integers(T // 3600 - 10**5, T // 3600).map(lambda h: h * 3600),
    st.floats(0, 7.5, width=32),
    st.sampled_from([15, 30, 60]),
    st.integers(0, len(QUALITIES) - 1),
)
events = st.tuples(ids, st.integers(T - 10**8, T), st.integers(0, len(KINDS) - 1), st.floats(0, 86_400, width=32)).map(
    lambda e: e if KINDS[e[2]] != Kind.call_answered else (*e[:3], max(e[3], 1.0))  # an answered call has a length
)


def meter(rows) -> MeterColumns:
    """Columns of (household_id, start, kwh, minutes, quality) rows; a missing value is NaN."""
    ids, start, kwh, minutes, quality = zip(*rows, strict=True)
    missing = [q == QUALITIES.index(Quality.missing) for q in quality]
    values = np.where(missing, np.nan, np.array(kwh)).astype(np.float32)
    return MeterColumns(
        pa.array(ids), np.array(start, np.int64), values, np.array(minutes, np.uint8), np.array(quality, np.uint8)
    )


def phone(rows) -> PhoneColumns:
    """Columns of (household_id, at, kind, duration_s) rows."""
    ids, at, kind, duration = zip(*rows, strict=True)
    return PhoneColumns(pa.array(ids), np.array(at, np.int64), np.array(kind, np.uint8), np.array(duration, np.float32))


def same(a, b) -> bool:
    """Whether two columns hold the same rows."""
    numbers = ("start", "kwh", "minutes", "quality") if isinstance(a, MeterColumns) else ("at", "kind", "duration_s")
    return a.household_id.to_pylist() == b.household_id.to_pylist() and all(
        np.array_equal(getattr(a, n), getattr(b, n), equal_nan=n == "kwh")
        and getattr(a, n).dtype == getattr(b, n).dtype
        for n in numbers
    )


def stream_of(**columns) -> bytes:
    """An Arrow stream of these columns."""
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def good(**changes) -> dict[str, pa.Array]:
    """Arrow columns of two good readings, some replaced."""
    columns = {
        "household_id": pa.array(["h1", "h2"]),
        "start": pa.array([T, T], UTC_S),
        "kwh": pa.array([0.25, 0.5], pa.float32()),
        "minutes": pa.array([15, 15], pa.uint8()),
    }
    return {k: v for k, v in (columns | changes).items() if v is not None}


def reason_of(signal, value, headers) -> Reason:
    """The reason for which the whole message is refused."""
    with pytest.raises(frames.FrameError) as e:
        frames.decode(signal, value, headers, now=T)
    assert "\n" not in e.value.detail
    return e.value.reason


@given(st.lists(readings, min_size=1, max_size=50), st.booleans())
def test_readings_come_back_as_they_were_written(rows, as_json):
    """Encode and decode are inverse for readings, in Arrow and in JSON."""
    columns = meter(rows)
    frame = frames.decode("meter", *frames.encode(columns, "kepco", T, as_json), now=T)
    assert same(frame.columns, columns)
    assert (frame.bad, frame.feed, frame.complete_until) == ([], "kepco", T)


@given(st.lists(events, min_size=1, max_size=50), st.booleans())
def test_events_come_back_as_they_were_written(rows, as_json):
    """Encode and decode are inverse for events, in Arrow and in JSON."""
    columns = phone(rows)
    frame = frames.decode("phone", *frames.encode(columns, as_json=as_json), now=T)
    assert same(frame.columns, columns)
    assert (frame.bad, frame.feed, frame.complete_until) == ([], "phone", None)


def test_columns_are_views_of_the_message():
    """A frame of the agreed types is read without a copy."""
    frame = frames.decode("meter", *frames.encode(meter([("h", T, 0.5, 15, 0)] * 8)))
    assert not any(getattr(frame.columns, name).flags.owndata for name in ("start", "kwh", "minutes", "quality"))


def test_dictionary_ids_are_accepted_and_kept():
    """A frame with repeated households may send them as a dictionary."""
    columns = good(household_id=pa.array(["h1", "h1"]).dictionary_encode())
    frame = frames.decode("meter", stream_of(**columns), ARROW_HEADERS)
    assert frame.columns.household_id.to_pylist() == ["h1", "h1"]


def test_other_widths_and_units_are_converted():
    """Any timestamp unit and zone, any integer and float width, large strings: all become our columns."""
    columns = good(
        household_id=pa.array(["h1", "h2"], pa.large_string()),
        start=pa.array([T * 1000, T * 1000], pa.timestamp("ms", tz="Asia/Seoul")),
        kwh=pa.array([0.25, 0.5], pa.float64()),
        minutes=pa.array([15, 15], pa.int64()),
        extra=pa.array(["ignored", "ignored"]),
    )
    frame = frames.decode("meter", stream_of(**columns), ARROW_HEADERS)
    assert same(frame.columns, meter([("h1", T, 0.25, 15, 0), ("h2", T, 0.5, 15, 0)]))


def test_a_stream_of_several_batches_is_one_frame():
    """All batches of a stream count, dictionaries of their own included."""
    one, two = (pa.record_batch(good(household_id=pa.array(i).dictionary_encode())) for i in (["a", "b"], ["c", "a"]))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, one.schema) as writer:
        writer.write_batch(one)
        writer.write_batch(two)
    frame = frames.decode("meter", sink.getvalue().to_pybytes(), ARROW_HEADERS)
    assert frame.columns.household_id.to_pylist() == ["a", "b", "c", "a"]


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (stream_of(**good(kwh=pa.array([None, 0.5], pa.float32()))), ARROW_HEADERS),
        (
            json.dumps(
                [
                    {"household_id": "h1", "start": "2026-01-01T00:00:00Z", "kwh": None, "minutes": 15},
                    {"household_id": "h2", "start": "2026-01-01T09:00:00+09:00", "kwh": 0.5, "minutes": 15},
                ]
            ).encode(),
            JSON_HEADERS,
        ),
    ],
    ids=["arrow", "json"],
)
def test_a_null_value_is_a_missing_one(value, headers):
    """Null energy means quality missing: never zero, never a fault."""
    frame = frames.decode("meter", value, headers, now=T)
    assert frame.bad == []
    assert math.isnan(frame.columns.kwh[0])
    assert frame.columns.quality.tolist() == [QUALITIES.index(Quality.missing), 0]
    assert frame.columns.start.tolist() == [T, T]


def test_numbers_that_fit_no_byte_do_not_wrap_into_good_ones():
    """Minutes 271 (15 + 256) and -241 are bad intervals, not 15."""
    columns = good(minutes=pa.array([271, -241], pa.int64()))
    frame = frames.decode("meter", stream_of(**columns), ARROW_HEADERS)
    assert [b.reason for b in frame.bad] == [Reason.bad_interval] * 2


def test_null_cells_are_bad_rows():
    """A null id, time or interval makes its row bad, for that reason."""
    columns = good(
        household_id=pa.array([None, "a", "b", "c"]),
        start=pa.array([T, None, T, T], UTC_S),
        kwh=pa.array([0.1] * 4),
        minutes=pa.array([15, 15, None, 15], pa.uint8()),
    )
    frame = frames.decode("meter", stream_of(**columns), ARROW_HEADERS)
    assert [b.reason for b in frame.bad] == [Reason.bad_household, Reason.bad_time, Reason.bad_interval]
    assert frame.columns.household_id.to_pylist() == ["c"]


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("household_id", pa.array([1, 2])),
        ("household_id", pa.array([None, None])),
        ("start", pa.array([T, T])),
        ("start", pa.array([T, T], pa.timestamp("s"))),
        ("start", pa.array(["2026-01-01", "2026-01-01"])),
        ("kwh", pa.array(["0.1", "0.2"])),
        ("minutes", pa.array([15.0, 15.0])),
        ("start", None),
        ("kwh", None),
        ("household_id", None),
    ],
)
def test_wrong_column_types_and_missing_columns_refuse_the_message(change, value):
    """A column of the wrong type, or none, is a fault of the sender's program: nothing of it is guessed."""
    assert reason_of("meter", stream_of(**good(**{change: value})), ARROW_HEADERS) == Reason.wrong_type


_CODED = [
    pa.array([3, 2], pa.uint8()), pa.array([3, 2]), pa.array([3.0, 2.0]), pa.array([True, False]),
    pa.array([3, 2], pa.uint8()).dictionary_encode(), pa.array([None, None]),
]  # fmt: skip


@pytest.mark.parametrize("column", _CODED, ids=lambda c: str(c.type))
def test_numbers_in_place_of_a_kind_or_a_quality_refuse_the_message(column):
    """Whoever can write to the topic may have another table of numbers than ours, say: only names are read."""
    event = {"household_id": pa.array(["a", "b"]), "at": pa.array([T, T], UTC_S), "kind": column}
    assert reason_of("phone", stream_of(**event), ARROW_HEADERS) == Reason.bad_kind
    assert reason_of("meter", stream_of(**good(quality=column)), ARROW_HEADERS) == Reason.bad_quality


@pytest.mark.parametrize("form", ["plain", "large", "dictionary", "other dictionary"])
def test_kinds_are_names_in_whatever_form_of_text(form):
    """Plain text, a dictionary in any order: names are read, an unknown one and an empty one are bad rows."""
    names = pa.array(["sms_out", "fax", "call_in", None, "call_voicemail"])
    kind = {
        "plain": names, "large": names.cast(pa.large_string()), "dictionary": names.dictionary_encode(),
        "other dictionary": pa.DictionaryArray.from_arrays(
            pa.array([4, 0, 1, None, 2], pa.int16()), pa.array(["fax", "call_in", "call_voicemail", "x", "sms_out"])
        ),
    }[form]  # fmt: skip
    event = {"household_id": pa.array(list("abcde")), "at": pa.array([T] * 5, UTC_S), "kind": kind}
    frame = frames.decode("phone", stream_of(**event), ARROW_HEADERS)
    assert [KINDS[k] for k in frame.columns.kind] == ["sms_out", "call_in", "call_voicemail"]
    assert [(b.row, b.reason) for b in frame.bad] == [(1, Reason.bad_kind), (3, Reason.bad_kind)]


def test_our_own_frames_hold_names():
    """What one worker or sender writes and another reads has no numbers that another list could change."""
    value, _ = frames.encode(phone([("h", T, KINDS.index(Kind.call_missed), 0)]))
    with pa.ipc.open_stream(value) as reader:
        assert reader.read_all()["kind"].to_pylist() == ["call_missed"]


def test_a_column_named_twice_refuses_the_message():
    """Two columns of one name leave open which one is meant."""
    batch = pa.record_batch(good())
    doubled = pa.RecordBatch.from_arrays([*batch.columns, batch["kwh"]], [*batch.schema.names, "kwh"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, doubled.schema) as writer:
        writer.write_batch(doubled)
    assert reason_of("meter", sink.getvalue().to_pybytes(), ARROW_HEADERS) == Reason.wrong_type


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (None, Reason.unknown_schema),
        ([], Reason.unknown_schema),
        ([("schema", b"2"), ("content-type", JSON.encode())], Reason.unknown_schema),
        ([("schema", b"1")], Reason.unknown_content_type),
        ([("schema", b"1"), ("content-type", b"text/csv")], Reason.unknown_content_type),
        ([*ARROW_HEADERS, ("feed", b"")], Reason.wrong_type),
        ([*ARROW_HEADERS, ("feed", b"a b\xff")], Reason.wrong_type),
    ],
)
def test_headers_that_are_not_ours_refuse_the_message(headers, reason):
    """Unknown schema versions, content types and feed names are said as such."""
    assert reason_of("meter", stream_of(**good()), headers) == reason


def test_headers_may_be_a_mapping():
    """Faust hands headers over as a mapping, aiokafka as pairs."""
    assert len(frames.decode("meter", stream_of(**good()), dict(ARROW_HEADERS)).columns) == 2


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"", JSON_HEADERS),
        (None, JSON_HEADERS),
        (b"[]", JSON_HEADERS),
        (frames.encode(frames.empty("meter"))[0], ARROW_HEADERS),
    ],
)
def test_no_rows_are_empty_or_a_heartbeat(value, headers):
    """A message of no rows is refused as empty unless it says how far its feed is complete."""
    assert reason_of("meter", value, headers) == Reason.empty
    beat = frames.decode("meter", value, [*headers, ("complete-until", b"2026-01-01T09:00:00+09:00")], now=T)
    assert (len(beat.columns), beat.bad, beat.complete_until) == (0, [], T)


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        (b"yesterday", Reason.bad_time),
        (b"2026-01-01T00:00:00", Reason.bad_time),
        (b"\xff", Reason.bad_time),
        (b"1026-01-01T00:00:00Z", Reason.bad_time),
        (b"2026-01-02T00:00:00Z", Reason.future),
    ],
)
def test_a_damaged_complete_until_is_reported_and_the_rows_go_on(until, reason):
    """A wrong promise of completeness moves no watermark and loses no reading."""
    frame = frames.decode("meter", stream_of(**good()), [*ARROW_HEADERS, ("complete-until", until)], now=T)
    assert [(b.row, b.reason) for b in frame.bad] == [(frames.HEADER_ROW, reason)]
    assert (len(frame.columns), frame.complete_until) == (2, None)


def test_complete_until_is_never_rounded_up():
    """A feed complete until 23:59:59.9 is not complete until midnight."""
    frame = frames.decode("meter", b"", [*JSON_HEADERS, ("complete-until", b"2025-12-31T23:59:59.9Z")])
    assert frame.complete_until == T - 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"household_id": "홍길동"}, Reason.bad_household),
        ({"household_id": 7}, Reason.bad_household),
        ({"start": "2026-01-01T00:00:00"}, Reason.bad_time),
        ({"start": 5}, Reason.bad_time),
        ({"kwh": "0.1"}, Reason.bad_energy),
        ({"kwh": -1}, Reason.bad_energy),
        ({"kwh": 1e300}, Reason.bad_energy),
        ({"minutes": 20}, Reason.bad_interval),
        ({"quality": "guessed"}, Reason.bad_quality),
        ({"quality": 0}, Reason.bad_quality),
        ({"quality": True}, Reason.bad_quality),
        ({"kwh": True}, Reason.bad_energy),
        ({"minutes": True}, Reason.bad_interval),
        ({"minutes": 15.0}, Reason.bad_interval),
        ({"household_id": 7.0}, Reason.bad_household),
        ({"name": "x"}, Reason.wrong_type),
        ({"minutes": None}, Reason.bad_interval),
    ],
)
def test_a_bad_json_record_does_not_stop_the_others(change, reason):
    """Each record of a JSON array stands for itself; the bad one has its position and reason."""
    record = {"household_id": "h1", "start": "2026-01-01T00:00:00Z", "kwh": 0.1, "minutes": 15}
    value = json.dumps([record, record | change, record]).encode()
    frame = frames.decode("meter", value, JSON_HEADERS, now=T)
    assert [(b.row, b.reason) for b in frame.bad] == [(1, reason)]
    assert len(frame.columns) == 2


def test_positions_of_bad_json_records_are_those_in_the_message():
    """Rows refused for their type do not shift the positions of rows refused for their value."""
    record = {"household_id": "h1", "at": "2026-01-01T00:00:00Z", "kind": "data"}
    value = json.dumps([record | {"kind": 3}, record, record | {"duration_s": -1}]).encode()
    frame = frames.decode("phone", value, JSON_HEADERS, now=T)
    assert [(b.row, b.reason) for b in frame.bad] == [(0, Reason.bad_kind), (2, Reason.bad_duration)]


@pytest.mark.parametrize("value", [b"{", b"[1,", b"\xff\xfe", b"nonsense", b"[" * 100_000, b"[" + b"[" * 9999])
def test_damaged_json_is_truncated(value):
    """JSON that does not parse is refused as a whole."""
    assert reason_of("phone", value, JSON_HEADERS) == Reason.truncated


def test_every_cut_of_a_stream_is_noticed():
    """No shorter beginning of a frame passes for a frame, not even one that ends between two Arrow messages."""
    value, headers = frames.encode(meter([("h", T, 0.5, 15, 0)] * 5), complete_until=T)
    for cut in range(1, len(value)):
        assert reason_of("meter", value[:cut], headers) == Reason.truncated


def test_a_batch_that_claims_more_rows_than_it_has_bytes_is_refused():
    """A damaged length is caught before anything reads beyond the message."""
    value, headers = frames.encode(meter([("h", T, 0.5, 15, 0)] * 37))
    wrong = value.replace(struct.pack("<q", 37), struct.pack("<q", 2**40))
    assert wrong != value
    assert reason_of("meter", wrong, headers) == Reason.truncated


def decodes_or_says_why(signal, value, headers) -> None:
    """Decode; any exception but FrameError fails the test."""
    try:
        frame = frames.decode(signal, value, headers, now=T)
    except frames.FrameError as e:
        reason = e.reason
    else:
        reason = None
        assert len(frame.columns.household_id.to_pylist()) == len(frame.columns)
    assert reason is None or isinstance(reason, Reason)


some_headers = st.one_of(
    st.sampled_from([ARROW_HEADERS, JSON_HEADERS, None]),
    st.lists(st.tuples(st.sampled_from(["schema", "content-type", "feed", "complete-until"]), st.binary(max_size=40))),
)


@settings(max_examples=300)
@given(st.sampled_from(["meter", "phone"]), st.binary(max_size=300), some_headers)
def test_random_bytes_never_raise_anything_else(signal, value, headers):
    """Whatever arrives, the decoder answers with columns or a reason."""
    decodes_or_says_why(signal, value, headers)


WHOLE = {
    (signal, as_json): frames.encode(columns, "feed", T, as_json)
    for signal, columns in {
        "meter": meter([("h1", T, 0.5, 15, 0), ("h2", T, 0.25, 60, 2), ("h3", T, 0.1, 30, 1)]),
        "phone": phone([("h1", T, 3, 0.0), ("h2", T, 0, 61.5)]),
    }.items()
    for as_json in (False, True)
}


@pytest.mark.slow
@settings(max_examples=1000)
@given(st.data())
def test_damaged_frames_never_raise_anything_else(data):
    """Flipped bits, cut ends, and frames of the other signal give columns or a reason."""
    value, headers = WHOLE[data.draw(st.sampled_from(list(WHOLE)))]
    damaged = bytearray(value)
    for at in data.draw(st.lists(st.integers(0, len(value) * 8 - 1), max_size=8)):
        damaged[at // 8] ^= 1 << at % 8
    end = data.draw(st.sampled_from([len(value), len(value) // 2]))
    decodes_or_says_why(data.draw(st.sampled_from(["meter", "phone"])), bytes(damaged[:end]), headers)


@given(st.lists(st.lists(readings, min_size=1, max_size=5), min_size=1, max_size=4), st.booleans())
def test_concat_keeps_rows_and_order(parts, dictionary):
    """The parts' rows follow each other, whether their ids are plain, dictionaries or some of each."""
    columns = [meter(rows) for rows in parts]
    if dictionary:
        columns[0] = MeterColumns(
            columns[0].household_id.dictionary_encode(),
            columns[0].start,
            columns[0].kwh,
            columns[0].minutes,
            columns[0].quality,
        )
    assert same(frames.concat(columns), meter([row for rows in parts for row in rows]))


def test_concat_of_dictionaries_is_one_dictionary():
    """Dictionaries with different values are made one."""
    parts = [
        frames.decode("meter", stream_of(**good(household_id=pa.array(i).dictionary_encode())), ARROW_HEADERS).columns
        for i in (["a", "b"], ["b", "c"])
    ]
    assert frames.concat(parts).household_id.to_pylist() == ["a", "b", "b", "c"]


def test_take_gives_the_chosen_rows():
    """A slice and a list of positions give the same rows."""
    columns = meter([(f"h{i}", T, 0.1, 15, 0) for i in range(5)])
    assert same(frames.take(columns, slice(1, 3)), frames.take(columns, np.array([1, 2])))
    assert frames.take(columns, np.array([4, 0])).household_id.to_pylist() == ["h4", "h0"]


def test_a_slice_does_not_drag_its_dictionary_along():
    """A small frame cut from columns with a large dictionary sends only its own ids."""
    columns = meter([(f"household-{i}", T, 0.1, 15, 0) for i in range(1000)])
    whole = MeterColumns(
        columns.household_id.dictionary_encode(), columns.start, columns.kwh, columns.minutes, columns.quality
    )
    value, headers = frames.encode(frames.take(whole, slice(0, 5)))
    assert len(value) < 3000
    assert len(frames.decode("meter", value, headers).columns) == 5

"""Messages that would burst a worker: each is refused by what it says of itself, before any of it is decoded."""

import json
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from stream import bounds, frames
from stream.badrows import BadRow
from stream.frames import FrameError
from stream.intake import HEADERS_JSON, Intake, Message
from stream.producer import Packer
from stream.records import ARROW, HOUSEHOLDS, JSON, Household, Reason
from tests.stream.streaming import HERE, SINCE, TWO, new_partition

ROOT = Path(__file__).parent.parent.parent
T = 1_767_225_600
ROWS = 10_000_000
HEADERS = [("schema", b"1"), ("content-type", ARROW.encode())]
MEMORY_MB = 64
"""What reading a refused message may take beside what the process has: the message itself is smaller than this."""


def stream_of(columns: dict[str, pa.Array], times: int = 1, compression: str | None = None) -> bytes:
    """An Arrow stream of these columns, the same batch so many times."""
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        for _ in range(times):
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def readings(rows: int, **other: pa.Array) -> dict[str, pa.Array]:
    """Readings of one home, all bad: of the year 1970."""
    times = pa.array(np.zeros(rows, np.int64), pa.timestamp("s", tz="UTC"))
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array(["h"]))
    kwh, minutes = pa.array(np.zeros(rows, np.float32)), pa.array(np.full(rows, 15, np.uint8))
    return {"household_id": ids, "start": times, "kwh": kwh, "minutes": minutes} | other


def compressed(codec: str) -> bytes:
    """Ten million bad rows in some kilobytes."""
    return stream_of(readings(ROWS), compression=codec)


def nothing_at_all() -> bytes:
    """Ten million rows without a byte for each."""
    return stream_of({name: pa.nulls(ROWS) for name in ("household_id", "start", "kwh", "minutes")})


def one_run() -> bytes:
    """Ten million ids as one run of one id."""
    ids = pa.RunEndEncodedArray.from_arrays(pa.array([ROWS], pa.int32()), pa.array(["h"]))
    return stream_of({"household_id": ids, "start": pa.nulls(ROWS), "kwh": pa.nulls(ROWS), "minutes": pa.nulls(ROWS)})


def much_in_views() -> bytes:
    """Two thousand ids, each of them the same two megabytes."""
    rows, text = 2_000, b"a" * 2_000_000
    view = np.zeros((rows, 4), np.int32)
    view[:, 0], view[:, 1] = len(text), int.from_bytes(text[:4], "little")
    ids = pa.Array.from_buffers(pa.string_view(), rows, [None, pa.py_buffer(view.tobytes()), pa.py_buffer(text)])
    return stream_of(readings(rows, household_id=ids))


def much_in_a_dictionary() -> bytes:
    """Two thousand ids, each of them the same megabyte."""
    rows = 2_000
    text = pa.array(["a" * 1_000_000], pa.large_string())
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), text)
    return stream_of(readings(rows, household_id=ids))


def many_batches() -> bytes:
    """Batches of one row, and again."""
    return stream_of(readings(1), times=5_000)


def many_columns() -> bytes:
    """Twenty thousand columns beside ours."""
    return stream_of(readings(1) | {f"c{i}": pa.nulls(1) for i in range(20_000)})


def deep_columns() -> bytes:
    """A list of lists of lists."""
    kind: pa.DataType = pa.int8()
    for _ in range(60):
        kind = pa.list_(kind)
    return stream_of(readings(1, deep=pa.nulls(1, kind)))


def too_many_rows() -> bytes:
    """One row more than is read of a message."""
    return stream_of(readings(bounds.FRAME_ROWS + 1))


def shared_bytes() -> bytes:
    """Minutes that say they have the bytes of the energy as well, so that all are of more bytes than there are."""
    energy, minutes = struct.pack("<qq", 36_864, 32_768), struct.pack("<qq", 69_632, 4_096)
    value = stream_of(readings(4096, kwh=pa.array(np.zeros(4096))))
    assert (value.count(energy), value.count(minutes)) == (1, 1)
    return value.replace(minutes, energy)


BOMBS: dict[str, tuple[Callable[[], bytes], set[Reason]]] = {
    "zstd": (lambda: compressed("zstd"), {Reason.compressed}),
    "lz4": (lambda: compressed("lz4"), {Reason.compressed}),
    "no byte a row": (nothing_at_all, {Reason.truncated, Reason.too_large}),
    "one run": (one_run, {Reason.truncated, Reason.too_large}),
    "views": (much_in_views, {Reason.too_large}),
    "batches": (many_batches, {Reason.too_large}),
    "columns": (many_columns, {Reason.too_large}),
    "deep columns": (deep_columns, {Reason.too_large}),
    "rows": (too_many_rows, {Reason.too_large}),
    "shared bytes": (shared_bytes, {Reason.truncated}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_message_that_would_unpack_is_refused_by_what_it_says_of_itself(name, monkeypatch):
    """It is never decoded: the reader of batches is not even asked."""
    make, reasons = BOMBS[name]
    value = make()
    if name != "views":  # of which only the batch itself tells
        monkeypatch.setattr(frames.arrow, "batches_of", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(FrameError) as refused:
        frames.decode("meter", value, HEADERS, T)
    assert refused.value.reason in reasons
    assert any(c.isdigit() for c in refused.value.detail) or "beyond" in refused.value.detail


def test_a_long_id_in_every_row_is_one_id():
    """Two thousand bad ids of a megabyte each are told by length, and cost one of them."""
    frame = frames.decode("meter", much_in_a_dictionary(), HEADERS, T)
    assert (len(frame.columns), frame.bad.counts()) == (0, {Reason.bad_household: 2_000})
    assert frame.bad[1_999].detail.startswith("household_id has 1000000 characters")


def test_what_is_written_here_can_be_read_here():
    """No producer of ours makes a frame with more rows than are read of one."""
    with pytest.raises(ValueError, match=f"{bounds.FRAME_ROWS}"):
        Packer(1, bounds.FRAME_ROWS + 1)
    frame = frames.decode("meter", stream_of(readings(bounds.FRAME_ROWS)), HEADERS, T)
    assert len(frame.bad) == bounds.FRAME_ROWS


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"[" + b"0," * 2_000_000 + b"0]", Reason.too_large),
        (b"[" + b"{}," * bounds.FRAME_ROWS + b"{}]", Reason.too_large),
        (b"[" * 2_000_000, Reason.truncated),
        (b" " * (bounds.FRAME_BYTES + 1), Reason.too_large),
    ],
    ids=["numbers", "objects", "nesting", "bytes"],
)
def test_json_that_would_unpack_is_refused(value, reason):
    """Rows are counted before there is an object for each of them."""
    headers = [("schema", b"1"), ("content-type", JSON.encode())]
    with pytest.raises(FrameError) as refused:
        frames.decode("meter", value, headers, T)
    assert refused.value.reason == reason


def test_a_number_without_end_is_a_bad_row():
    """Three million digits are no energy, and take no longer for it."""
    value = b'{"household_id":"h","start":"2026-01-01T00:00:00Z","minutes":15,"kwh":' + b"9" * 3_000_000 + b"}"
    frame = frames.decode("meter", value, [("schema", b"1"), ("content-type", JSON.encode())], T)
    assert (len(frame.columns), frame.bad.counts()) == (0, {Reason.bad_energy: 1})


def test_bad_rows_are_words_only_where_they_are_asked_for(monkeypatch):
    """A message full of bad rows makes an object for those that are told, however many there are."""
    made = []

    class Counted(BadRow):
        def __init__(self, *args: object) -> None:
            made.append(1)
            super().__init__(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("stream.badrows.BadRow", Counted)
    bad = frames.decode("meter", stream_of(readings(bounds.FRAME_ROWS)), HEADERS, T).bad
    assert (bad.counts(), len(made)) == ({Reason.bad_time: bounds.FRAME_ROWS}, 0)
    assert (len(list(bad[:3])), len(made)) == (3, 3)


_DECODE = """
import json, resource, sys
from stream import frames
value = open(sys.argv[1], "rb").read()
headers = [("schema", b"1"), ("content-type", b"application/vnd.apache.arrow.stream")]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    rows = len(frames.decode("meter", value, headers, 1_767_225_600).bad)
except frames.FrameError as e:
    rows = e.reason.value
print(json.dumps([rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024]))
"""


@pytest.mark.parametrize("name", ["zstd", "views", "no byte a row", "columns"])
def test_a_refused_message_takes_no_memory(name, tmp_path):
    """In a process of its own: what it takes at most is little more than the message."""
    (tmp_path / "value").write_bytes(BOMBS[name][0]())
    limit = (4 * 2**30, 4 * 2**30)
    done = subprocess.run(
        [sys.executable, "-c", _DECODE, str(tmp_path / "value")], cwd=ROOT, capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
    )  # fmt: skip
    reason, taken = json.loads(done.stdout)
    assert Reason(reason) in BOMBS[name][1]
    assert taken < MEMORY_MB


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        (b'{"household_id":"h","a":' * 100_000, b"h", Reason.too_large),
        (b'{"household_id":"h","a":' + b"[" * 100_000, b"h", Reason.wrong_type),
        (b'{"household_id":"' + b"h" * 300_000 + b'"}', b"h", Reason.too_large),
        (b'{"household_id":"h","since":' + b"9" * 200_000 + b"}", b"h", Reason.wrong_type),
        (None, b"h" * 2_000_000, Reason.too_large),
        (None, b"h" * 200_000, Reason.bad_household),
        (None, b"area/" + b"h" * 2_000_000, Reason.too_large),
    ],
    ids=["bytes", "nesting", "text", "number", "key", "id", "warning"],
)
def test_a_record_without_end_is_put_aside_and_the_next_is_taken(value, key, reason):
    """Neither is it decoded, nor would anything of it be passed on that no topic takes."""
    intake = Intake(new_partition(0, TWO), TWO, {})
    intake.put(Message(HOUSEHOLDS, 0, value, key, HEADERS_JSON, 0.0))
    intake.put(Message(HOUSEHOLDS, 1, msgspec.json.encode(Household(HERE[0], SINCE)), None, HEADERS_JSON, 0.0))
    taken = intake.take(10, T)
    assert [letter.reason for letter in taken.dead] == [reason]
    assert (taken.moved_households, intake.next[HOUSEHOLDS]) == ([], 2)
    assert len(intake.partition.members.directory) == 1

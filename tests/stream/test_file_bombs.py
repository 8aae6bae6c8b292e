"""Files and bodies that would burst who reads them: each is one line that says so, at the cost of what it weighs."""

import gzip
import io
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream import files, recordlines
from stream.fault import FileError, OversizeError
from stream.files import How
from stream.records import Reason
from stream.sources import Format, Source

ROOT = Path(__file__).parent.parent.parent
MEMORY_MB = 160
HEADER = b"household_id,timestamp,kwh,minutes\n"
ROW = b"h,2026-01-01T00:00:00Z,0.1,15\n"
HTTP_ROWS, HTTP_BYTES = 1_000_000, 128 * 2**20


def parquet(rows: int, ids: pa.Array | None = None, **how: object) -> bytes:
    """A Parquet file of rows that are all the same, in one row group."""
    table = pa.table(
        {
            "household_id": ids if ids is not None else pa.repeat(pa.scalar("h"), rows),
            "timestamp": pa.repeat(pa.scalar(1_767_225_600, pa.timestamp("s", tz="UTC")), rows),
            "kwh": pa.repeat(pa.scalar(0.1, pa.float32()), rows),
            "minutes": pa.repeat(pa.scalar(15, pa.uint8()), rows),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=rows, **how)
    return sink.getvalue()


def zeros_in_a_page() -> bytes:
    """One plain id of a gigabyte of one letter."""
    ids = pa.array(["a" * 2**30], pa.large_string())
    return parquet(1, ids, compression="zstd", use_dictionary=False, write_statistics=False)


def one_long_id() -> bytes:
    """An id of ten megabytes in a dictionary, in a hundred thousand rows: a terabyte."""
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["a" * 10_000_000]))
    return parquet(100_000, ids, compression="zstd", write_statistics=False, dictionary_pagesize_limit=2**30)


def shared_beginnings() -> bytes:
    """Ids that are the id before them and nothing more: a gigabyte in some kilobytes."""
    ids = pa.repeat(pa.scalar("a" * 10_000), 100_000)
    how = {"column_encoding": {"household_id": "DELTA_BYTE_ARRAY"}, "use_dictionary": False}
    return parquet(100_000, ids, compression="zstd", write_statistics=False, **how)


def wide_numbers() -> bytes:
    """Ids of a fixed width of a megabyte, one in a dictionary."""
    ids = pa.repeat(pa.scalar(b"a" * 1_000_000, pa.binary(1_000_000)), 2_000)
    return parquet(2_000, ids, compression="zstd", write_statistics=False, dictionary_pagesize_limit=2**30)


def arrow(rows: int) -> bytes:
    """Ten million rows of nothing."""
    batch = pa.RecordBatch.from_pydict({n: pa.nulls(rows) for n in ("household_id", "timestamp", "kwh", "minutes")})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


BODIES: dict[str, tuple[Format, Callable[[], bytes], type[FileError]]] = {
    "rows": ("parquet", lambda: parquet(10_000_000), OversizeError),
    "a page": ("parquet", zeros_in_a_page, OversizeError),
    "shared beginnings": ("parquet", shared_beginnings, FileError),
    "wide numbers": ("parquet", wide_numbers, FileError),
    "a footer": ("parquet", lambda: b"PAR1" + b"\0" * 64 + (2**30).to_bytes(4, "little") + b"PAR1", OversizeError),
    "arrow": ("arrow", lambda: arrow(10_000_000), FileError),
    "columns": ("csv", lambda: b"household_id,timestamp,kwh" + b",x" * 1_000_000 + b"\n", OversizeError),
    "a line of CSV": ("csv", lambda: HEADER + b"a" * 7_000_000, OversizeError),
    "a header": ("csv", lambda: b"a" * 7_000_000, OversizeError),
    "a line of JSON": ("jsonl", lambda: b"[" * 7_000_000, OversizeError),
    "numbers": ("json", lambda: b"[" + b"0," * 3_000_000 + b"0]", FileError),
    "objects": ("json", lambda: b"[" + b"{}," * 2_000_000 + b"{}]", OversizeError),
    "nesting": ("json", lambda: b"[" * 7_000_000, FileError),
}


def read(source: Source) -> int:
    """Rows of a source, good and bad."""
    return sum(len(b.columns) + len(b.bad) + b.held for b in files.read(source, "meter", How("UTC"), HTTP_ROWS + 1))


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_would_unpack_is_one_line(name: str) -> None:
    """It is told by its size, and by what it is."""
    form, make, kind = BODIES[name]
    with pytest.raises(kind) as told:
        read(Source("body", form, make(), HTTP_ROWS, HTTP_BYTES))
    assert str(told.value).startswith("body: ")
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["rows", "a page", "shared beginnings", "wide numbers", "a footer"])
def test_a_file_that_would_unpack_is_one_line_too(name: str, tmp_path: Path) -> None:
    """Of a file on the disk as many times its size are read, and no more."""
    path = tmp_path / "m.parquet"
    path.write_bytes(BODIES[name][1]())
    with pytest.raises(FileError, match=r"m\.parquet: "):
        files.load(path, "meter", How("UTC"))


def test_a_zipped_text_that_would_unpack_is_one_line(tmp_path: Path) -> None:
    """A megabyte of gzip that is a gigabyte of one row."""
    path = tmp_path / "m.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(HEADER)
        for _ in range(300):
            file.write(ROW * 40_000)
    assert path.stat().st_size < 2**20
    with pytest.raises(OversizeError, match="unpack to over"):
        for _ in files.read(path, "meter", How("UTC", force=True)):
            pass


def test_a_long_id_that_repeats_is_kept_once() -> None:
    """Ten megabytes in each of a hundred thousand rows are ten megabytes, and a hundred thousand bad rows."""
    assert read(Source("body", "parquet", one_long_id(), HTTP_ROWS, HTTP_BYTES)) == 100_000


def test_an_honest_file_of_many_rows_is_read(tmp_path: Path) -> None:
    """A year of quarter-hours of a vacant home, in which nothing changes, is not taken for a bomb."""
    rows = 35_040
    table = pa.table(
        {
            "household_id": pa.repeat(pa.scalar("h"), rows),
            "timestamp": pa.array(1_767_225_600 + 900 * np.arange(rows), pa.timestamp("s", tz="UTC")),
            "kwh": pa.repeat(pa.scalar(0.0), rows),
            "minutes": pa.repeat(pa.scalar(15), rows),
        }
    )
    pq.write_table(table, tmp_path / "m.parquet", row_group_size=5_000, compression="zstd")
    batch = files.load(tmp_path / "m.parquet", "meter", How("UTC", force=True))
    assert (len(batch.columns), len(batch.bad)) == (rows, 0)
    with gzip.open(tmp_path / "m.csv.gz", "wb") as file:
        file.write(HEADER + ROW * 1_000_000)
    assert len(files.load(tmp_path / "m.csv.gz", "meter", How("UTC", force=True)).columns) == 1_000_000


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (b"h,2026-01-01" + b" " * 500_000 + b"00:00Z,0.1,15\n", Reason.bad_time),
        (b"h,2026-01-01T00:00:00Z," + b"9" * 500_000 + b",15\n", Reason.bad_energy),
        (b"h,2026-01-01T00:00:00Z,0.1," + b"1" * 500_000 + b"\n", Reason.bad_interval),
        (b"h" * 500_000 + b",2026-01-01T00:00:00Z,0.1,15\n", Reason.bad_household),
    ],
    ids=["time", "number", "minutes", "id"],
)
def test_a_cell_without_end_is_a_bad_row(cell: bytes, reason: Reason) -> None:
    """It is not looked at for what it might be, and its words are short."""
    batch = files.load(Source("body", "csv", HEADER + ROW + cell), "meter", How("UTC", force=True))
    assert [(b.row, b.reason) for b in batch.bad] == [(3, reason)]
    assert len(batch.bad[0].detail) < 200


@pytest.mark.parametrize(
    "record",
    ['{"a":' * 100_000, json.dumps({"household_id": "h" * 300_000}), '{"kwh":' + "9" * 200_000 + "}", "[" * 200_000],
    ids=["nesting", "text", "number", "list"],
)
def test_a_record_without_end_is_a_bad_line_and_the_others_go_on(record: str) -> None:
    """Of readings and of enrolments alike."""
    good = '{"household_id":"h","timestamp":"2026-01-01T00:00:00Z","kwh":0.1,"minutes":15}'
    batch = files.load(Source("body", "jsonl", f"{good}\n{record}\n".encode()), "meter", How("UTC", force=True))
    assert (len(batch.columns), [b.row for b in batch.bad]) == (1, [2])
    enrolment = '{"household_id":"h","since":"2026-01-01T00:00:00Z"}'
    lines = list(recordlines.read_households(Source("body", "jsonl", f"{record}\n{enrolment}\n".encode())))
    assert [hasattr(found, "since") for _, found in lines] == [False, True]


_READ = """
import resource, sys
from stream import files
from stream.fault import FileError
from stream.sources import Source
data = open(sys.argv[2], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    source = Source("body", sys.argv[1], data, 1_000_000, 128 * 2**20)
    for _ in files.read(source, "meter", files.How("UTC"), 1_000_001):
        pass
except FileError:
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("name", [name for name in BODIES if name not in ("objects",)])
def test_a_refused_body_takes_no_memory(name: str, tmp_path: Path) -> None:
    """In a process of its own: some times what it weighs, never what it says."""
    form, make, _ = BODIES[name]
    (tmp_path / "body").write_bytes(make())
    limit = (4 * 2**30, 4 * 2**30)
    done = subprocess.run(
        [sys.executable, "-c", _READ, form, str(tmp_path / "body")], cwd=ROOT, capture_output=True, text=True,
        check=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
    )  # fmt: skip
    assert int(done.stdout) < MEMORY_MB


def test_a_million_bad_rows_are_counted_without_an_object_each() -> None:
    """All of them by reason, in words only those that are asked for."""
    rows = 200_000
    body = HEADER + b"h,2026-01-01T00:00:00Z,-1,15\n" * rows + b"ragged\n" * rows
    batch = files.load(Source("body", "csv", body), "meter", How("UTC", force=True))
    assert batch.bad.counts() == {Reason.bad_energy: rows, Reason.truncated: rows}
    assert isinstance(batch.bad.at, np.ndarray)
    assert (batch.bad[0].row, batch.bad[rows].row) == (2, rows + 2)

"""Files of any country: bad rows by line, the good ones as columns, never a guess in silence."""

import gzip
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream import files, recordlines
from stream.columns import MeterColumns
from stream.records import KINDS, QUALITIES, Quality, Reason
from stream.sources import Source

SEOUL = "Asia/Seoul"
MISSING = QUALITIES.index(Quality.missing)


def write(path: Path, text: str) -> Path:
    """A file with this text."""
    path.write_bytes(text.encode())
    return path


def at(text: str, tz: str = SEOUL) -> int:
    """UTC seconds of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).timestamp())


def faults(bad):
    """(line, reason) of each bad row."""
    return [(fault.row, fault.reason) for fault in bad]


def readings(n=8, minutes=15, household="h1", start="2026-01-01 00:00"):
    """Rows (household, local time, kwh) that follow each other."""
    begin = datetime.fromisoformat(start)
    return [(household, begin + timedelta(minutes=minutes * i), 0.1 + i / 100) for i in range(n)]


def csv_of(rows, header="household_id,timestamp,kwh") -> str:
    """CSV text of rows."""
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def test_a_plain_csv_is_read_with_local_times_and_inferred_interval(tmp_path):
    """Naive times are in the zone given; the interval is the household's usual step."""
    columns, bad = files.load_meter(write(tmp_path / "m.csv", csv_of(readings())), SEOUL)
    assert bad == []
    assert columns.start[0] == at("2026-01-01 00:00")
    assert columns.kwh.tolist() == pytest.approx([0.1 + i / 100 for i in range(8)])
    assert columns.minutes.tolist() == [15] * 8
    assert columns.household_id.to_pylist() == ["h1"] * 8


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl", ".json", ".parquet", ".arrows"])
def test_every_kind_of_file_gives_the_same_columns(tmp_path, suffix):
    """CSV, gzipped CSV, JSON lines, a JSON array, Parquet and Arrow hold the same readings."""
    rows, path = readings(), tmp_path / f"m{suffix}"
    names = ["household_id", "timestamp", "kwh"]
    objects = [dict(zip(names, (h, str(t), k), strict=True)) for h, t, k in rows]
    table = pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    match suffix:
        case ".csv":
            write(path, csv_of(rows))
        case ".csv.gz":
            path.write_bytes(gzip.compress(csv_of(rows).encode()))
        case ".jsonl":
            write(path, "".join(json.dumps(o) + "\n" for o in objects))
        case ".json":
            write(path, json.dumps(objects, indent=1))
        case ".parquet":
            pq.write_table(table, path)
        case ".arrows":
            with pa.ipc.new_stream(path, table.schema) as writer:
                writer.write_table(table)
    columns, bad = files.load_meter(path, SEOUL)
    assert bad == []
    assert columns.start.tolist() == [at(str(t)) for _, t, _ in rows]
    assert columns.kwh.tolist() == pytest.approx([k for _, _, k in rows])
    assert set(columns.minutes.tolist()) == {15}


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_bad_csv_rows_have_their_line_in_the_file_and_stop_nothing(tmp_path, eol, quote):
    """Lines are counted with header and blank ones, in batches of any size, with quotes or without."""
    lines = ["household_id,timestamp,kwh,minutes"]
    lines += [f"{quote}h{i}{quote},2026-01-01 00:00,0.1,15" for i in range(2, 40)]
    lines[4] = "ragged,line"
    lines[9] = ""
    lines[14] = "h15,2026-01-01 00:00,-3,15"
    lines[19] = "h20,yesterday,0.1,15"
    lines[24] = "h25,2026-01-01 00:00,lots,15"
    lines[29] = "h30,2026-01-01 00:00,0.1,15,too,many"
    lines[34] = "h 35,2026-01-01 00:00,0.1,15"
    path = write(tmp_path / "m.csv", eol.join(lines) + eol + eol)
    expected = [
        (5, Reason.truncated),
        (15, Reason.bad_energy),
        (20, Reason.bad_time),
        (25, Reason.bad_energy),
        (30, Reason.truncated),
        (35, Reason.bad_household),
    ]
    for rows in (1, 7, 1000):
        batches = list(files.read(path, "meter", files.How(SEOUL), rows))
        assert faults([f for b in batches for f in b.bad]) == expected
        assert sum(len(b.columns) for b in batches) == 38 - 7


def test_a_quote_left_open_costs_its_own_line_only(tmp_path):
    """CSV's rule would swallow everything up to the next quote."""
    rows = readings(6)
    text = csv_of(rows).splitlines()
    text[3] = '"' + text[3]
    columns, bad = files.load_meter(write(tmp_path / "m.csv", "\n".join(text)), SEOUL)
    assert faults(bad) == [(4, Reason.truncated)]
    assert len(columns) == 5


def test_details_show_the_shape_of_the_cell_and_what_to_send(tmp_path):
    """A person can mend a row from its line and message; what stands in the cell is not repeated."""
    header = "household_id,timestamp,kwh,minutes,quality"
    rows = [
        ("h", "soon", "0.1", "15", "measured"),
        ("h", "2026-01-01 00:00", "much", "15", "measured"),
        ("h", "2026-01-01 00:00", "0.1", "20", "measured"),
        ("h", "2026-01-01 00:00", "0.1", "15", "guessed"),
        ("h", "", "0.1", "15", "measured"),
    ]
    _, bad = files.load_meter(write(tmp_path / "m.csv", csv_of(rows, header)), SEOUL)
    details = [fault.detail for fault in bad]
    for shown, detail in zip(["'aaaa'", "'aaaa'", "20", "'aaaaaaa'", "missing"], details, strict=True):
        assert shown in detail
        assert "send" in detail


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:15:00+09:00",
        "2025-12-31T15:15:00Z",
        "2026-01-01 00:15",
        "2026-01-01 00:15:00.0000000",
        "2026/01/01 00:15",
        " 2026-01-01 00:15:00 ",
    ],
)
def test_times_are_understood_in_the_usual_forms(tmp_path, text):
    """With a zone or without, with T or a space, with fractions: one instant."""
    path = write(tmp_path / "m.csv", f"household_id,start,kwh,minutes\nh,{text},0.1,15\n")
    columns, bad = files.load_meter(path, SEOUL)
    assert bad == []
    assert columns.start.tolist() == [at("2026-01-01 00:15")]


def test_forms_of_time_may_be_mixed_in_one_file(tmp_path):
    """Each text stands for itself, whatever its neighbours look like."""
    rows = [("h", t, 0.1, 15) for t in ("2026-01-01T00:00Z", "2026-01-01 09:15", "2026/01/01 09:30", "x")]
    path = write(tmp_path / "m.csv", csv_of(rows, "household_id,at,kwh,minutes"))
    columns, bad = files.load_meter(path, SEOUL)
    assert columns.start.tolist() == [at("2026-01-01 09:00"), at("2026-01-01 09:15"), at("2026-01-01 09:30")]
    assert faults(bad) == [(5, Reason.bad_time)]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_summer_time_takes_the_earliest_instant(tmp_path, kind):
    """A doubled local time is the first of the two, one that does not exist is the moment of the change."""
    times = ["2025-10-26 01:30:00", "2025-03-30 01:30:00"]
    if kind == "csv":
        rows = [("h", t, 0.1, 30) for t in times]
        path = write(tmp_path / "m.csv", csv_of(rows, "household_id,timestamp,kwh,minutes"))
    else:
        path = tmp_path / "m.parquet"
        columns = {"household_id": ["h"] * 2, "timestamp": [datetime.fromisoformat(t) for t in times]}
        pq.write_table(pa.table(columns | {"kwh": [0.1] * 2, "minutes": [30] * 2}), path)
    found, bad = files.load_meter(path, "Europe/London")
    assert bad == []
    utc = [datetime.fromisoformat(t).timestamp() for t in ("2025-10-26 00:30+00:00", "2025-03-30 01:00+00:00")]
    assert found.start.tolist() == utc


@pytest.mark.parametrize("empty", ["", "NULL", "nan", "Null", "N/A"])
def test_an_empty_value_is_a_missing_one(tmp_path, empty):
    """No energy is quality missing: never zero, never a fault."""
    path = write(tmp_path / "m.csv", f"household_id,start,kwh,minutes\nh,2026-01-01 00:00,{empty},15\n")
    columns, bad = files.load_meter(path, SEOUL)
    assert bad == []
    assert np.isnan(columns.kwh).all()
    assert columns.quality.tolist() == [MISSING]


def test_column_names_are_found_in_any_case_among_others(tmp_path):
    """KWh, a byte order mark, semicolons and further columns are no obstacle."""
    text = "\ufeffName;Household_ID;Timestamp;KWh;Quality;Minutes\n홍;h1;2026-01-01 00:00;0.5;Estimated;60\n"
    columns, bad = files.load_meter(write(tmp_path / "m.csv", text), SEOUL)
    assert bad == []
    assert columns.quality.tolist() == [QUALITIES.index(Quality.estimated)]
    assert columns.minutes.tolist() == [60]


def test_bytes_that_are_no_text_are_a_bad_row(tmp_path):
    """An id in another encoding is refused by its line; the file goes on."""
    path = tmp_path / "m.csv"
    header, row = b"household_id,start,kwh,minutes\n", b",2026-01-01 00:00,0.1,15\n"
    path.write_bytes(header + "홍".encode("cp949") + row + "길동\n".encode("cp949") + b"h2" + row)
    columns, bad = files.load_meter(path, SEOUL)
    assert faults(bad) == [(2, Reason.bad_household), (3, Reason.truncated)]
    assert columns.household_id.to_pylist() == ["h2"]


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_inferred_in_spite_of_gaps_disorder_and_pieces(tmp_path, minutes, seed):
    """A third of the rows gone, all shuffled and read a few at a time: the step is still known, per household."""
    rng = np.random.default_rng(seed)
    rows = [row for h, m in (("a", minutes), ("b", 60)) for row in readings(400, m, h)]
    kept = [rows[i] for i in rng.permutation(len(rows))[: len(rows) * 2 // 3]]
    path = write(tmp_path / "m.csv", csv_of(kept))
    pieces = files.read(path, "meter", files.How(SEOUL, force=True), block=200)
    for batches in ([files.load_meter(path, SEOUL)[0]], [b.columns for b in pieces]):
        found = {}
        for columns in batches:
            for household, m in zip(columns.household_id.to_pylist(), columns.minutes.tolist(), strict=True):
                found.setdefault(household, set()).add(m)
        assert found == {"a": {minutes}, "b": {60}}


def test_a_household_with_one_reading_has_the_files_usual_interval(tmp_path):
    """Where a household's own rows do not tell, the others' do."""
    path = write(tmp_path / "m.csv", csv_of([*readings(5, 30), ("lone", "2026-01-01 00:30", 0.1)]))
    columns, bad = files.load_meter(path, SEOUL)
    assert bad == []
    assert set(columns.minutes.tolist()) == {30}


def test_an_interval_that_cannot_be_told_is_asked_for(tmp_path):
    """One reading in the whole file: the row is refused with what to send, not guessed."""
    _, bad = files.load_meter(write(tmp_path / "m.csv", csv_of(readings(1))), SEOUL)
    assert faults(bad) == [(2, Reason.bad_interval)]
    assert "column minutes" in bad[0].detail


def test_bad_json_lines_have_their_line(tmp_path):
    """Damaged lines, other JSON, and wrong values are told by line; keys come in any case."""
    good = {"household_id": "h", "Timestamp": "2026-01-01 00:00", "kWh": 0.1, "minutes": 15}
    lines = [json.dumps(good), "{", "", "[1]", json.dumps(good | {"kWh": "x"}), json.dumps(good | {"kWh": None})]
    columns, bad = files.load_meter(write(tmp_path / "m.jsonl", "\n".join(lines)), SEOUL)
    assert faults(bad) == [(2, Reason.truncated), (4, Reason.wrong_type), (5, Reason.bad_energy)]
    assert columns.quality.tolist() == [0, MISSING]


def test_a_json_value_of_any_shape_is_a_bad_row_at_most(tmp_path):
    """Lists, objects, booleans and huge numbers in a cell harm only their row."""
    good = {"household_id": "h", "timestamp": "2026-01-01 00:00", "kwh": 0.1, "minutes": 15}
    odd = [[1], {"a": 1}, True, 10**400, "x"]
    lines = [json.dumps(good | {key: value}) for key in good for value in odd] + [json.dumps(good)]
    columns, bad = files.load_meter(write(tmp_path / "m.jsonl", "\n".join(lines)), SEOUL)
    # "x" and a number are household ids like any other.
    assert len(columns) + len(bad) == len(lines)
    assert columns.household_id.to_pylist()[-1] == "h"
    assert {fault.row for fault in bad} >= set(range(6, 21))


def test_parquet_rows_are_numbered_from_one(tmp_path):
    """A bad row of a Parquet file is told by its row, across batches."""
    table = pa.table(
        {
            "household_id": pa.array([1, 2, 3, 4, 5]),
            "start": pa.array([datetime(2026, 1, 1, tzinfo=ZoneInfo(SEOUL))] * 5),
            "kwh": [0.1, 0.1, -1.0, None, 0.1],
            "minutes": [15, 15, 15, 15, 7],
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    batches = list(files.read(tmp_path / "m.parquet", "meter", files.How(SEOUL), block=2))
    assert faults([f for b in batches for f in b.bad]) == [(3, Reason.bad_energy), (5, Reason.bad_interval)]
    assert [i for b in batches for i in b.columns.household_id.to_pylist()] == ["1", "2", "4"]


def test_events_are_read_with_kinds_as_names(tmp_path):
    """Kinds are names in any case, an empty duration is 0, an unknown kind is a bad row."""
    text = "household_id,timestamp,kind,duration_s\nh,2026-01-01 00:00:05,call_out,61.5\n"
    text += "h,2026-01-01 00:00:06,DATA,\nh,2026-01-01 00:00:07,fax,\nh,2026-01-01 00:00:08,sms_in,-1\n"
    columns, bad = files.load_phone(write(tmp_path / "p.csv", text), SEOUL)
    assert [KINDS[k] for k in columns.kind] == ["call_out", "data"]
    assert columns.duration_s.tolist() == [61.5, 0]
    assert faults(bad) == [(4, Reason.bad_kind), (5, Reason.bad_duration)]


def test_a_clock_bounds_times_from_above_when_it_is_given(tmp_path):
    """A file from the future is refused row by row when it is ingested, and read as it is in a backtest."""
    path = write(tmp_path / "m.csv", csv_of(readings(4)))
    now = at("2026-01-01 00:05")
    (batch,) = files.read(path, "meter", files.How(SEOUL, now))
    assert faults(batch.bad) == [(4, Reason.future), (5, Reason.future)]
    assert len(files.load_meter(path, SEOUL)[0]) == 4


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.csv", "", "no column household_id"),
        ("m.csv", "a,b\n1,2\n", "no column household_id, kwh"),
        ("m.csv", "household_id,kwh\nh,1\n", "start or timestamp or at"),
        ("m.parquet", "not parquet", "cannot be read"),
        ("m.csv.gz", "not gzip", "cannot be read"),
        ("m.arrows", "not arrow", "end-of-stream"),
        ("m.json", "[1,", "not readable JSON"),
        ("m.jsonl", "\n\n", "no column"),
        ("m.xlsx", "?", "unknown kind of file"),
        (None, "", "no such file"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_in_one_line(tmp_path, name, text, says):
    """The whole file is refused with its name, the fault and what to do."""
    path = write(tmp_path / name, text) if name else tmp_path / "nowhere.csv"
    with pytest.raises(files.FileError, match=says) as e:
        files.load_meter(path, SEOUL)
    assert path.name in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("header", "signal"),
    [
        ("household_id,timestamp,KWH", "meter"),
        ("household_id,at,kind", "phone"),
        ("household_id,since", "households"),
    ],
)
def test_a_file_is_told_by_its_columns(tmp_path, header, signal):
    """kwh is meter, kind is phone, since is an enrolment."""
    assert files.signal_of(write(tmp_path / "f.csv", header + "\n")) == signal


def test_a_file_of_something_else_is_refused(tmp_path):
    """What there should be is said; a first line that is no header of ours is not repeated."""
    with pytest.raises(files.FileError, match=r"no column kwh .* line 1 is no header"):
        files.signal_of(write(tmp_path / "f.csv", "a,b\n"))


def test_enrolments_are_read_line_by_line(tmp_path):
    """Good enrolments come with their line, bad ones with the reason."""
    good = {"household_id": "h", "since": "2026-01-01T00:00:00+09:00", "area": "A"}
    lines = [good, good | {"risk": "huge"}, good | {"since": "2026-01-01T00:00:00"}]
    path = write(tmp_path / "households.jsonl", "\n".join(map(json.dumps, lines)))
    (one, first), *others = recordlines.read_households(path)
    assert (one, first.household_id, first.area) == (1, "h", "A")
    assert [(line, bad.reason) for line, bad in others] == [(2, Reason.wrong_type), (3, Reason.bad_time)]
    with pytest.raises(files.FileError, match="line 2"):
        recordlines.load_households(path)


def test_a_body_in_memory_is_read_like_a_file():
    """The HTTP endpoint reads its bytes with the same code."""
    source = Source("body", "csv", csv_of(readings()).encode())
    batches = list(files.read(source, "meter", files.How(SEOUL)))
    assert isinstance(batches[0].columns, MeterColumns)
    assert len(batches[0].columns) == 8


def damaged_or_whole():
    """Bytes of each format: random, or a good file with some bytes changed."""
    header = b"household_id,start,kwh,minutes\n"
    record = b'{"household_id":"h","start":"2026-01-01 00:00","kwh":0.1,"minutes":15}'
    table = pa.table({"household_id": ["h"], "start": ["2026-01-01 00:00"], "kwh": [0.1], "minutes": [15]})
    parquet, stream = io.BytesIO(), pa.BufferOutputStream()
    pq.write_table(table, parquet)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    whole = {
        "csv": header + b'"h",2026-01-01 00:00,0.1,15\nh2,2026-01-01,1,60\n',
        "jsonl": record + b"\n" + record,
        "json": b"[" + record + b"," + record + b"]",
        "parquet": parquet.getvalue(),
        "arrow": stream.getvalue().to_pybytes(),
    }
    return st.sampled_from(sorted(whole)).flatmap(
        lambda f: st.tuples(
            st.just(f),
            st.one_of(
                st.binary(max_size=200),
                st.binary(max_size=200).map(lambda b: header + b),
                st.lists(st.tuples(st.integers(0, len(whole[f]) - 1), st.integers(0, 255)), max_size=6).map(
                    lambda changes: bytes(dict(changes).get(i, b) for i, b in enumerate(whole[f]))
                ),
            ),
        )
    )


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(damaged_or_whole(), st.sampled_from(["meter", "phone"]))
def test_whatever_the_bytes_a_file_gives_rows_or_one_clear_error(body, signal):
    """No file and no request can raise anything but FileError."""
    try:
        faults = [fault for batch in files.read(Source("body", *body), signal, files.How(SEOUL)) for fault in batch.bad]
        error = ""
    except files.FileError as e:
        faults, error = [], str(e)
    assert "\n" not in error
    assert all(fault.row >= 1 and isinstance(fault.reason, Reason) for fault in faults)

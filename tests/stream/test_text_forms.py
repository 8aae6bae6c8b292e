"""Times, numbers, encodings and headers as spreadsheets and Korean exports write them: read, or refused in words."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from stream import files
from stream.records import Reason
from stream.sources import Source

SEOUL = "Asia/Seoul"
HEADER = "household_id,timestamp,kwh,minutes\n"


def read(data: str | bytes, signal: str = "meter", **how):
    """What the bytes of a CSV come to."""
    data = data if isinstance(data, bytes) else data.encode()
    return files.load(Source("m.csv", "csv", data), signal, files.How(SEOUL, **how))


def at(text: str) -> int:
    """UTC seconds of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(SEOUL)).timestamp())


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-02 0:15", "2026-03-02 00:15"),
        ("2026-03-02 9:45:00", "2026-03-02 09:45"),
        ("2026-3-2 9:45", "2026-03-02 09:45"),
        ("2026/3/2 0:15", "2026-03-02 00:15"),
        ("2026. 3. 2. 0:15", "2026-03-02 00:15"),
        ("2026.03.02 00:15:00", "2026-03-02 00:15"),
        ("2026년 3월 2일 0시 15분", "2026-03-02 00:15"),
        ("2026. 3. 2. 오후 1:15:00", "2026-03-02 13:15"),
        ("2026-03-02 오전 12:30", "2026-03-02 00:30"),
        ("2026-03-02 오후 12:30", "2026-03-02 12:30"),
        ("2026-03-02 12:30 AM", "2026-03-02 00:30"),
        ("2026-03-02 1:00:00 p.m.", "2026-03-02 13:00"),
        ("2026-03-02 오후 13:15", "2026-03-02 13:15"),
        ("202603020015", "2026-03-02 00:15"),
        ("20260302001500", "2026-03-02 00:15"),
        ("20260302 0015", "2026-03-02 00:15"),
        ("2026-03-02 24:00", "2026-03-03 00:00"),
        ("2026-02-28 24:00:00", "2026-03-01 00:00"),
        ("202603022400", "2026-03-03 00:00"),
        ("２０２６-０３-０２ ００:１５", "2026-03-02 00:15"),
        ("2026-03-02T0:15+09:00", "2026-03-02 00:15"),
        ("2026-03-01 15:15Z", "2026-03-02 00:15"),
        ("2026-03-01T10:15-0500", "2026-03-02 00:15"),
        ("2026-03-02", "2026-03-02 00:00"),
    ],
)
def test_a_time_of_any_usual_form_is_that_time(text, time):
    """Year first, the rest as people and programs write it; another form beside it is no obstacle."""
    batch = read(f"{HEADER}h,{text},0.1,15\nh,2026-03-05 00:00,0.1,15\n")
    assert batch.bad == []
    assert batch.columns.start.tolist() == [at(time), at("2026-03-05 00:00")]


@pytest.mark.parametrize(
    "text",
    [
        "03/02/2026 0:15", "2.3.2026 0:15", "2026-02-30 0:15", "2026-13-01 0:15", "2026-03-02 24:15",
        "2026-03-02 25:00", "2026-03-02 0:60", "2026-03-02 오전 13:00", "오전 2026-03-02 오후 1:00", "46083.01",
        "1772377200", "2026-03-02 noon", "2026-03-02 0:15 KST", "202603020", "2026-03-02 0:15\u200b",
    ],
)  # fmt: skip
def test_a_time_that_may_be_another_is_refused_by_its_line(text):
    """A day and a month that could change places, hours that are none, numbers of any epoch: never guessed."""
    batch = read(f"{HEADER}h,{text},0.1,15\nh,2026-03-05 00:00,0.1,15\n")
    assert [(fault.row, fault.reason) for fault in batch.bad] == [(2, Reason.bad_time)]
    assert len(batch.columns) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,123", 0.123), ("1,5", 1.5), ("0,5", 0.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0), ("０.５", 0.5), (" 0.5 ", 0.5), ("5e-1", 0.5), ("12,3456", 12.3456),
    ],
)  # fmt: skip
def test_commas_without_doubt_are_understood(text, value):
    """Decimals and thousands where only one is possible, full-width digits."""
    batch = read(f'household_id,at,kind,duration_s\nh,2026-03-02 0:15,data,"{text}"\n', "phone")
    if value <= 86_400:
        assert batch.columns.duration_s.tolist() == pytest.approx([value])
    else:
        assert f"{value:g}" in batch.bad[0].detail


def test_a_comma_that_may_be_either_is_asked_for_or_told_by_its_neighbours():
    """1,234 alone is refused; beside 0,5 it is 1.234, beside 2.5 of 1,300.5 it is a thousand."""
    def durations(*texts):
        lines = "".join(f'h,2026-03-02 0:{i:02},data,"{text}"\n' for i, text in enumerate(texts))
        return read("household_id,at,kind,duration_s\n" + lines, "phone")

    alone = durations("1,234", "7")
    assert [fault.reason for fault in alone.bad] == [Reason.bad_duration]
    assert "thousand" in alone.bad[0].detail
    assert durations("1,234", "0,5").columns.duration_s.tolist() == pytest.approx([1.234, 0.5])
    assert durations("1,234", "1,300.5").columns.duration_s.tolist() == pytest.approx([1234, 1300.5])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp949"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_text_of_any_usual_encoding_is_read(encoding, delimiter):
    """Excel's Unicode text and Korean Windows, with morning and afternoon in Korean; lines keep their numbers."""
    rows = ["household_id,timestamp,kwh,minutes,비고", "p-1,2026. 3. 2. 오전 12:15,0.1,15,가", "",
            "p-1,2026. 3. 2. 오후 12:15,x,15,나", "p-1,2026. 3. 2. 오후 1:15,0.2,15,다"]  # fmt: skip
    batch = read("\r\n".join(rows).replace(",", delimiter).encode(encoding))
    assert [(fault.row, fault.reason) for fault in batch.bad] == [(4, Reason.bad_energy)]
    assert batch.columns.start.tolist() == [at("2026-03-02 00:15"), at("2026-03-02 13:15")]
    assert batch.columns.kwh.tolist() == pytest.approx([0.1, 0.2])


def test_a_header_below_lines_of_a_portal_is_found():
    """Rows keep their line in the file; what stands above is left alone."""
    batch = read(f'"Name : Jane X Doe",,,\n"Address: 1 Some St",,,\n\n{HEADER}h,2026-03-02 0:15,0.1,15\nh,?,0.1,15\n')
    assert len(batch.columns) == 1
    assert [fault.row for fault in batch.bad] == [6]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04\x14\x00", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "spreadsheet"),
        (b"<html><table>", "web page"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"100,NEM12,202603010000,MDP,RET\n200,NMI0000001,E1,1,E1,N1,METER1,KWH,30,\n", "NEM12"),
        (b'200,NMI0000001,E1,1,E1,N1,METER1,KWH,30,\n300,20260301,0.1\n', "NEM12"),
        ("고객번호,검침일시,사용량(kWh)\np-1,2026-01-01 00:15,0.017\n".encode("cp949"), "CP949.*begin with a line"),
        (b"Meter Number,Jane Doe\n1,2\n", "line 1 is no header"),
        (b"household_id,timestamp,kwh,KWH\nh,2026-01-01 00:15,1,2\n", "there twice: kwh"),
        (b"household_id,timestamp,timestamp,kwh\nh,2026-01-01 00:15,2026-01-01 00:15,2\n", "there twice: timestamp"),
        (b"household_id,timestamp,at,kwh\nh,2026-01-01 00:15,2026-01-01 00:45,2\n", "timestamp and at: name the one"),
    ],
)
def test_a_file_of_something_else_is_named_in_one_line(data, says):
    """What it is and what to do; no cell of it."""
    with pytest.raises(files.FileError, match=says) as e:
        read(data)
    assert "\n" not in str(e.value)
    assert not any(part in str(e.value) for part in ("Jane", "NMI0000001", "고객"))


@pytest.mark.parametrize("header", ["start,timestamp", "timestamp,start", "at,start"])
def test_start_is_the_time_whatever_other_times_there_are(header):
    """The other is when it was received, or sent."""
    cells = {"start": "2026-01-01 00:00", "timestamp": "2026-01-01 00:45", "at": "2026-01-01 00:45"}
    row = ",".join(cells[name] for name in header.split(","))
    batch = read(f"household_id,{header},kwh,minutes\nh,{row},0.1,30\n")
    assert batch.columns.start.tolist() == [at("2026-01-01 00:00")]


@pytest.mark.parametrize("other", ["interval_start", "start_time", "period_start", "Begin", "reading start"])
def test_a_beginning_under_another_name_beside_a_time_is_asked_about(other):
    """``timestamp`` is then of the end, or of receiving; whichever counts is to be named start."""
    text = f"household_id,{other},timestamp,kwh,minutes\nh,2026-01-01 00:00,2026-01-01 00:45,0.1,30\n"
    with pytest.raises(files.FileError, match="two columns of times, timestamp and"):
        read(text)
    received = text.replace(other, "received_at")
    assert read(received).columns.start.tolist() == [at("2026-01-01 00:45")]


def test_keys_of_json_may_come_late():
    """``minutes`` and ``quality`` after the first hundred records count as if they were in the first."""
    row = '{"household_id":"h","start":"2026-03-%02d %02d:00","kwh":0.%d%s}'
    lines = [row % (2 + i // 24, i % 24, 1 + i % 7, ',"quality":"estimated","minutes":60' if i > 119 else "")
             for i in range(144)]  # fmt: skip
    batch = files.load(Source("m.jsonl", "jsonl", "\n".join(lines).encode()), "meter", files.How(SEOUL))
    assert batch.bad == []
    assert batch.columns.quality.tolist() == [0] * 120 + [1] * 24
    assert set(batch.columns.minutes.tolist()) == {60}
    lines.append('{"household_id":"h","kwh":1,"KWH":2,"start":"2026-03-08"}')
    twice = files.load(Source("m.jsonl", "jsonl", "\n".join(lines).encode()), "meter", files.How(SEOUL))
    assert [(fault.row, fault.reason) for fault in twice.bad] == [(145, Reason.wrong_type)]

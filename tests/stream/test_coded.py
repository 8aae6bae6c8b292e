"""Numbers, ``true`` and fractions where a word or an id is wanted, in every form of a file or a request."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream import files
from stream.badrows import BadRow
from stream.files import How
from stream.records import KINDS, Reason
from stream.sources import Format, Source

TYPES = [1, 2, 3, 4, 5, 6, 7, 8]
"""Types of Android's call log, and one that it does not have."""
READING = {"timestamp": "2026-01-01T00:00:00Z", "kwh": 0.1, "minutes": 15}
EVENT = {"timestamp": "2026-01-01T00:00:00Z"}


def source(records: list[dict[str, Any]], form: Format) -> Source:
    """These records as a request or a file holds them."""
    if form in ("jsonl", "json"):
        lines = [json.dumps(record) for record in records]
        return Source("body", form, ("\n".join(lines) if form == "jsonl" else f"[{','.join(lines)}]").encode())
    table, sink = pa.Table.from_pylist(records), pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return Source("body", form, sink.getvalue().to_pybytes())


def faults(bad: Sequence[BadRow]) -> list[tuple[int, Reason]]:
    """Line and reason of each."""
    return [(fault.row, fault.reason) for fault in bad]


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet", "arrow"])
@pytest.mark.parametrize(
    "values",
    [TYPES, [float(v) for v in TYPES], [True, False] * 4, ["3"] * 8, [3] * 7 + [None]],
    ids=["integers", "fractions", "true and false", "digits", "with a gap"],
)
def test_a_number_is_no_kind_and_no_quality(form: Format, values: list[Any]) -> None:
    """Another's table of numbers is not ours: row by row refused in every form, as in CSV; nothing of it is taken."""
    events = source([EVENT | {"household_id": "h", "kind": value} for value in values], form)
    columns, bad = files.load_phone(events, "UTC")
    assert len(columns) == 0
    assert faults(bad) == [(i, Reason.bad_kind) for i in range(1, 9)]
    readings = [READING | {"household_id": f"h-{i}", "quality": value} for i, value in enumerate(values)]
    meter, bad = files.load_meter(source(readings, form), "UTC")
    assert len(meter) == values.count(None)  # where nothing is said of a reading's quality it is a measured one
    assert {reason for _, reason in faults(bad)} == {Reason.bad_quality}


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet", "arrow"])
@pytest.mark.parametrize("text", [False, True])
def test_androids_numbers_are_read_where_the_importer_says_so(form: Format, text: bool) -> None:
    """Incoming is at most a note, voice mail and the like have their kinds; what Android does not know is refused."""
    events = [EVENT | {"household_id": "h", "kind": str(v) if text else v} for v in TYPES]
    batch = files.load(source(events, form), "phone", How("UTC", force=True, kinds="android"))
    assert [KINDS[k].value for k in batch.columns.kind] == [
        "call_in", "call_out", "call_missed", "call_voicemail", "call_rejected", "call_blocked",
        "call_answered_elsewhere",
    ]  # fmt: skip
    assert faults(batch.bad) == [(8, Reason.bad_kind)]


def test_our_names_are_none_of_androids() -> None:
    """Who says that a file is Android's has no names in it."""
    batch = files.load(
        source([EVENT | {"household_id": "h", "kind": "call_out"}], "json"), "phone", How("UTC", kinds="android")
    )
    assert faults(batch.bad) == [(1, Reason.bad_kind)]


@pytest.mark.parametrize("odd", [True, 1.5])
def test_what_is_no_text_and_no_whole_number_names_no_household(odd: object) -> None:
    """``true`` and a fraction among texts are no ids; a whole number is."""
    columns, bad = files.load_meter(source([READING | {"household_id": i} for i in ("a", odd, 7)], "json"), "UTC")
    assert columns.household_id.to_pylist() == ["a", "7"]
    assert faults(bad) == [(2, Reason.bad_household)]


def test_true_is_no_energy() -> None:
    """Among fractions ``true`` would be 1.0 kWh."""
    readings = [READING | {"household_id": f"h-{k}", "kwh": k} for k in (0.5, True)]
    columns, bad = files.load_meter(source(readings, "json"), "UTC")
    assert columns.kwh.tolist() == [0.5]
    assert faults(bad) == [(2, Reason.bad_energy)]

"""One rule for a household's id at every edge."""

import json

import msgspec
import pytest

from response.rows import FieldError, read_household
from stream import files, frames, recordlines
from stream.ids import id_fault
from stream.records import Household, Reason
from stream.sources import Source

LOOK_ALIKE = [
    "p\uff0d1", "p-\uff11", "\u0440-1", "p-1\u200b", "p-1\n", "p-1\t", "p-1\x00", "p 1", " p-1", "p-1\u00a0",
    "\u2460", "가구1", "",
]  # fmt: skip


@pytest.mark.parametrize("text", ["p-1", "A.b_c:9", "x" * 64])
def test_an_id_of_ascii_is_good(text):
    """Letters, digits and . _ : - up to 64."""
    assert id_fault(text) is None
    assert read_household(text) == text


@pytest.mark.parametrize("text", [*LOOK_ALIKE, "x" * 65, "p/1"])
def test_what_only_looks_like_an_id_is_refused_at_every_edge_without_repeating_it(text, tmp_path):
    """Files, JSON and Arrow frames, enrolments, people: the same rule; nothing is made to fit."""
    fault = id_fault(text)
    assert fault is not None
    assert len(text) < 3 or text not in fault
    row = {"household_id": text, "start": "2026-01-01T00:00:00+09:00", "kwh": 0.1, "minutes": 15}
    batch = files.load(Source("body", "json", json.dumps([row]).encode()), "meter", files.How("Asia/Seoul"))
    assert [(b.reason, len(batch.columns)) for b in batch.bad] == [(Reason.bad_household, 0)]
    assert len(text) < 3 or text not in batch.bad[0].detail
    headers = [("schema", b"1"), ("content-type", b"application/json")]
    frame = frames.decode("meter", json.dumps([row, {**row, "household_id": "good"}]).encode(), headers)
    assert [b.reason for b in frame.bad] == [Reason.bad_household]
    assert frame.columns.household_id.to_pylist() == ["good"]
    record = {"household_id": text, "since": "2026-01-01T00:00:00+09:00"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(record), type=Household)
    (tmp_path / "h.jsonl").write_text(json.dumps(record) + "\n")
    assert [b.reason for _, b in recordlines.read_households(tmp_path / "h.jsonl")] == [Reason.bad_household]
    with pytest.raises(FieldError):
        read_household(text)

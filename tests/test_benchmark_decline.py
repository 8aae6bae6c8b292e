"""The benchmark of slow declines runs on any files, without a broker."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import decline
from stream.records import KINDS
from tests.lives import lives


def test_it_finds_what_it_splices_into_regular_homes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Homes of one habit: declines and reversals found, few told in vain, each in its own row."""
    life = lives(homes=4, days=220, minutes=60)
    meter, phone = life.meter, life.phone
    start, at = ((a * 1_000_000).astype("datetime64[us]") for a in (meter.start, phone.at))
    pq.write_table(
        pa.table({"household_id": meter.household_id, "timestamp": pa.array(start, pa.timestamp("us", "UTC")),
                  "kwh": meter.kwh}), tmp_path / "meter.parquet")  # fmt: skip
    pq.write_table(
        pa.table({"household_id": phone.household_id, "timestamp": pa.array(at, pa.timestamp("us", "UTC")),
                  "kind": [KINDS[k].value for k in phone.kind]}), tmp_path / "phone.parquet")  # fmt: skip
    files = ["--meter", str(tmp_path / "meter.parquet"), "--phone", str(tmp_path / "phone.parquet")]
    decline.main([*files, "--copies", "1"])
    out = capsys.readouterr().out
    rows = dict(re.findall(r"^\| (decline|reversal) \| (.*) \|$", out, re.MULTILINE))
    assert set(rows) == {"decline", "reversal"}
    for cells in (row.split(" | ") for row in rows.values()):
        assert float(cells[0]) <= 5
        assert cells[2] == "4"
        assert int(cells[6].rstrip("%")) >= 50

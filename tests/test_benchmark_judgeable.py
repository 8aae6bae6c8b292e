"""The benchmark of judgeability runs on any files, without a broker."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import judgeable
from models.judgeable import CAP, WELL, Judgeable
from stream.records import KINDS
from tests.lives import lives


def test_it_counts_what_it_splices_into_regular_homes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Homes of one habit: all cases are in the fifths and in the reasons, each with hours that were predicted."""
    life = lives(homes=2, days=190, minutes=60)
    start, at = ((a * 1_000_000).astype("datetime64[us]") for a in (life.meter.start, life.phone.at))
    pq.write_table(
        pa.table({"household_id": life.meter.household_id, "timestamp": pa.array(start, pa.timestamp("us", "UTC")),
                  "kwh": life.meter.kwh}), tmp_path / "meter.parquet")  # fmt: skip
    pq.write_table(
        pa.table({"household_id": life.phone.household_id, "timestamp": pa.array(at, pa.timestamp("us", "UTC")),
                  "kind": [KINDS[k].value for k in life.phone.kind]}), tmp_path / "phone.parquet")  # fmt: skip
    files = ["--meter", str(tmp_path / "meter.parquet"), "--phone", str(tmp_path / "phone.parquet")]
    judgeable.main([*files, "--cases", "4"])
    out = capsys.readouterr().out
    rows = {name: row.split(" | ") for name, row in re.findall(r"^\| ([^|]*) \| (.*) \|$", out, re.MULTILINE)}
    many = int(re.findall(r"(\d+) full stops", out)[0])
    assert 0 < many <= 8
    assert sum(int(row[0]) for name, row in rows.items() if name.endswith("fifth")) == many
    assert 0 < float(rows["1. fifth"][1]) <= float(rows["5. fifth"][1]) <= CAP


def test_the_fifths_are_those_of_the_prediction() -> None:
    """Cases are sorted by what was predicted; a fifth in which most are never told is over the cap."""
    hours = np.arange(10, 60, dtype=np.float32)
    told = Judgeable(hours, hours, hours, np.full(50, WELL, np.uint8), hours < 48)
    took = np.where(hours < 50, hours + 1.0, np.inf)
    rows = judgeable.table(judgeable.Measured(told, took))
    assert rows[0] == "| 1. fifth | 10 | 14.5 | 15.0 | 100% | 100% |"
    assert rows[4] == "| 5. fifth | 10 | 54.5 | over 96 | 0% | 0% |"
    assert rows[-1].startswith("| cannot be judged | 12 | 53.5 |")

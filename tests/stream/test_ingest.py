"""What ``anbu ingest`` reports; sending itself is tested on a real broker."""

from pathlib import Path

from stream import ingest
from stream.columns import BadRow
from stream.ingest import IngestReport
from stream.records import Reason
from stream.settings import BrokerSettings, Settings


def test_the_exit_code_tells_how_it_went():
    """0: all sent, 1: but for bad rows, 2: a file failed."""
    report = IngestReport()
    assert report.exit_code == 0
    report.add_bad(Path("m.csv"), 3, BadRow(3, Reason.bad_energy, "kwh is -1"))
    assert report.exit_code == 1
    report.failed.append("m.csv: no such file")
    assert report.exit_code == 2


def test_the_first_bad_rows_of_each_reason_are_kept_as_examples():
    """Every bad row is counted; only a few of each reason are shown."""
    report = IngestReport()
    for line in range(10):
        report.add_bad(Path("m.csv"), line, BadRow(line, Reason.bad_energy, f"kwh is -{line}"))
    report.add_bad(Path("m.csv"), 10, BadRow(10, Reason.bad_time, "start is x"))
    assert report.bad == {"bad_energy": 10, "bad_time": 1}
    assert report.examples["bad_energy"] == [f"m.csv:{n}: kwh is -{n}" for n in range(3)]
    assert report.examples["bad_time"] == ["m.csv:10: start is x"]


async def test_files_that_cannot_be_used_need_no_broker(tmp_path):
    """A wrong file name is told at once, whether or not a broker runs."""
    settings = Settings(broker=BrokerSettings(bootstrap="127.0.0.1:1"))
    report = await ingest.run([tmp_path / "nowhere.csv"], settings)
    assert report.exit_code == 2
    assert "no such file" in report.failed[0]

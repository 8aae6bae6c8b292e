"""What ``anbu ingest`` reports; sending itself is tested on a real broker."""

import json
from pathlib import Path
from typing import ClassVar

import pytest

from stream import ingest
from stream.badrows import BadRow
from stream.ingest import IngestReport
from stream.records import Reason
from stream.settings import BrokerSettings, Settings
from tests.stream.suspicion_files import csv, rows, uses, write
from tests.stream.test_suspicion import daily


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


class Broker:
    """Stands where the producer is: keeps what is sent, and what is promised."""

    sent: ClassVar[list] = []
    promised: ClassVar[list] = []

    def __init__(self, *args, **more) -> None:
        Broker.sent, Broker.promised = [], []

    async def __aenter__(self):
        """Itself."""
        return self

    async def __aexit__(self, *error) -> None:
        """Nothing to end."""

    async def send(self, signal, columns, feed=None) -> None:
        """Keep it."""
        Broker.sent += columns.household_id.to_pylist()

    async def send_household(self, household) -> None:
        """Nobody asks."""

    async def heartbeat(self, signal, feed, until) -> None:
        """Keep it."""
        Broker.promised.append(signal)


@pytest.mark.parametrize("force", [False, True])
async def test_what_would_blind_the_detector_is_an_error_and_not_sent_unless_forced(tmp_path, monkeypatch, force):
    """The counter's home is held back and told, its neighbour sent; no promise is made of what was not sent."""
    monkeypatch.setattr(ingest, "FrameProducer", Broker)
    path = write(tmp_path / "m.csv", csv(rows(uses(3), household="h2") + rows(daily(uses(3)))))
    report = await ingest.run([path], Settings(), complete_until=1_800_000_000, force=force)
    assert [(of, one.household, one.what) for of, one in report.suspicions] == [(path, "h1", "register")]
    assert (report.exit_code, report.held) == ((0, 0) if force else (1, 72))
    assert set(Broker.sent) == ({"h1", "h2"} if force else {"h2"})
    assert Broker.promised == (["meter"] if force else [])


async def test_what_only_looks_odd_is_told_and_sent(tmp_path, monkeypatch):
    """Exit code 0, with a word."""
    monkeypatch.setattr(ingest, "FrameProducer", Broker)
    report = await ingest.run([write(tmp_path / "m.csv", csv(rows([0.1] * 48)))], Settings())
    assert (report.exit_code, len(Broker.sent)) == (0, 48)
    assert [one.what for _, one in report.suspicions] == ["unchanging"]


async def test_a_long_file_is_looked_at_in_pieces_and_each_thing_told_once(tmp_path, monkeypatch):
    """A household that is suspected in every piece is one line."""
    monkeypatch.setattr(ingest, "FrameProducer", Broker)
    monkeypatch.setattr(ingest.files.read, "__defaults__", (72, 72))
    report = await ingest.run([write(tmp_path / "m.csv", csv(rows(daily(uses(9)))))], Settings())
    assert (len(report.suspicions), report.held, Broker.sent) == (1, 216, [])


@pytest.mark.parametrize(("feed", "told"), [(None, [("meter", "meter", ["kepco"])]), ("kepco", [])])
async def test_rows_sent_in_another_name_than_the_homes_feed_are_told(tmp_path, monkeypatch, feed, told):
    """Else the command would end well, and the worker drop every row."""
    monkeypatch.setattr(ingest, "FrameProducer", Broker)
    homes = write(tmp_path / "homes.jsonl", json.dumps(
        {"household_id": "h1", "since": "2026-01-01T00:00:00Z", "feeds": {"meter": "kepco", "phone": None}}
    ))  # fmt: skip
    report = await ingest.run([write(tmp_path / "m.csv", csv(rows([0.1] * 48))), homes], Settings(), feed)
    assert (report.foreign, report.exit_code) == (told, 1 if told else 0)


async def test_rows_without_enrolments_beside_them_are_nobodys_business(tmp_path, monkeypatch):
    """Only the worker knows whose feed it is."""
    monkeypatch.setattr(ingest, "FrameProducer", Broker)
    report = await ingest.run([write(tmp_path / "m.csv", csv(rows([0.1] * 48)))], Settings(), "kepco")
    assert (report.foreign, report.exit_code) == ([], 0)

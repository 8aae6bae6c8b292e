"""Commands that need a broker: topics, ingest, replay."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from deploy.kafka.broker import LocalBroker
from stream.records import Alert
from tests.broker.conftest import login
from tests.broker.running import Running

pytestmark = pytest.mark.broker
PREFIX = "cli."


@pytest.fixture
def anbu(broker: LocalBroker, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """``anbu("topics")``: run to its end against the shared broker."""
    started: list[Running] = []

    def run(*args: str, **env: str) -> Running:
        given = {**login(broker, "admin"), "ANBU_TOPIC_PREFIX": PREFIX, "ANBU_PARTITIONS": "2", **env}
        started.append(Running(tmp_path, *args, **{"ANBU_METRICS_PORT": "0", **given}))
        started[-1].ended()
        return started[-1]

    yield run
    for running in started:
        running.end()


def test_topics_are_missing_made_and_checked(anbu: Callable[..., Running]) -> None:
    """`check` names what is missing and makes nothing; `topics` makes them; then all is well."""
    before = anbu("topics", "check", ANBU_TOPIC_PREFIX="new.")
    assert before.process.returncode == 1
    assert "topic new.meter.readings does not exist" in before.text
    assert anbu("topics", ANBU_TOPIC_PREFIX="new.").process.returncode == 0
    after = anbu("topics", "check", ANBU_TOPIC_PREFIX="new.")
    assert after.process.returncode == 0
    assert "✓ new.meter.readings 2" in after.text


def test_ingest_tells_bad_lines_and_sends_the_others(anbu: Callable[..., Running], tmp_path: Path) -> None:
    """File, line and reason; exit code 1; the good rows are counted as sent."""
    anbu("topics")
    rows = ["household_id,start,kwh,minutes", "a,2026-01-01T00:00:00+09:00,0.2,60", "a,2026-01-01T01:00:00+09:00,-3,60"]
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    said = anbu("ingest", "m.csv", "--complete-until", "2026-01-01T02:00:00+09:00")
    assert said.process.returncode == 1
    assert "m.csv:3: bad_energy" in said.text
    assert "✓ meter: 1" in said.text


def test_replay_gives_what_backtest_gives(anbu: Callable[..., Running], tmp_path: Path) -> None:
    """The same files through broker and workers: the alerts are the same, record for record."""
    assert anbu("simulate", "--households", "20", "--days", "16", "--out", "town").process.returncode == 0
    files = ("--meter", "town/meter.parquet", "--phone", "town/phone.parquet", "--households", "town/households.jsonl")
    assert anbu("backtest", *files, "--out", "a.jsonl").process.returncode == 0
    replayed = anbu("replay", *files, "--out", "b.jsonl", ANBU_TOPIC_PREFIX="replay.")
    assert replayed.process.returncode == 0, replayed.text
    a, b = ([msgspec.json.decode(line, type=Alert) for line in (tmp_path / f).read_bytes().splitlines()]
            for f in ("a.jsonl", "b.jsonl"))  # fmt: skip
    assert len(a) > 3
    assert a == b
    assert replayed.left() == []
    again = anbu("replay", *files, "--out", "c.jsonl", ANBU_TOPIC_PREFIX="replay.")
    assert again.process.returncode == 2
    assert "topic replay.meter.readings holds data" in again.text

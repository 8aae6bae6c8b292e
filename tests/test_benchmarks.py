"""Benchmarks run: each at a tiny size on a real broker. What they measure there means nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("confluent_kafka", reason="needs the extra `bench`: pip install 'anbu[bench]'")

from benchmarks import latency, million, national, throughput

pytestmark = pytest.mark.broker

Main = Callable[[list[str]], None]
SMALL = ["--partitions", "2", "--days", "2"]


def _row(out: str, first: str) -> list[str]:
    """Cells of the table's row that begins with ``first``."""
    found = re.search(rf"^\| {re.escape(first)} .*$", out, re.MULTILINE)
    assert found is not None, out
    return [cell.strip() for cell in found.group().strip("|").split("|")]


def test_throughput_counts_readings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Throughput ends with a table that has anbu's readings a second in it."""
    small = ["--households", "2000", "--quarters", "48", "--rows", "20", "--engines", "anbu"]
    throughput.main([*small, *SMALL, "--dir", str(tmp_path)])
    assert int(_row(capsys.readouterr().out, "anbu")[1].replace(",", "")) > 0


@pytest.mark.parametrize("engine", ["faust:take", "quix:at-least-once"])
def test_other_engines_take_the_same_readings(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engines anbu is compared with commit what they read."""
    if engine.startswith("quix"):
        pytest.importorskip("quixstreams", reason="needs the extra `bench`: pip install 'anbu[bench]'")
    throughput.main(["--households", "500", "--engines", engine, "--seconds", "7", *SMALL, "--dir", str(tmp_path)])
    assert int(_row(capsys.readouterr().out, engine.replace(":", " "))[1].replace(",", "")) > 0


def test_latency_sees_alerts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Latency finds alerts whose frames it knows, and prints their quantiles in order."""
    small = ["--households", "1000", "--rate", "10000", "--seconds", "4", "--attention-days", "0.01"]
    latency.main([*small, *SMALL, "--dir", str(tmp_path)])
    out = capsys.readouterr().out
    quantiles = [float(_row(out, q)[1]) for q in ("0.5", "0.99", "1.0")]
    assert 0 < quantiles[0] <= quantiles[1] <= quantiles[2]


def test_million_survives_the_kill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A million (here: 1,500) catches up after kill -9 of its worker and says how long it took."""
    million.main(["--households", "1500", "--quarters", "1", *SMALL, "--dir", str(tmp_path)])
    assert float(_row(capsys.readouterr().out, "kill -9 to caught up, s")[1]) > 0


def test_national_gives_a_slope(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """National measures each size and tells what a further million takes."""
    national.main(["--sizes", "1000,2000", "--workers", "1", *SMALL, "--dir", str(tmp_path)])
    out = capsys.readouterr().out
    assert _row(out, "1,000")
    assert _row(out, "2,000")
    assert "for each million homes" in out


@pytest.mark.parametrize("main", [throughput.main, latency.main, million.main, national.main])
def test_each_says_what_it_does(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    """Each tells its command and options when asked."""
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "python -m benchmarks." in capsys.readouterr().out

"""The curves are drawn from what a model file says, whatever that is; without it, or without matplotlib, one line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import curves
from models.forest import LEVELS, Forest, ForestError, Trees, encode
from simulators.calibration import ASKED
from simulators.scores import AFTER_HOURS
from tests.learned import SCALE


def said(alerts: int = 8) -> dict[str, Any]:
    """What a model could say of one level."""
    shares = [round(hour / 120, 4) for hour in AFTER_HOURS]
    return {
        "asked per 100 a week": 10.0, "days": 7000,
        "calibration": [{"asked": a, "observed": alerts / 10, "alerts": alerts} for a in ASKED],
        "by hours": {"hours": list(AFTER_HOURS), "full_stop": shares, "left_on": shares, "away": shares,
                     "phone_lost": None, "gap": None},
        "operating": [{"asked": a, "full_stop 24 h": 0.5, "left_on 36 h": 0.6} for a in ASKED],
    }  # fmt: skip


def forest(told: dict[str, Any]) -> Forest:
    """One tree that says nothing, and what is told of it."""
    tree = Trees(np.zeros((1, 1), np.intp), np.zeros((1, 1), np.float32), np.zeros((1, 2), np.float32), 0.0)
    return Forest(tree, SCALE, {"out of fold": told, "folds": 5})


def test_a_model_file_becomes_three_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three PNGs, named on the way out; another model gives others, the same model the same bytes."""
    pytest.importorskip("matplotlib", reason="anbu[train]")
    drawn = {}
    for name, alerts in (("one", 8), ("again", 8), ("none", 0)):
        (tmp_path / f"{name}.npz").write_bytes(encode(forest(dict.fromkeys(LEVELS, said(alerts)))))
        curves.main([str(tmp_path / f"{name}.npz"), "--out", str(tmp_path / name)])
        files = sorted((tmp_path / name).iterdir())
        assert capsys.readouterr().out.split() == [str(tmp_path / name / f) for f in curves.PICTURES]
        drawn[name] = [f.read_bytes() for f in files]
        assert [f.name for f in files] == sorted(curves.PICTURES)
        assert all(picture.startswith(b"\x89PNG") for picture in drawn[name])
    assert drawn["one"] == drawn["again"]
    assert drawn["one"][0] != drawn["none"][0]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("part", ["calibration", "by hours", "operating"])
def test_a_model_that_says_too_little_is_refused(level: str, part: str, tmp_path: Path) -> None:
    """One line that says what to do, and no picture."""
    told = {name: said() for name in LEVELS}
    del told[level][part]
    path = tmp_path / "little.npz"
    path.write_bytes(encode(forest(told)))
    with pytest.raises(SystemExit, match="fit it again with `anbu train`"):
        curves.main([str(path), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_model_that_says_nothing_is_refused() -> None:
    """A model made before reports were kept is no crash."""
    with pytest.raises(ForestError, match=r"old\.npz does not say how it does out of fold"):
        curves.report_of(replace(forest({}), about={}), "old.npz")


def test_without_matplotlib_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Which says how to get it."""
    monkeypatch.setattr(curves, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install 'anbu\[train\]'") as left:
        curves.main(["shipped", "--out", str(tmp_path)])
    assert "\n" not in str(left.value)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (100, 81.364, 121.627)],
)
def test_intervals_are_those_of_the_exact_tables(count: int, low: float, high: float) -> None:
    """Garwood's limits of a Poisson mean."""
    got = curves.poisson(np.array([count]))
    assert got[0][0] == pytest.approx(low, rel=0.01, abs=0.02)
    assert got[1][0] == pytest.approx(high, rel=0.01)


@given(st.integers(0, 10_000))
def test_the_interval_holds_the_count_and_rises_with_it(count: int) -> None:
    """One more alert moves both ends up."""
    low, high = curves.poisson(np.array([count, count + 1]))
    assert 0 <= low[0] <= count < high[0]
    assert low[0] < low[1]
    assert high[0] < high[1]

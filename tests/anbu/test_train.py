"""`anbu train` from files to a model, on a few simulated homes."""

import csv
import importlib.util
import json
from datetime import date
from pathlib import Path

import pytest

from anbu import folds, training
from anbu.feature_names import readable
from models.features import NAMES
from models.forest import Forest
from simulators import columns, teach
from simulators.town import make_town
from simulators.write import write
from stream import model
from stream.settings import Settings
from tests.anbu.conftest import Run

pytest.importorskip("catboost", reason="anbu[train]")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a year of five homes."""
    folder = tmp_path_factory.mktemp("town")
    write(make_town(5, 11, date(2026, 1, 5)), range(170), [], folder)
    return folder


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few trees and few cases."""
    monkeypatch.setattr(teach, "TREES", 8)
    monkeypatch.setattr(columns, "COUNTS", dict.fromkeys(columns.COUNTS, 3))


def files(town: Path) -> tuple[object, ...]:
    return "--meter", town / "meter.parquet", "--phone", town / "phone.parquet"


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_files_become_a_model(run: Run, town: Path) -> None:
    """A model that the stream reads, which says what it is made of; the same again gives the same."""
    asked = (*files(town), "--folds", 2, "--variants", 1, "--source", "a town, simulated", "--tz", "Asia/Seoul")
    said = run("train", *asked, "--out", "one.npz", "--scores", "homes.csv", "--save-folds", "folds")
    assert said.code == 0, said.err
    forest = model.read(Path("one.npz").absolute())
    about = forest.about
    assert about["fitted on"] == ["a town, simulated"]
    assert about["homes"] == 5
    assert about["newest data"] == "2026-06-23"
    assert "--meter meter.parquet --phone phone.parquet --out one.npz" in about["command"]
    assert str(town) not in str(about)
    assert str(Path.cwd()) not in str(about)
    assert forest.trees.feature.shape == (8, teach.DEPTH)
    assert 0 < sum(share for _, share in about["tells most"]) <= 1.001
    assert set(about["out of fold"]) == set(forest.scale)
    for level in forest.scale:
        assert [p["asked"] for p in about["out of fold"][level]["calibration"]] == [20, 10, 5, 2, 1, 0.5]
        assert about["out of fold"][level]["known homes"]["full_stop"]["cases"] > 0
    for words in ("배운 것 · shown", "what tells most", "left out", "asked", "observed", "full stop"):
        assert words in said.out
    assert run("train", *asked, "--out", "nowhere/two.npz").code == 2  # there is no such folder
    assert run("train", *asked, "--out", "two.npz").code == 0
    one, two = forest, model.read(Path("two.npz").absolute())
    assert one.trees.leaf.tobytes() == two.trees.leaf.tobytes()
    assert one.about["out of fold"] == two.about["out of fold"]
    _check_scores(Path("homes.csv"))
    _check_folds(run, town, forest)


def _check_folds(run: Run, town: Path, whole: Forest) -> None:
    """Every home and person is left out by one fold, whose trees are others; a backtest judges each by its own."""
    left = folds.read(Path("folds"))
    assert sorted(home for one in left for home in one.homes) == [f"h{i:06d}" for i in range(5)]
    assert not left[0].homes & left[1].homes
    assert not left[0].persons & left[1].persons
    trees = [model.read(one.path).trees.leaf.tobytes() for one in left]
    assert len({*trees, whole.trees.leaf.tobytes()}) == 3
    out = ("--folds", "folds", "--out", "unseen.jsonl")
    said = run("backtest", *files(town), *out)
    assert said.code == 0, said.err
    at = [json.loads(line)["at"] for line in Path("unseen.jsonl").read_text().splitlines()]
    assert at == sorted(at)
    assert at
    assert run("backtest", *files(town), *out, "--report", "page.html").code == 2


def _check_scores(path: Path) -> None:
    """Each home with the fold whose model scored it."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["household_id"] for row in rows] == sorted(f"h{i:06d}" for i in range(5))
    assert {row["fold"] for row in rows} == {"0", "1"}
    assert all(float(row["days"]) > 200 for row in rows if row["scored"] == "1")  # 110 days, lived twice


def test_too_few_homes_is_one_line(run: Run, town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many can be scored, how many are needed, and why the others cannot; no model is left behind."""
    monkeypatch.setattr(columns, "LEAST_DAYS", 200)
    monkeypatch.setattr(training, "LEAST_DAYS", 200)
    said = run("train", *files(town), "--out", "m.npz")
    assert said.code == 2
    (line,) = [line for line in said.err.splitlines() if line.startswith("anbu: ")]
    assert "0 homes can be scored and 5 folds need 5" in line
    assert "5 have fewer than 200 days" in line
    assert list(Path().iterdir()) == []


def test_too_few_persons_is_one_line(run: Run, town: Path) -> None:
    """A phone file with one person in it."""
    Path("calls.csv").write_text("household_id,timestamp,kind,duration_s\np,2026-01-05T10:00:00,call_out,60\n")
    said = run("train", "--meter", town / "meter.parquet", "--phone", "calls.csv", "--out", "m.npz", "--folds", 2)
    assert said.code == 2
    assert "0 persons in calls.csv" in said.err


def test_a_file_without_the_columns_is_one_line(run: Run, town: Path) -> None:
    """A meter file that is none."""
    Path("m.csv").write_text("a,b\n1,2\n")
    said = run("train", "--meter", "m.csv", "--phone", town / "phone.parquet", "--out", "m.npz")
    assert said.code == 2
    assert "m.csv" in said.err
    assert "Traceback" not in said.err


def test_without_catboost_it_says_what_to_install(run: Run, town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, before anything is read."""
    found = importlib.util.find_spec
    monkeypatch.setattr(training, "find_spec", lambda name: None if name == "catboost" else found(name))
    said = run("train", *files(town), "--out", "m.npz")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "pip install 'anbu[train]'" in said.err


def test_every_feature_has_words() -> None:
    """The report names no feature by its short name, and no two by the same words."""
    words = [readable(name) for name in NAMES]
    assert [name for name, said in zip(NAMES, words, strict=True) if name == said] == []
    assert len(set(words)) == len(words)


def test_training_does_not_need_a_model(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules without the learned model are made where the shipped one cannot be read."""
    from stream import rules

    monkeypatch.setattr(rules, "shipped", lambda: pytest.fail("read"))
    assert rules.Rules.of(Settings(), learned=False).model is None

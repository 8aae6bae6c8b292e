"""The learned model's file: the shipped one can be used, and whatever cannot is one line."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.features import NAMES, Moment
from models.forest import LEVELS, VERSION, ForestError, encode
from simulators.teach import TRIED
from stream.model import read, shipped
from stream.rules import Rules
from stream.settings import Settings


def of_version(version: int, path: Path) -> None:
    """A model file that says it is of this version, else as the shipped one."""
    path.write_bytes(encode(shipped()))
    with np.load(path) as file:
        arrays = dict(file)
    head = json.loads(str(arrays.pop("head"))) | {"version": version}
    np.savez_compressed(path, head=np.array(json.dumps(head)), **arrays)


def test_the_shipped_model_judges() -> None:
    """A finite number for each home; on both levels' scales a higher one is rarer; and it says of what it was made."""
    model = shipped()
    x = np.random.default_rng(1).normal(0, 30, (len(NAMES), 700)).astype(np.float32)
    odds = model.log_odds(x, np.arange(700), Moment(3, 0.5, 100))
    assert odds.shape == (700,)
    assert np.isfinite(odds).all()
    assert len(np.unique(odds)) > 10
    assert set(model.scale) == set(LEVELS)
    for level in LEVELS:
        at = [model.scale[level].score_at(days) for days in (7, 70, 700)]
        assert at == sorted(set(at))
    assert model.about


def test_what_others_do_never_lowers_the_odds() -> None:
    """In each tree of the shipped model: whatever the other answers, more callers or a longer wait lead to no lower
    leaf. So a call, a text or a voice mail can raise an alert or leave it, and never ends one."""
    trees = shipped().trees
    tried = {NAMES.index(name) for name in TRIED}
    leaves = np.arange(trees.leaf.shape[1])
    asked = 0
    for feature, above, leaf in zip(trees.feature, trees.above, trees.leaf, strict=True):
        for f in tried & set(feature.tolist()):
            bits = [bit for _, bit in sorted((above[bit], bit) for bit in np.flatnonzero(feature == f))]
            steps = np.cumsum([0, *(1 << bit for bit in bits)])  # none of its questions is answered yes, one, two ...
            rest = leaves[(leaves & steps[-1]) == 0]
            assert (np.diff(leaf[rest[:, None] | steps], axis=1) >= -1e-6).all()
            asked += 1
    assert asked > 0


def test_a_model_of_ones_own_is_used(tmp_path: Path) -> None:
    """What was written is what is read, and what the setting names is what judges; without it, the shipped one."""
    path = tmp_path / "own.npz"
    path.write_bytes(encode(shipped()))
    x = np.random.default_rng(2).normal(0, 30, (len(NAMES), 50)).astype(np.float32)
    asked = x, np.arange(50), Moment(0, 1.0, 3)
    assert np.array_equal(read(path).log_odds(*asked), shipped().log_odds(*asked))
    assert Rules.of(Settings(model=path)).model is read(path)
    assert Rules.of(Settings()).model is shipped()


def test_each_fault_is_one_line(tmp_path: Path) -> None:
    """No file, a folder, another version, no model at all, one cut short: the path and what to do."""
    path = tmp_path / "m.npz"
    faults: dict[str, str] = {}

    def fault(name: str) -> None:
        read.cache_clear()
        with pytest.raises(ForestError) as raised:
            read(path)
        faults[name] = str(raised.value)

    fault("missing")
    path.mkdir()
    fault("folder")
    path.rmdir()
    of_version(VERSION + 1, path)
    fault("version")
    path.write_bytes(b"household_id,timestamp,kwh\n")
    fault("no model")
    np.savez(path, a=np.zeros(3))
    fault("other arrays")
    path.write_bytes(encode(shipped())[:2000])
    fault("cut short")
    for said in faults.values():
        assert "\n" not in said
        assert str(path) in said
    assert "No such file" in faults["missing"]
    assert f"version {VERSION + 1}" in faults["version"]
    assert all("anbu train" in faults[name] for name in ("version", "no model", "other arrays", "cut short"))


@pytest.mark.parametrize("many", [1, 2, 3, 7, 8, 9, 64, 511, 512, 513])
def test_a_home_alone_is_told_the_same_as_among_others(many: int) -> None:
    """The log-odds of a home have the same bits however many are asked about together."""
    x = np.random.default_rng(3).normal(0, 30, (len(NAMES), 700)).astype(np.float32)
    trees = shipped().trees
    assert np.array_equal(trees.value(x[:, :many]), trees.value(x)[:many])
    assert np.array_equal(trees.value(np.asfortranarray(x[:, 699:])), trees.value(x)[699:])

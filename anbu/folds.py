"""Models of `anbu train` that were each fitted without some homes and persons, and a history judged by them: each home
by the one that never saw it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anbu.errors import UserError
from anbu.files import whole_file
from anbu.history import History
from models.forest import encode
from simulators.backtest import C, Progress, in_time
from simulators.backtest import backtest as judge
from simulators.training import Trained
from stream import frames, model
from stream.records import Alert
from stream.settings import Settings

_FILES = "without-*.npz"
_HOMES, _PERSONS = "homes left out", "persons left out"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model's file, and the homes and persons it was fitted without."""

    path: Path
    homes: frozenset[str]
    persons: frozenset[str]


def empty(folder: Path) -> None:
    """Make a folder for the models of folds; those of an earlier training in it are deleted: they may be fewer now."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(_FILES):
        path.unlink()


def save(
    folder: Path, trained: Trained, about: Mapping[str, object], dealt: tuple[Mapping[str, int], Mapping[str, int]]
) -> None:
    """Write each fold's model. ``dealt``: fold of each home and of each person."""
    of_home, of_person = dealt
    for number, fold in trained.without.items():
        left = {_HOMES: _of(of_home, number), _PERSONS: _of(of_person, number)}
        with whole_file(folder / _FILES.replace("*", str(number))) as file:
            file.write(encode(trained.forest({**about, **left}, fold)))


def read(folder: Path) -> list[LeftOut]:
    """The models in a folder. Raises UserError where there are none, ForestError for a file that is none."""
    found = []
    for path in sorted(folder.glob(_FILES)):
        about = model.read(path).about
        if _HOMES not in about:
            raise UserError(f"{path}: 뺀 집이 적혀 있지 않습니다 · it names no homes left out: make it by "
                            "`anbu train --save-folds`")  # fmt: skip
        found.append(LeftOut(path, frozenset(about[_HOMES]), frozenset(about.get(_PERSONS, ()))))
    if not found:
        raise UserError(f"{folder}: 묶음 모델이 없습니다 · no models of folds: make them by `anbu train --save-folds`")
    return found


def which(household_ids: Iterable[str], left_out: Sequence[LeftOut]) -> dict[str, LeftOut]:
    """The model of each household: the one fitted without it, or without the home that it is a copy of ("home-x" of
    "home"; the longest name counts). Households that no model was fitted without are not in it."""
    by_home = {home: one for one in left_out for home in one.homes}
    found = {}
    for household_id in household_ids:
        parts = household_id.split("-")
        names = ("-".join(parts[:n]) for n in range(len(parts), 0, -1))
        name = next((name for name in names if name in by_home), None)
        if name is not None:
            found[household_id] = by_home[name]
    return found


def backtest(
    left_out: Sequence[LeftOut], past: History, settings: Settings, progress: Progress = lambda done, total: None
) -> Iterator[Alert]:
    """Alerts ordered by time, each home's by the model that never saw it. The homes of a model are judged for
    themselves, so an area is what of it is among them. Raises UserError for homes that every model may have seen."""
    of = which((h.household_id for h in past.households), left_out)
    seen = [h.household_id for h in past.households if h.household_id not in of]
    if seen:
        raise UserError(
            f"{len(seen)}가구는 뺀 모델이 없습니다 · no model was fitted without {len(seen)} of the households, "
            f"{seen[0]} among them: judge them without --folds"
        )
    used = [one for one in left_out if one in of.values()]
    judged = []
    for i, one in enumerate(used):
        part = _part(past, [name for name, by in of.items() if by is one])
        ours = settings.model_copy(update={"model": one.path.absolute()})

        def step(done: int, total: int, before: int = i) -> None:
            progress(before * total + done, len(used) * total)

        judged.append(list(judge(part.meter, part.phone, part.households, ours, step, past.warnings)))
    yield from merge(*judged, key=in_time)


def _part(past: History, names: Sequence[str]) -> History:
    """What of a history is of some households."""
    wanted = pa.array(names, pa.string())
    own = set(names)
    homes = [h for h in past.households if h.household_id in own]
    return History(_rows(past.meter, wanted), _rows(past.phone, wanted), homes)


def _rows(columns: C, wanted: pa.Array) -> C:
    ids = columns.household_id
    plain = ids.cast(pa.string()) if pa.types.is_dictionary(ids.type) else ids
    return frames.take(columns, np.flatnonzero(pc.is_in(plain, wanted).to_numpy(zero_copy_only=False)))


def _of(fold: Mapping[str, int], number: int) -> list[str]:
    return sorted(name for name, f in fold.items() if f == number)

"""`anbu train` at work: files in, what can be used of them, a model with what is said about it, a report."""

import io
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from anbu import folds, training_report
from anbu.console import bad_rows, bar
from anbu.errors import UserError
from anbu.files import whole_file
from anbu.history import History, load
from models.forest import encode
from simulators import training
from simulators.columns import HOLES, LEAST_DAYS, SHORT, Chosen, Settled, choose, deal, settle
from simulators.histories import homes_of
from simulators.phonelife import Person, persons_of
from simulators.scores import HomeScore
from stream import spreadsheet
from stream.rules import Rules
from stream.settings import Settings

_STAGES = {
    training.LIVING: "살아 보는 중 · living", training.FITTING: "배우는 중 · fitting",
    training.SCORING: "채점하는 중 · scoring",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    meter: Path
    phone: Path
    out: Path
    folds: int
    seed: int
    variants: int
    sources: tuple[str, ...]
    together: bool
    scores: Path | None
    save_folds: Path | None

    def command(self, tz: str) -> str:
        """The command again, with the files' names and nothing of where they were."""
        words = ["anbu", "train", "--meter", self.meter.name, "--phone", self.phone.name, "--out", self.out.name,
                 "--folds", str(self.folds), "--seed", str(self.seed), "--variants", str(self.variants),
                 "--tz", tz, *(["--together"] if self.together else [])]  # fmt: skip
        for source in self.sources:
            words += ["--source", source]
        return shlex.join(words)


def run(asked: Asked, settings: Settings) -> None:
    """Read, choose, fit, write, report. Raises UserError where that cannot be done, before anything long is begun."""
    if find_spec("catboost") is None:
        raise UserError("catboost가 없습니다 · training needs catboost, which is not here: pip install 'anbu[train]'")
    with ExitStack() as stack:
        file = stack.enter_context(whole_file(asked.out))
        if asked.save_folds is not None:
            folds.empty(asked.save_folds)
        table = None if asked.scores is None else stack.enter_context(whole_file(asked.scores))
        progress = stack.enter_context(bar())
        task = progress.add_task("읽는 중 · reading", total=None)
        past = load(asked.meter, asked.phone, None, settings.tz)
        chosen, persons = _usable(past, asked, settings.tz)
        progress.update(task, description="집을 꾸미는 중 · settling homes")
        settled = settle(chosen, persons, asked.folds, asked.seed, asked.variants)

        def step(what: str, done: int, total: int) -> None:
            progress.update(task, description=_STAGES[what], completed=done, total=total)

        days = {"caution": settings.levels.caution_days, "serious": settings.levels.serious_days}
        trained = training.train(settled, Rules.of(settings, learned=False), training.Plan(asked.seed, days), step)
        about = _about(past, chosen, persons, settled, asked, settings.tz)
        file.write(encode(trained.forest(about)))
        if asked.save_folds is not None:
            folds.save(asked.save_folds, trained, about, deal(chosen, persons, asked.folds))
        if table is not None:
            table.write(_table(trained.homes))
    bad_rows(past.bad, past.examples)
    training_report.show(about, trained, asked.out)


def _usable(past: History, asked: Asked, tz: str) -> tuple[Chosen, list[Person]]:
    """Homes and persons that can be used; UserError where they are too few for the folds."""
    homes = homes_of(past.meter, tz)
    chosen = choose(homes)
    chosen.left[SHORT] += len(set(past.meter.household_id.to_pylist())) - len(homes)  # without one whole day
    if len(chosen.scored) < asked.folds:
        raise UserError(
            f"집이 모자랍니다 · {len(chosen.scored)} homes can be scored and {asked.folds} folds need "
            f"{asked.folds}: of the others in {asked.meter}, {chosen.left[SHORT]} have fewer than {LEAST_DAYS} days, "
            f"{chosen.left[HOLES]} too many holes or no quiet nights, {len(chosen.odd)} are unlike a person living "
            "alone (1 to 15 kWh a day, at most 3 % missing and 5 % zero); give more or longer histories, or fewer folds"
        )
    persons = persons_of(past.phone, tz, together=asked.together)
    if len(persons) < asked.folds:
        raise UserError(
            f"전화 기록이 모자랍니다 · {len(persons)} persons in {asked.phone} have 14 days and uses enough (7 in ten "
            f"days), {asked.folds} folds need {asked.folds}: give more, or fewer folds"
        )
    return chosen, persons


def _about(
    past: History, chosen: Chosen, persons: list[Person], settled: Settled, asked: Asked, tz: str
) -> dict[str, object]:
    """What the model file says of itself."""
    homes = [*chosen.scored, *chosen.odd]
    ends = [int(times.max()) for times in (past.meter.start, past.phone.at) if len(times)]
    return {
        "fitted on": list(asked.sources), "files": [asked.meter.name, asked.phone.name],
        "homes": len(homes), "homes scored": len(chosen.scored), "persons": len(persons),
        "home-years": round(sum(h.days for h in homes) / 365.25, 2), "varied copies": asked.variants,
        "cases": sum(len(c.cases) for c in settled.columns), "folds": asked.folds, "seed": asked.seed,
        "scale": "lives of whole homes and persons left out; the calibration is of each fold by the others",
        "newest data": datetime.fromtimestamp(max(ends), ZoneInfo(tz)).date().isoformat(),
        "command": asked.command(tz), "versions": {name: _version(name) for name in ("anbu", "catboost", "numpy")},
    }  # fmt: skip


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from the source, not installed
        return "source"


def _table(homes: list[HomeScore]) -> bytes:
    """Each home's part as CSV."""
    text = io.StringIO()
    writer = spreadsheet.Writer(text, "\n")
    writer.row(
        ["household_id", "fold", "scored", "days", "false_caution", "false_serious", "full_stops", "found_24h"]
    )
    for h in homes:
        days, false = round(h.days), h.false
        writer.row(
            [h.household_id, h.fold, int(h.scored), days, false["caution"], false["serious"], h.stops, h.found]
        )
    return text.getvalue().encode()

"""anbu itself on the same trial: the rules without a learned model, and the learned model, also with the homes it is
asked about left out of its teaching."""

import time
from dataclasses import replace

import numpy as np

from benchmarks.detectors.budget import Scored, Scores
from benchmarks.detectors.trial import Codes, Say, Strips, Trial
from models import state
from models.features import NAMES
from models.forest import Forest, Trees
from models.judge import Model
from models.levels import CALM
from models.slots import SLOTS_PER_DAY
from models.state import HABIT, HEAD, LATELY, UNIT
from simulators.calibration import means
from simulators.lessons import lesson
from simulators.study import BEGIN
from simulators.teach import grow, odds
from stream.calendar import Calendar
from stream.life import Life, Rows
from stream.rules import Rules
from stream.settings import Settings
from stream.watch import WHO

F32 = np.float32
_SCORE, _WORST = NAMES.index("score"), NAMES.index("usual score")
_OFFSET, _CALM = 3.0, CALM / UNIT  # the first as in `models.levels`


def rules(trial: Trial) -> Scored:
    """Evidence that meter and phone give for silence, added up until a sign of life, against the usual worst of a
    day."""
    years, cases = (
        np.nan_to_num(x[:, :, _SCORE] / (_OFFSET + x[:, :, _WORST]), nan=-np.inf).astype(F32)
        for x in (trial.x, trial.case_x)
    )
    return Scored(_held(years), _held(cases), None)


def _held(score: Scores) -> Scores:
    """The last score where none was made, as between readings; -inf before the first."""
    at = np.where(np.isfinite(score), np.arange(len(score))[:, None], 0)
    return np.take_along_axis(score, np.maximum.accumulate(at, axis=0), axis=0)


def learned(trial: Trial, trees: Trees) -> Scored:
    """The level caution by these trees."""
    years, cases = (means(odds(trees, x), x, "caution") for x in (trial.x, trial.case_x))
    return Scored(years, cases, _CALM)


def left_out(trial: Trial, say: Say) -> Scored:
    """The level caution by trees that were taught without the home and its person: five times, a fifth left out. Needs
    catboost."""
    shown = lesson(trial.lived, list(trial.columns), 1)
    years, cases = (np.full(x.shape[:2], np.nan, F32) for x in (trial.x, trial.case_x))
    fold, each = trial.fold[trial.tried], trial.fold[trial.tried][trial.of]
    for out in np.unique(fold):
        trees = grow(shown, trial.fold[shown.of] != out)
        years[:, fold == out] = odds(trees, trial.x[:, fold == out])
        cases[:, each == out] = odds(trees, trial.case_x[:, each == out])
        say(f"anbu taught without fold {out}")
    return Scored(means(years, trial.x, "caution"), means(cases, trial.case_x, "caution"), _CALM)


def cost(model: Forest | None, years: Strips, n: int = 1024, days: int = 10, warm: int = 10) -> tuple[float, int]:
    """Microseconds a slot and household of judging and learning ``n`` households at once, after ``warm`` days, and
    bytes a household, strips not counted."""
    many = years.take(np.arange(n) % years.meter.shape[2])
    meter, phone = (np.ascontiguousarray(c.reshape(-1, n)) for c in (many.meter, many.phone))
    told: Model | None = model
    life = Life(replace(Rules.of(Settings()), model=told), Calendar("UTC"))
    who = np.zeros(n, WHO)
    who["since"], who["meter_feed"], who["phone_feed"], who["step"] = BEGIN, 1, 2, 2

    def read(first: int, count: int) -> tuple[Codes, Codes]:
        return meter[first - BEGIN : first - BEGIN + count], phone[first - BEGIN : first - BEGIN + count]

    rows, heard = Rows(state.fresh(np.full(n, BEGIN)), who, read), np.array([0, 1 << 40, 1 << 40])
    begin = BEGIN + warm * SLOTS_PER_DAY
    life.run(rows, BEGIN, begin, heard)
    began = time.process_time()
    life.run(rows, begin, begin + days * SLOTS_PER_DAY, heard)
    took = time.process_time() - began
    return took / (n * days * SLOTS_PER_DAY) * 1e6, HEAD.itemsize + LATELY.itemsize + HABIT.itemsize

"""The curves of docs/detection.md, drawn from what a model file says of itself (needs the extra `train`: matplotlib).

    python -m benchmarks.curves MODEL --out docs/

``MODEL``: a file made by `anbu train`, or the word ``shipped``. All of it is out of fold: homes and persons that the
trees and the scale never saw (`simulators/scores.py`). Three pictures:

- ``detection-calibration.png``: false alerts asked for against observed, with 95 % Poisson intervals of the counts;
- ``detection-hours.png``: share of cases alarmed by each hour after the onset, by kind, at the level's own rate;
- ``detection-operating.png``: share of emergencies found in time against the false alerts that are asked for.

Words are Korean and English where a font with Hangul is installed, else English. The same file, the same pictures.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.forest import LEVELS, Forest, ForestError
from simulators.scores import DUE
from simulators.splice import AWAY, EMERGENCIES, FULL_STOP, LEFT_ON, PHONE_LOST
from stream import model

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHIPPED = "shipped"
BAND = 1.5
"""Observed is to be within this factor of asked."""
IN_VAIN = (AWAY, PHONE_LOST)
"""Kinds whose alerts are raised in vain."""
HANGUL = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Nanum Gothic", "Malgun Gothic", "Apple SD Gothic Neo",
          "AppleGothic", "UnDotum", "Baekmuk Dotum")  # fmt: skip
COLOURS = {"caution": "#c46a00", "serious": "#b3261e", FULL_STOP: "#b3261e", LEFT_ON: "#c46a00", AWAY: "#27618e",
           PHONE_LOST: "#5f6b73"}  # fmt: skip
_NEEDED = ("calibration", "by hours", "operating")
_Z = 1.959964  # 95 % of a normal distribution

Report = Mapping[str, Any]
WORDS = {
    "caution": "주의", "serious": "심각",
    FULL_STOP: "쓰러짐", LEFT_ON: "켜 둔 채", AWAY: "외출", PHONE_LOST: "전화 잃음",
    "asked for, false alerts per 100 households a week": "요청한 오경보, 100가구·주",
    "observed": "관측", "in vain": "헛알림", "within a factor of 1.5": "1.5배 안",
    "hours since the onset": "시작 뒤 시간", "share alarmed": "알린 몫", "found in time": "제때 발견",
}  # fmt: skip


def poisson(counts: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of the mean of a Poisson count (n,): Byar's approximation of the exact one (Breslow & Day 1987,
    II, p. 69), good to a hundredth from 5 on. Of no count at all the lower end is 0."""
    k = np.asarray(counts, np.float64)
    few, more = np.maximum(k, 1), k + 1
    low = few * (1 - 1 / (9 * few) - _Z / (3 * np.sqrt(few))) ** 3
    high = more * (1 - 1 / (9 * more) + _Z / (3 * np.sqrt(more))) ** 3
    return np.where(k > 0, low, 0), high


def report_of(forest: Forest, name: str) -> Mapping[str, Report]:
    """What a model says of itself out of fold, by level. Raises ForestError where it says too little."""
    found: Mapping[str, Report] = forest.about.get("out of fold", {})
    if any(key not in found.get(level, {}) for level in LEVELS for key in _NEEDED):
        raise ForestError(f"{name} does not say how it does out of fold: fit it again with `anbu train`")
    return found


class Pen:
    """Draws in the languages that there are letters for."""

    def __init__(self) -> None:
        from matplotlib import font_manager

        there = {font.name for font in font_manager.fontManager.ttflist}
        self.font = next((name for name in HANGUL if name in there), None)

    def say(self, english: str) -> str:
        """A text, its Korean before it where it can be drawn."""
        readable = english.replace("_", " ")
        return f"{WORDS[english]} · {readable}" if self.font and english in WORDS else readable

    def figure(self, panels: int) -> tuple["Figure", list["Axes"]]:
        """An empty picture of some panels side by side."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.6 * panels, 4.1), dpi=110, layout="constrained")
        axes = [figure.add_subplot(1, panels, i + 1) for i in range(panels)]
        for ax in axes:
            ax.grid(color="#ddd", linewidth=0.6)
            ax.set_axisbelow(True)
        return figure, axes


def calibration(pen: Pen, found: Mapping[str, Report]) -> "Figure":
    """Asked against observed, a panel a level, on logarithmic scales."""
    figure, axes = pen.figure(len(LEVELS))
    for ax, level in zip(axes, LEVELS, strict=True):
        report = found[level]
        asked, observed, counts = (np.array([p[k] for p in report["calibration"]]) for k in
                                   ("asked", "observed", "alerts"))  # fmt: skip
        each = 700 / report["days"]  # a week of 100 households, in days of one
        low, high = (bound * each for bound in poisson(counts))
        line = np.array([asked.min() / 1.5, asked.max() * 1.5])
        ax.fill_between(line, line / BAND, line * BAND, color="#e6e6e6", label=pen.say("within a factor of 1.5"))
        ax.plot(line, line, color="#999", linewidth=0.8)
        some = counts > 0
        bars = np.stack([observed - low, high - observed])[:, some]
        ax.errorbar(asked[some], observed[some], bars, fmt="o", color=COLOURS[level], capsize=3)
        ax.plot(asked[~some], high[~some], "v", color=COLOURS[level], label="no alert: upper end of 95 %")
        ax.set(xscale="log", yscale="log", xlim=line, title=f"{pen.say(level)} ({report['days']:,} days)")
        _rates(ax, pen, asked)
        ax.set_ylabel(pen.say("observed"))
        ax.legend(*_first(ax, 1 if some.all() else 2), frameon=False, loc="upper left")
    return figure


def hours(pen: Pen, found: Mapping[str, Report]) -> "Figure":
    """Share alarmed by each hour after the onset, a panel a level."""
    figure, axes = pen.figure(len(LEVELS))
    for ax, level in zip(axes, LEVELS, strict=True):
        told = found[level]["by hours"]
        for kind in (*EMERGENCIES, *IN_VAIN):
            if (shares := told.get(kind)) is not None:
                name = pen.say(kind) + (f" ({pen.say('in vain')})" if kind in IN_VAIN else "")
                ax.plot([0, *told["hours"]], [0, *shares], "--" if kind in IN_VAIN else "-", color=COLOURS[kind],
                        label=name)  # fmt: skip
        asked = found[level]["asked per 100 a week"]
        ax.set(xlim=(0, told["hours"][-1]), ylim=(0, 1), title=f"{pen.say(level)}, {asked:g} asked for")
        ax.set_xticks(range(0, told["hours"][-1] + 1, 12))
        _shares(ax, pen.say("hours since the onset"), pen.say("share alarmed"))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def operating(pen: Pen, found: Mapping[str, Report]) -> "Figure":
    """Share of emergencies found in time against false alerts asked for; levels and kinds in one panel."""
    figure, (ax,) = pen.figure(1)
    figure.set_figwidth(6.4)
    asked = np.array([p["asked"] for p in found[LEVELS[0]]["operating"]])
    for level in LEVELS:
        for kind, due in DUE.items():
            shares = [p.get(f"{kind} {due} h", np.nan) for p in found[level]["operating"]]
            ax.plot(asked, shares, "o-" if kind == FULL_STOP else "s--", color=COLOURS[level], markersize=4,
                    label=f"{pen.say(kind)}, {due} h: {pen.say(level)}")  # fmt: skip
    ax.set(xscale="log", ylim=(0, 1))
    _rates(ax, pen, asked)
    _shares(ax, ax.get_xlabel(), pen.say("found in time"))
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _rates(ax: "Axes", pen: Pen, asked: NDArray[np.float64]) -> None:
    """A logarithmic axis marked at the rates that were asked for."""
    ax.set_xlabel(pen.say("asked for, false alerts per 100 households a week"))
    ax.minorticks_off()
    ax.set_xticks(asked, [f"{a:g}" for a in asked])
    if ax.get_yscale() == "log":
        ax.set_yticks(asked, [f"{a:g}" for a in asked])


def _shares(ax: "Axes", x: str, y: str) -> None:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_yticks(np.linspace(0, 1, 6), [f"{s:.0%}" for s in np.linspace(0, 1, 6)])


def _first(ax: "Axes", many: int) -> tuple[list[Any], list[str]]:
    handles, labels = ax.get_legend_handles_labels()
    return handles[:many], labels[:many]


PICTURES = {
    "detection-calibration.png": calibration,
    "detection-hours.png": hours,
    "detection-operating.png": operating,
}


def draw(forest: Forest, name: str, out: Path) -> list[Path]:
    """Write all pictures below ``out`` and return their paths. Raises ForestError, ImportError without matplotlib."""
    found = report_of(forest, name)
    import matplotlib

    pen, written = Pen(), []
    shown = ", ".join(f"{forest.about.get(k, '?')} {k}" for k in ("homes scored", "persons", "folds"))
    with matplotlib.rc_context({"font.family": [*([pen.font] if pen.font else []), "DejaVu Sans"], "font.size": 9}):
        out.mkdir(parents=True, exist_ok=True)
        for file, picture in PICTURES.items():
            figure = picture(pen, found)
            figure.suptitle(shown, fontsize=8, color="#555", x=0.99, ha="right")
            figure.savefig(out / file, metadata={"Software": None})
            written.append(out / file)
    return written


def main(argv: Sequence[str] | None = None) -> None:
    """Draw and say where."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", help=f"a file made by `anbu train`, or `{SHIPPED}`")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    args = parser.parse_args(argv)
    if find_spec("matplotlib") is None:
        sys.exit("matplotlib이 없습니다 · the curves need matplotlib, which is not here: pip install 'anbu[train]'")
    try:
        forest = model.shipped() if args.model == SHIPPED else model.read(Path(args.model))
        for path in draw(forest, args.model, args.out):
            print(path)
    except ForestError as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()

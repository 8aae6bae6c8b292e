"""What `anbu train` says at its end: what was shown, what was learned, how it does on homes that it never saw."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from anbu.console import LEVELS, out
from anbu.feature_names import readable
from simulators.training import Trained

_KINDS = {
    "full_stop": "쓰러짐 · full stop", "left_on": "켜 둔 채 · left on", "away": "외출 · away",
    "phone_lost": "전화 잃음 · phone lost", "gap": "자료 끊김 · gap",
}  # fmt: skip
_SHOWN = 10


def show(about: Mapping[str, Any], trained: Trained, path: Path) -> None:
    """The report, on standard output."""
    out.print(
        f"배운 것 · shown: {about['homes']} homes ({about['homes scored']} of them scored), "
        f"{about['persons']} persons, {about['home-years']:.1f} home-years, {about['cases']:,} cases, "
        f"{about['folds']} folds → {escape(str(path))}",
        soft_wrap=True,
    )
    _learned(trained.most)
    for level, report in trained.report.items():
        korean, colour = LEVELS[level]
        out.print(f"\n[{colour}]{korean} {level}[/]")
        out.print(
            "  배우지 않은 집·사람에서 · on homes and persons left out: "
            f"asked {report['asked per 100 a week']:.3g} false a week per 100 households, "
            f"observed [bold]{report['false per 100 a week']:.2f}[/] "
            f"({report['false alerts']} in {report['days']:,} days)",
            soft_wrap=True,
        )
        out.print(_found(report))
        out.print(_calibration(report["calibration"]))


def _learned(features: list[tuple[str, float]]) -> None:
    out.print("\n가장 크게 본 것 · what tells most:")
    for name, share in features[:_SHOWN]:
        out.print(f"  {share:5.1%}  {escape(readable(name))}", soft_wrap=True)


def _found(report: Mapping[str, Any]) -> Table:
    """Shares alarmed by kind of case, in homes known and new."""
    table = Table("알린 몫 · alarmed", "cases", "24 h", "36 h", "ever", "median h")
    for title, homes in (("", "known homes"), ("새 집 new: ", "new homes")):
        for kind, n in report[homes].items():
            if n is not None and (homes == "known homes" or kind in ("full_stop", "left_on")):
                median = f"{n['median h']:.1f}" if "median h" in n else "-"
                shares = [f"{n[key]:.0%}" for key in ("24 h", "36 h", "ever")]
                table.add_row(title + _KINDS.get(kind, kind), f"{n['cases']:,}", *shares, median)
    return table


def _calibration(points: list[Mapping[str, Any]]) -> Table:
    """Asked against observed, per 100 households a week."""
    table = Table("요청 · asked", "관측 · observed", "비 · ratio", "alerts")
    for p in points:
        table.add_row(
            f"{p['asked']:g}", f"{p['observed']:.2f}", f"{p['observed'] / p['asked']:.2f}", f"{p['alerts']:,}"
        )
    return table

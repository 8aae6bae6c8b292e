"""Three days of a home as a picture: electricity by the hour, the usual band, phone marks, and the alert."""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from anbu.report.charts import BOTTOM, COLOURS, INK, LEFT, RIGHT, TOP, WIDTH, svg, text, top_of
from anbu.report.element import Element, el, number
from simulators.examples import Around

HEIGHT = 170
_PHONE = 16  # room for phone marks under the curve
_LABEL_HOURS = 8  # as wide as a date under the curve
_FLOOR = HEIGHT - BOTTOM - _PHONE
_BAND, _CURVE, _OWN, _MISSED = "#dbe7ee", "#22577a", "#2e7d32", "#8d6e63"


def picture(a: Around, title: str) -> Element:
    """The picture of an alert; each hour says its figure when pointed at."""
    values = np.concatenate([a.kwh, a.band.ravel()])
    most = top_of(float(np.nanmax(values)) if np.isfinite(values).any() else 0.0)
    hours = len(a.kwh)
    step = (WIDTH - LEFT - RIGHT) / hours

    def x(at: datetime) -> float:
        return float(np.clip(LEFT + step * (at - a.first).total_seconds() / 3600, LEFT, WIDTH - RIGHT))

    def y(kwh: float) -> float:
        return TOP + (_FLOOR - TOP) * (1 - kwh / most)

    parts: list[Element] = []
    begin, end = x(a.episode.onset), x(a.episode.ended or a.first + timedelta(hours=hours))
    parts.append(el("rect", x=begin, y=TOP, width=end - begin, height=_FLOOR - TOP, fill="#fdf1dc"))
    for hour, (low, high) in enumerate(a.band.tolist()):
        if low == low and high == high:
            left = LEFT + hour * step
            parts.append(el("rect", x=left, y=y(high), width=step, height=y(low) - y(high), fill=_BAND, opacity=0.8))
    parts += [el("path", d=d, fill="none", stroke=_CURVE, stroke_width=1.6) for d in _curve(a.kwh, step, y)]
    parts += _phone(a, step) + _axis(a, step, most, y)
    at, colour = x(a.episode.at), COLOURS[a.episode.level]
    parts.append(el("line", x1=at, x2=at, y1=TOP - 6, y2=_FLOOR, stroke=colour, stroke_width=2.5))
    return svg(title, HEIGHT, *parts)


def _curve(kwh: NDArray[np.float64], step: float, y) -> list[str]:  # type: ignore[no-untyped-def]
    """Steps of the measured hours, one path for each run of them."""
    known = np.flatnonzero(~np.isnan(kwh))
    runs = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else []
    paths = []
    for run in runs:
        points = [
            f"{number(LEFT + h * step)} {number(y(kwh[h]))} L {number(LEFT + (h + 1) * step)} {number(y(kwh[h]))}"
            for h in run.tolist()
        ]
        paths.append("M " + " L ".join(points))
    return paths


def _phone(a: Around, step: float) -> list[Element]:
    out = []
    for counts, colour, top, name in ((a.own, _OWN, 3, "own use"), (a.missed, _MISSED, 9, "incoming")):
        for hour in np.flatnonzero(counts).tolist():
            shown = el("title", f"{name}: {int(counts[hour])}")
            x = LEFT + hour * step + step * 0.2
            out.append(el("rect", shown, x=x, y=_FLOOR + top, width=step * 0.6, height=5, fill=colour))
    return out


def _axis(a: Around, step: float, most: float, y) -> list[Element]:  # type: ignore[no-untyped-def]
    out = [text(LEFT - 5, y(v) + 4, number(v), "end") for v in (0.0, most / 2, most)]
    out.append(el("line", x1=LEFT, x2=WIDTH - RIGHT, y1=_FLOOR, y2=_FLOOR, stroke=INK, stroke_width=0.7))
    for hour in range(len(a.kwh) + 1):
        at = (a.first.astimezone(a.episode.at.tzinfo) + timedelta(hours=hour)).replace(minute=0)
        if at.hour % 12 == 0 and hour < len(a.kwh):
            x = LEFT + hour * step
            out.append(el("line", x1=x, x2=x, y1=TOP, y2=_FLOOR, stroke="#ccc", stroke_width=0.5))
            if hour <= len(a.kwh) - _LABEL_HOURS:
                out.append(text(x, HEIGHT - 6, at.strftime("%m-%d %H:%M")))
    return out

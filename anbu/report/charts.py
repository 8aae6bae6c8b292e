"""Bars and lines as SVG, from plain numbers; each mark says its figure when pointed at."""

import math
from collections.abc import Sequence

from anbu.report.element import Element, el, number

WIDTH = 720
COLOURS = {"attention": "#9db4c0", "caution": "#e08e0b", "serious": "#b3261e"}
INK, FAINT = "#333", "#bbb"
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 22


def bars(
    values: Sequence[float], names: Sequence[str], marks: Sequence[str], colour: str, title: str, height: int = 110,
    line: float | None = None,
) -> Element:  # fmt: skip
    """Bars (n,) with what each is called (shown when pointed at) and what stands under it (mostly ""); ``line``: a
    height to compare with."""
    most = top_of(max([*values, line or 0.0], default=0.0))
    width, room = WIDTH - LEFT - RIGHT, height - TOP - BOTTOM
    step = width / max(len(values), 1)
    parts = [*_scale(most, height)]
    for i, (value, name, mark) in enumerate(zip(values, names, marks, strict=True)):
        x, tall = LEFT + i * step, room * value / most
        shown = el("title", f"{name}: {number(value)}")
        parts.append(
            el("rect", shown, x=x + step * 0.1, y=TOP + room - tall, width=step * 0.8, height=tall, fill=colour)
        )
        if mark:
            parts.append(text(x + step * 0.1, height - 7, mark))
    if line is not None:
        y = TOP + room * (1 - line / most)
        parts.append(el("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, stroke=INK, stroke_dasharray="5 4"))
    return svg(title, height, *parts)


def against(
    asked: Sequence[float], found: Sequence[float], own: float | None, title: str, height: int = 250
) -> Element:
    """Points of what was asked (to the right) and found (upwards), both on logarithmic scales, and the line on which
    they would be the same; ``own``: asked by the present setting."""
    both = [v for v in (*asked, *found) if v > 0]
    low = 10 ** math.floor(math.log10(min(both, default=0.1)))
    high = max(10 ** math.ceil(math.log10(max(both, default=1.0))), low * 10)
    side, right = height - TOP - BOTTOM - 14, 330

    def at(value: float) -> float:
        return math.log(max(value, low) / low) / math.log(high / low)

    parts = [el("line", x1=LEFT, y1=TOP + side, x2=LEFT + right, y2=TOP, stroke=FAINT, stroke_dasharray="5 4")]
    decades = round(math.log10(high / low))
    for i in range(decades + 1):
        value = low * 10**i
        x, y = LEFT + right * at(value), TOP + side * (1 - at(value))
        parts += [
            el("line", x1=x, x2=x, y1=TOP, y2=TOP + side, stroke=FAINT, stroke_width=0.5),
            el("line", x1=LEFT, x2=LEFT + right, y1=y, y2=y, stroke=FAINT, stroke_width=0.5),
            text(x, TOP + side + 14, number(value), "middle"), text(LEFT - 5, y + 4, number(value), "end"),
        ]  # fmt: skip
    for a, f in zip(asked, found, strict=True):
        here = own is not None and math.isclose(a, own)
        colour = COLOURS["serious"] if here else COLOURS["caution"]
        shown = el("title", f"{number(a)} → {number(f)}")
        x, y = LEFT + right * at(a), TOP + side * (1 - at(f))
        parts.append(el("circle", shown, cx=x, cy=y, r=6 if here else 4, fill=colour))
    return svg(title, height, *parts)


def top_of(value: float) -> float:
    """A round number that is not below ``value`` (> 0): 1, 2, 2.5 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= value * (1 - 1e-9))


def text(x: float, y: float, words: str, anchor: str = "start") -> Element:
    """Words in a picture."""
    return el("text", words, x=x, y=y, text_anchor=anchor, font_size=11, fill=INK)


def svg(title: str, height: int, *parts: Element) -> Element:
    """A picture of the page's width."""
    return el("svg", el("title", title), *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", class_="chart")


def _scale(most: float, height: int) -> list[Element]:
    room = height - TOP - BOTTOM
    out = []
    for share in (0, 0.5, 1):
        y = TOP + room * (1 - share)
        out += [
            el("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, stroke=FAINT, stroke_width=0.5),
            text(LEFT - 5, y + 4, number(most * share), "end"),
        ]
    return out

"""docs/ladder.svg: a ladder drawn from its literal, so that the picture cannot drift from what is done."""

from collections.abc import Iterator
from itertools import pairwise
from xml.etree.ElementTree import indent, tostring

from anbu.report.element import Element, el
from response.channels.words import ROLES
from response.ladder import Ladder, Step
from response.names import MEANS
from response.settings import HoursSettings

WIDTH, TOP, TALL, GAP = 960, 70, 62, 26
LEFT, BOX, RIGHT = 300, 330, 630
"""Where boxes begin, how wide they are, where they end."""
INK, FAINT, RESIDENT, STAFF, ALARM, NIGHT = "#1f2933", "#52606d", "#eef4fb", "#f1f8ee", "#b42318", "#5b4b8a"
FONT = "Pretendard, 'Noto Sans KR', 'Nanum Gothic', 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif"


def picture(ladder: Ladder, hours: HoursSettings) -> str:
    """A ladder as SVG: a box a step with its time, who is told and how, where serious cases and nights begin."""
    steps, urgent = ladder.steps, ladder.index(ladder.urgent)
    height = _y(len(steps)) + 66
    root = el(
        "svg", el("title", "연락 사다리 · the contact ladder", id="t"), el("desc", sentences(ladder), id="d"),
        _arrowheads(), el("rect", width=WIDTH, height=height, rx=10, fill="#fbfcfd"),
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {height}", role="img", aria_labelledby="t d",
        font_family=FONT, font_size=13, fill=INK,
    )  # fmt: skip
    root.extend(_heads())
    for n, after in enumerate(minutes(ladder)):
        root.extend(_rung(steps[n], n, after, hours))
    for above, below in pairwise(range(len(steps))):
        root.append(_line(f"M{LEFT + BOX / 2} {_y(above) + TALL}V{_y(below) - 2}", FAINT))
    root.extend(_entry(0, ("주의", "caution"), INK))
    root.extend(_entry(urgent, ("심각 또는 2번", "serious, or key 2"), ALARM))
    for lane, (at, to) in enumerate(sorted(_nights(ladder))):
        root.extend(_night(at, to, lane))
    root.extend(_again(len(steps) - 1, steps[-1]))
    root.extend(_end(len(steps)))
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def minutes(ladder: Ladder) -> list[float]:
    """When each step is taken, minutes since the case began, if nobody answers and all hours are open."""
    at, found = 0.0, []
    for step in ladder.steps:
        at += step.wait_minutes
        found.append(at)
    return found


def sentences(ladder: Ladder) -> str:
    """What the picture shows, for those who cannot see it."""
    parts = [
        f"after {after:g} minutes: {_who(step)[1]}, by {_means(step)[1]}"
        for step, after in zip(ladder.steps, minutes(ladder), strict=True)
    ]
    last = ladder.steps[-1].repeat_minutes
    return f"{'; '.join(parts)}, every {last:g} minutes. Serious cases begin at the step {ladder.urgent}."


def _y(n: int) -> float:
    return TOP + n * (TALL + GAP)


def _who(step: Step) -> tuple[str, str]:
    names = [ROLES[role] for role in step.to]
    return ", ".join(ko for ko, _ in names), ", ".join(en for _, en in names)


def _means(step: Step) -> tuple[str, str]:
    names = [MEANS[means] for means in step.by]
    return " + ".join(ko for ko, _ in names), " + ".join(en for _, en in names)


def _nights(ladder: Ladder) -> Iterator[tuple[int, int]]:
    """Steps that are left out off hours, and where the ladder goes on."""
    for n, step in enumerate(ladder.steps):
        if step.off_hours is not None:
            yield n, ladder.index(step.off_hours)


def _rung(step: Step, n: int, after: float, hours: HoursSettings) -> Iterator[Element]:
    y, (korean, english), (by_ko, by_en) = _y(n), _who(step), _means(step)
    yield el(
        "rect", x=LEFT, y=y, width=BOX, height=TALL, rx=8, fill=RESIDENT if step.to == ("resident",) else STAFF,
        stroke="#9fb3c8",
    )  # fmt: skip
    yield _text(LEFT + 14, y + 24, f"{korean} · {english}", weight=700)
    when = {"any": "", "calling": f", {hours.calling_from:%H:%M}-{hours.calling_until:%H:%M}",
            "office": f", {hours.office_from:%H:%M}-{hours.office_until:%H:%M}"}[step.hours]  # fmt: skip
    yield _text(LEFT + 14, y + 45, f"{by_ko} · {by_en}{when}", size=12, fill=FAINT)
    yield _text(LEFT + BOX - 12, y + 24, step.name, "end", size=11, fill=FAINT)
    yield _text(LEFT - 14, y + 28, f"+{_span(after)}", "end", weight=700)
    if step.one_source_minutes is not None:
        words = f"신호가 하나면 if one source: +{_span(after - step.wait_minutes + step.one_source_minutes)}"
        yield _text(LEFT - 14, y + 48, words, "end", size=11, fill=FAINT)


def _span(minutes: float) -> str:
    return f"{minutes:g}분" if minutes < 120 or minutes % 60 else f"{minutes / 60:g}시간"


def _heads() -> Iterator[Element]:
    yield _text(LEFT + BOX / 2, 30, "누구에게, 어떻게 · who, and how", "middle", weight=700)
    yield _text(LEFT - 14, 30, "답이 없으면 · unanswered", "end", weight=700)
    yield _text(RIGHT + 24, 30, "밤·주말·공휴일 · off hours", weight=700, fill=NIGHT)


def _entry(n: int, words: tuple[str, str], colour: str) -> Iterator[Element]:
    """Where cases of a kind step onto the ladder."""
    y = _y(n) + 8
    yield _text(20, y + 4, words[0], weight=700, fill=colour)
    yield _text(20, y + 20, words[1], size=11, fill=colour)
    yield _line(f"M132 {y}H{LEFT - 4}", colour)


def _night(at: int, to: int, lane: int) -> Iterator[Element]:
    x = RIGHT + 60 + 40 * lane
    begin, end = _y(at) + TALL / 2, _y(to) + 18 + 14 * lane
    yield _line(f"M{RIGHT} {begin}H{x}V{end}H{RIGHT + 4}", NIGHT, dashed=True)
    yield _text(x + 8, begin + 4, "바로 다음으로 · straight on", size=11, fill=NIGHT)


def _again(n: int, step: Step) -> Iterator[Element]:
    y = _y(n) + TALL
    yield _line(f"M{RIGHT} {y - 12}H{RIGHT + 26}V{y + 14}H{LEFT + BOX / 2 + 40}V{y + 3}", FAINT)
    yield _text(
        RIGHT + 34, y + 8, f"{_span(step.repeat_minutes or 0)}마다, 누가 맡을 때까지 · until somebody takes it",
        size=11, fill=FAINT,
    )  # fmt: skip


def _end(n: int) -> Iterator[Element]:
    y = _y(n) + 14
    korean = "1번(되걸어 누른 것도), 생활 신호, 부재 등록, 동의 철회: 남은 전화와 메시지를 모두 멈추고 끝"
    english = "key 1 (ringing back too), a sign of life, an absence, consent withdrawn: all stops, it is over"
    yield _text(WIDTH / 2, y + 12, korean, "middle", weight=700)
    yield _text(WIDTH / 2, y + 34, english, "middle", size=11, fill=FAINT)


def _arrowheads() -> Element:
    """An arrowhead of each colour."""
    marks = [
        el(
            "marker", el("path", d="M0 0 10 5 0 10z", fill=colour), id=f"a{colour[1:]}", viewBox="0 0 10 10", refX=9,
            refY=5, markerWidth=7, markerHeight=7, orient="auto",
        )
        for colour in (FAINT, INK, ALARM, NIGHT)
    ]  # fmt: skip
    return el("defs", *marks)


def _line(path: str, colour: str, dashed: bool = False) -> Element:
    return el(
        "path", d=path, stroke=colour, stroke_width=1.5, fill="none", marker_end=f"url(#a{colour[1:]})",
        stroke_dasharray="5 4" if dashed else None,
    )  # fmt: skip


def _text(
    x: float, y: float, words: str, anchor: str | None = None, *, size: int | None = None, weight: int | None = None,
    fill: str | None = None,
) -> Element:  # fmt: skip
    return el("text", words, x=x, y=y, text_anchor=anchor, font_size=size, font_weight=weight, fill=fill)

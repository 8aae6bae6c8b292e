"""What the demonstration has shown, in figures: who was found after how long, and what was raised in vain."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from anbu.demo_story import AWAY, COLLAPSES, HOUR, PLAYED_DAYS, Story, label, local, told
from simulators.events import Event, EventKind
from stream.records import Alert

SURE = ("caution", "serious")


@dataclass(frozen=True, slots=True)
class Found:
    """A collapse: hours until caution and until serious; None: not within the played days."""

    event: Event
    caution_h: float | None
    serious_h: float | None


@dataclass(frozen=True, slots=True)
class Area:
    """An incident of an area. ``told_h``: hours until its area_outage; ``gaps``: homes without data, and how many of
    these gaps ended; ``alarms``: alerts on its homes' silence."""

    event: Event
    told_h: float | None
    gaps: int
    gaps_ended: int
    alarms: int


@dataclass(frozen=True, slots=True)
class Summary:
    """``history``: alerts raised before, by level. ``vain``: well and at home, ``away``: absent without a word;
    both are alerts of the played days that reached caution."""

    households: int
    history: dict[str, int]
    attention: int
    found: list[Found]
    areas: list[Area]
    vain: list[Alert]
    away: list[Alert]

    @property
    def vain_rate(self) -> float:
        """In vain per 100 households a week."""
        return len(self.vain) / max(self.households, 1) * 100 / PLAYED_DAYS * 7


def summarise(alerts: Iterable[Alert], story: Story) -> Summary:
    """Figures over all alert events, in any order."""
    ordered = sorted(alerts, key=lambda a: a.at)
    played = [a for a in ordered if a.at.timestamp() > story.begins]
    history = Counter(a.level for a in ordered[: len(ordered) - len(played)] if a.event == "raised")
    first = {a.alert_id: a for a in reversed(played) if _sure(a)}
    causes = {alert_id: story.cause(a) for alert_id, a in first.items()}
    away = [a for a in first.values() if (c := causes[a.alert_id]) is not None and c.kind in AWAY]
    real = [a for a in first.values() if (c := causes[a.alert_id]) is not None and c.kind in COLLAPSES]
    known = {a.alert_id for a in [*away, *real]}
    return Summary(
        households=len(story.town.households),
        history={str(level): count for level, count in history.items()},
        attention=sum(a.event == "raised" and a.level == "attention" for a in played),
        found=[_found(e, ordered) for e in story.planned if e.kind in COLLAPSES],
        areas=[_area(e, played, story) for e in story.planned if e.area],
        vain=sorted((a for a in first.values() if a.alert_id not in known), key=lambda a: a.at),
        away=sorted(away, key=lambda a: a.at),
    )


def _sure(alert: Alert) -> bool:
    return alert.kind == "silence" and alert.event != "cleared" and alert.level in SURE


def _found(event: Event, ordered: Sequence[Alert]) -> Found:
    mine = [a for a in ordered if a.household_id in event.households and a.kind == "silence"]
    hours: dict[str, float] = {}
    for level in SURE:
        wanted = SURE[SURE.index(level) :]
        if _stands(mine, event.start, wanted):
            hours[level] = 0.0
            continue
        for alert in mine:
            at = alert.at.timestamp()
            if at > event.start and alert.event != "cleared" and alert.level in wanted:
                hours[level] = (at - event.start) / HOUR
                break
    return Found(event, hours.get("caution"), hours.get("serious"))


def _stands(mine: Sequence[Alert], at: int, levels: Sequence[str]) -> bool:
    """Whether an alert of these levels was open at a time."""
    before = [a for a in mine if a.at.timestamp() <= at]
    return bool(before) and before[-1].event != "cleared" and before[-1].level in levels


def _area(event: Event, played: Sequence[Alert], story: Story) -> Area:
    felt = [a for a in played if a.area == event.area and story.cause(a) is event]
    told_at = [a.at.timestamp() for a in felt if a.kind == "area_outage" and a.event == "raised"]
    gaps = {a.alert_id for a in felt if a.kind == "data_gap" and a.event == "raised"}
    ended = {a.alert_id for a in played if a.kind == "data_gap" and a.event == "cleared"}
    return Area(
        event,
        (min(told_at) - event.start) / HOUR if told_at else None,
        len(gaps),
        len(gaps & ended),
        len({a.alert_id for a in felt if _sure(a)}),
    )


def show(summary: Summary, story: Story, console: Console) -> None:
    """The summary as tables and sentences."""
    table = Table(title="쓰러진 사람 · who collapsed", title_justify="left", show_edge=False, pad_edge=False)
    for head in ("가구\nhome", "무슨 일\nwhat", "언제\nwhen", "주의까지\nto caution", "심각까지\nto serious"):
        table.add_column(head, no_wrap=True)
    for found in summary.found:
        korean, english = label(found.event)
        table.add_row(
            found.event.households[0], f"{korean}\n[dim]{english}[/]", f"{local(story, found.event.start):%m-%d %H:%M}",
            _after(found.caution_h), _after(found.serious_h),
        )  # fmt: skip
    console.print(table)
    times = sorted(f.caution_h for f in summary.found if f.caution_h is not None)
    within = sum(hours <= 24 for hours in times)
    console.print(
        f"찾은 사람 · found: {len(times)}/{len(summary.found)}, 24시간 안에 · within 24 h: {within}"
        + (f", 중앙값 · median {median(times):.0f} h" if times else "")
    )
    _show_vain(summary, console)
    for area in summary.areas:
        _show_area(area, console)
    told_before = [e for e in story.planned if e.kind in AWAY and told(e)]
    console.print(f"등록된 부재 · registered absences that day: {len(told_before)}")
    past = ", ".join(f"{level} {count:,}" for level, count in sorted(summary.history.items())) or "0"
    console.print(f"지난 {story.days}일의 알림 · alerts of the {story.days} days before: {past}", style="dim")


def _show_vain(summary: Summary, console: Console) -> None:
    console.print(
        f"헛경보 · in vain (at home and well): {len(summary.vain)} = "
        f"[bold]{summary.vain_rate:.1f}[/] / 100가구·주 per 100 households a week"
    )
    console.print(
        f"말없이 외출 · away without a word: {len(summary.away)}; "
        f"관심 · attention, dashboard only: {summary.attention}"
    )


def _show_area(area: Area, console: Console) -> None:
    korean, english = label(area.event)
    one = "지역 알림 없음 · no area alert"
    if area.told_h is not None:
        one = f"{area.told_h:.1f} h 뒤 지역 알림 하나 · one area alert after {area.told_h:.1f} h"
    said = one
    if area.event.kind is EventKind.late_concentrator:
        late, event = area.event.number("hours_late", 6), area.event
        held = ((event.until or event.start) - event.start) / HOUR
        said = (
            f"{held:.0f} h의 검침값이 {late:.0f} h 늦게 옴 · {held:.0f} h of readings came {late:.0f} h late, {one}, "
            f"자료 없음 · data gaps {area.gaps} (끝남 · ended {area.gaps_ended})"
        )
    console.print(f"{korean} · {english} ({area.event.area}): {said}; 가구 경보 · household alarms {area.alarms}")


def _after(hours: float | None) -> str:
    return "-" if hours is None else f"{hours:.1f} h"

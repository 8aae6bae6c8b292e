"""An alert as the demonstration shows it: when, who, how sure, how long against usual, why, and what was the truth."""

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from anbu.console import LEVELS
from anbu.demo_story import AWAY, COLLAPSES, Story, label, local, told
from simulators.events import Event
from stream.records import Alert

DAYS = "월화수목금토일"
INDENT = (0, 0, 0, 4)
KINDS = {
    "silence": "",
    "data_gap": "자료 없음 no data",
    "decline": "서서히 줄어듦 decline",
    "reversal": "낮밤 바뀜 day and night reversed",
    "area_outage": "지역 area",
    "feed_stalled": "자료 멈춤 feed stalled",
}


def worth_showing(alert: Alert) -> bool:
    """Caution and above; what is only for the dashboard is counted."""
    return alert.level != "attention"


def lines(alert: Alert, story: Story) -> list[RenderableType]:
    """An alert event in one line, and its reasons in Korean and English below where it has begun or grown."""
    event = story.cause(alert)
    head = Text.assemble(
        (when(alert, story), "dim"), " ", (f"{alert.household_id or alert.area or '-':<9}", "bold"), " ",
        _level(alert), "  ", _hours(alert), truth(alert, event),
    )  # fmt: skip
    if alert.event == "cleared":
        return [head]
    return [head, Padding(Text(alert.text_ko), INDENT), Padding(Text(alert.text_en, "dim"), INDENT)]


def when(alert: Alert, story: Story) -> str:
    """Local time of the alert: ``05-01 금 14:30``."""
    at = local(story, alert.at.timestamp())
    return f"{at:%m-%d} {DAYS[at.weekday()]} {at:%H:%M}"


def _level(alert: Alert) -> Text:
    korean, colour = LEVELS[alert.level]
    if alert.event == "cleared":
        return Text(f"{korean} 해제 cleared", "green")
    kind = KINDS[alert.kind]
    return Text(f"{korean} {alert.level}" + (f" {kind}" if kind else ""), colour)


def silent_hours(alert: Alert) -> tuple[float | None, float | None]:
    """Hours silent, and the longest silence of a usual day, as far as the alert says them."""
    for reason in alert.reasons:
        if reason.code in ("silent", "silent_new"):
            hours, usual = reason.values.get("hours"), reason.values.get("usual_hours")
            return (
                float(hours) if hours is not None else None,
                float(usual) if usual is not None else None,
            )
    return None, None


def _hours(alert: Alert) -> str:
    hours, usual = silent_hours(alert)
    if hours is None or alert.event == "cleared":
        return ""
    return f"{hours:g} h" + (f" (평소 usual {usual:g} h)  " if usual is not None else "  ")


def truth(alert: Alert, event: Event | None) -> Text:
    """Whether something had happened: what the simulator knows and the workers do not."""
    if alert.kind == "feed_stalled":
        return Text("")
    if event is None:
        return Text("") if alert.event == "cleared" else Text("✗ 헛경보 in vain", "magenta")
    korean, english = label(event)
    colour = "green" if event.kind in COLLAPSES or (event.area and alert.kind == "area_outage") else "blue"
    mark = "●" if colour == "green" else "○"
    since = (alert.at.timestamp() - event.start) / 3600
    after = "" if event.kind in AWAY and told(event) else f", {since:.0f} h"
    return Text(f"{mark} {korean} {english}{after}", colour)

"""The demonstration's story, words and figures, without a broker."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from anbu import demo_show, demo_summary
from anbu.configuration import Settings
from anbu.demo import clear
from anbu.demo_response import on_story_time
from anbu.demo_story import HOUR, PLAYED_DAYS, Story, label, tell_story
from anbu.demo_summary import summarise
from deploy.kafka.errors import BrokerError
from deploy.kafka.owner import Owner
from simulators.events import Event, EventKind
from simulators.town import make_town
from stream.records import Alert, ReasonCode

TODAY = date(2026, 11, 22)
TOWN = make_town(200, 1)
DAY = 10
NOON = TOWN.midnight(DAY) + 12 * HOUR


def story(*planned: Event, life: tuple[Event, ...] = ()) -> Story:
    return Story(TOWN, DAY, list(planned), [*life, *planned])


def alert(home: str, hours: float, **values: Any) -> Alert:
    """An alert so many hours after noon of the day of the incidents."""
    at = datetime.fromtimestamp(NOON + hours * HOUR, UTC)
    given: dict[str, Any] = {
        "event": "raised", "alert_id": f"{home}-1", "household_id": home, "kind": "silence", "level": "caution",
        "to": "resident", "at": at, "onset": at - timedelta(hours=1), "last_life": None, "return_period_days": 80.0,
        "reasons": (), "text_ko": "조용합니다.", "text_en": "It is quiet.", **values,
    }  # fmt: skip
    return Alert(**given)


def collapse(home: str, hours: float = 0, kind: EventKind = EventKind.collapse) -> Event:
    return Event(kind, int(NOON + hours * HOUR), None, (home,))


def shown(some: Alert, told: Story) -> str:
    out = StringIO()
    console = Console(file=out, width=150)
    for line in demo_show.lines(some, told):
        console.print(line)
    return out.getvalue()


# The story


def test_the_same_seed_tells_the_same_story() -> None:
    """Town and events are functions of the seed."""
    a, b = (tell_story(150, 14, 7, "Asia/Seoul", TODAY) for _ in range(2))
    assert a.planned == b.planned
    assert a.events == b.events
    assert a.planned != tell_story(150, 14, 8, "Asia/Seoul", TODAY).planned


@pytest.mark.parametrize("days", [1, 60, 400])
def test_the_story_lies_in_the_past(days: int) -> None:
    """Readings from the future would be refused, however many days are asked for."""
    told = tell_story(5, days, 1, "Asia/Seoul", TODAY)
    assert datetime.fromtimestamp(told.ends, UTC).date() < TODAY


def test_the_day_has_all_kinds_of_incidents() -> None:
    """Collapses, one with something left on, trips, a power cut and a late concentrator."""
    kinds = {e.kind for e in tell_story(1000, 20, 1, "Asia/Seoul", TODAY).planned}
    wanted = {"collapse", "collapse_left_on", "trip", "power_cut", "late_concentrator"}
    assert wanted <= {k.value for k in kinds}


def test_nobody_collapses_who_is_away() -> None:
    """Incidents happen to households with no trip around that day."""
    told = tell_story(600, 20, 2, "Asia/Seoul", TODAY)
    hit = {h for e in told.planned for h in e.households}
    away = [e for e in told.events if e not in told.planned and set(e.households) & hit]
    assert all((e.until or told.ends) < told.begins for e in away)


def test_an_alert_before_the_event_has_no_cause() -> None:
    """What had not happened yet explains nothing."""
    told = story(collapse("h000001"))
    assert told.cause(alert("h000001", -2)) is None
    assert told.cause(alert("h000001", 9)) == told.planned[0]
    assert told.cause(alert("h000002", 9)) is None


def test_a_power_cut_explains_the_alerts_of_its_area() -> None:
    """By area for the outage itself, and until it is over."""
    area = TOWN.households[0].area
    told = story(Event(EventKind.power_cut, NOON, NOON + 3 * HOUR, area=area))
    assert told.cause(alert("", 1, kind="area_outage", area=area)) == told.planned[0]
    assert told.cause(alert("", 30, kind="area_outage", area=area)) is None


# In words


def test_an_alert_says_when_who_how_long_and_why() -> None:
    """Time, household, level, hours against usual, both sentences, and what had happened."""
    why = (ReasonCode("silent", {"hours": 16.0, "usual_hours": 7.5}),)
    text = shown(alert("h000001", 9, reasons=why), story(collapse("h000001")))
    for part in ("03-12 목 21:00", "h000001", "주의 caution", "16 h (평소 usual 7.5 h)", "● 쓰러짐 collapse, 9 h",
                 "조용합니다.", "It is quiet."):  # fmt: skip
        assert part in text


def test_an_alert_for_nothing_is_marked() -> None:
    """Nobody had fallen: in vain."""
    assert "✗ 헛경보 in vain" in shown(alert("h000001", 9), story(collapse("h000002")))


def test_a_cleared_alert_is_one_line() -> None:
    """Its reasons are known by then."""
    assert len(shown(alert("h000001", 9, event="cleared"), story()).splitlines()) == 1


def test_what_was_left_on_is_named() -> None:
    """In both languages."""
    event = Event(EventKind.collapse_left_on, NOON, None, ("h000001",), details={"what": "air_conditioning"})
    assert label(event) == ("쓰러짐, 에어컨 켜짐", "collapse, air conditioning on")


def test_attention_is_not_shown_one_by_one() -> None:
    """It is for the dashboard; the summary counts it."""
    assert not demo_show.worth_showing(alert("a", 1, level="attention"))
    assert demo_show.worth_showing(alert("a", 1, level="serious"))


# In figures


def test_hours_until_caution_and_serious() -> None:
    """From the collapse to the first alert of at least that level."""
    told = story(collapse("h000001", 1))
    alerts = [
        alert("h000001", 5, level="attention"),
        alert("h000001", 11, event="level_changed"),
        alert("h000001", 31, event="level_changed", level="serious"),
    ]
    (found,) = summarise(alerts, told).found
    assert (found.caution_h, found.serious_h) == (10, 30)


def test_serious_at_once_counts_as_caution_too() -> None:
    """A level stands for those below it."""
    (found,) = summarise([alert("h000001", 6, level="serious")], story(collapse("h000001"))).found
    assert (found.caution_h, found.serious_h) == (6, 6)


def test_who_was_not_found_stays_open() -> None:
    """Attention alone finds nobody, nor does an alert that had ended before."""
    alerts = [
        alert("h000001", -9), alert("h000001", -8, event="cleared"), alert("h000001", 4, level="attention"),
    ]  # fmt: skip
    (found,) = summarise(alerts, story(collapse("h000001"))).found
    assert (found.caution_h, found.serious_h) == (None, None)


def test_an_alert_that_stood_already_is_no_delay() -> None:
    """Somebody was to look there anyway."""
    (found,) = summarise([alert("h000001", -3)], story(collapse("h000001"))).found
    assert found.caution_h == 0


def test_in_vain_and_away_are_told_apart() -> None:
    """At home and well is in vain; gone without a word is not, nor is a collapse; each alert counts once."""
    trip = Event(EventKind.trip, NOON - 9 * HOUR, NOON + 40 * HOUR, ("h000003",))
    told = story(collapse("h000001"), life=(trip,))
    alerts = [
        alert("h000001", 9), alert("h000002", 9), alert("h000002", 12, event="level_changed", level="serious"),
        alert("h000003", 9), alert("h000004", 9, level="attention"), alert("h000005", 9, kind="data_gap"),
    ]  # fmt: skip
    summary = summarise(alerts, told)
    assert [a.household_id for a in summary.vain] == ["h000002"]
    assert [a.household_id for a in summary.away] == ["h000003"]
    assert summary.vain_rate == pytest.approx(1 / 200 * 100 / PLAYED_DAYS * 7)
    assert summary.attention == 1


def test_the_weeks_before_are_counted_apart() -> None:
    """An alert of the history is neither in vain nor attention of the played days."""
    summary = summarise([alert("h000002", -24 * 3), alert("h000003", -24 * 3, level="attention")], story())
    assert summary.history == {"caution": 1, "attention": 1}
    assert summary.vain == []


def test_areas_have_their_figures() -> None:
    """Hours until the one alert of a power cut; gaps of a late concentrator and how many ended."""
    first, last = TOWN.households[0].area, TOWN.households[-1].area
    cut = Event(EventKind.power_cut, NOON, NOON + 3 * HOUR, area=first)
    late = Event(EventKind.late_concentrator, NOON, NOON + 3 * HOUR, area=last)
    home = TOWN.households[-1].household_id
    alerts = [
        alert("", 0.75, kind="area_outage", area=first, alert_id="o"),
        alert(home, 7, kind="data_gap", level="attention", area=last, alert_id="g"),
        alert(home, 10, kind="data_gap", level="attention", area=last, alert_id="g", event="cleared"),
    ]
    a, b = summarise(alerts, story(cut, late)).areas
    assert a.told_h == pytest.approx(0.75)
    assert (b.gaps, b.gaps_ended, b.alarms) == (1, 1, 0)


def test_the_summary_is_shown_in_eighty_columns() -> None:
    """Every person who fell has a row, whole."""
    told = tell_story(300, 10, 1, "Asia/Seoul", TODAY)
    out = StringIO()
    demo_summary.show(summarise([], told), told, Console(file=out, width=80))
    fallen = [e.households[0] for e in told.planned if e.kind in demo_summary.COLLAPSES]
    assert all(home in out.getvalue() for home in fallen)
    assert "…" not in out.getvalue()
    assert "0/8" in out.getvalue()


def test_the_median_of_an_even_number_lies_between() -> None:
    """Found after 8 and after 14 hours: 11, not 14."""
    told = story(collapse("h000001"), collapse("h000002"))
    out = StringIO()
    found = summarise([alert("h000001", 8), alert("h000002", 14)], told)
    demo_summary.show(found, told, Console(file=out, width=150))
    assert "중앙값 · median 11 h" in out.getvalue()


# Its cases


def test_nothing_of_the_played_days_is_of_the_past() -> None:
    """A partition may be a day of the story behind another: its alerts open cases all the same."""
    told = story()
    past = timedelta(hours=on_story_time(Settings(), told).past_hours)
    assert datetime.fromtimestamp(told.begins, UTC) >= datetime.fromtimestamp(told.ends, UTC) - past


# Its folder


def test_an_earlier_run_is_cleared_away(tmp_path: Path) -> None:
    """The broker's data and the logs are gone, so that a second run starts from nothing."""
    data = tmp_path / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("x")
    (tmp_path / "worker-0.log").write_text("x")
    clear(tmp_path)
    assert not data.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["kafka"]


def test_a_running_demonstration_is_not_cleared_away(tmp_path: Path) -> None:
    """Its folder is in use: one clear line, and its data stay."""
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    owner = Owner(tmp_path / "kafka")
    owner.take("nobody")
    try:
        with pytest.raises(BrokerError, match="in use by another run"):
            clear(tmp_path)
    finally:
        owner.release()
    assert (tmp_path / "kafka" / "data").exists()

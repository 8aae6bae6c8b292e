"""The time line of a case: every event in words, and what is coming as the decisions themselves would have it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from response import acts, decide, names
from response.case import Case, fold
from response.climb import due_at
from response.draft import Draft
from response.events import Entry, MessagePlanned, Undone, What
from response.hours import Hours
from response.ladder import DEFAULT
from response.records import CallOutcome, CallResult, Circle, Contact, Delivery, DeliveryResult, NotSent
from response.timeline import Line, coming, everybody, past
from stream.records import Alert, OutcomeCode, ReasonCode

SEOUL = ZoneInfo("Asia/Seoul")
HOURS = Hours(SEOUL)
CIRCLE = everybody(datetime(2026, 3, 3, tzinfo=UTC))


def local(text: str) -> datetime:
    """A moment of March 2026 by the clock of Seoul: ``03 14:00`` (the 3rd is a Tuesday)."""
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SEOUL).astimezone(UTC)


def alert(at: datetime, level: str = "caution", kind: str = "silence", one_source: bool = False) -> Alert:
    """An alert of one silent home."""
    reasons = (ReasonCode("silent", {"hours": 20.0, "usual_hours": 9.0}),) + (ReasonCode("phone_none"),) * one_source
    return Alert(
        "raised", "a1", "h1", kind, level, "resident", at, at - timedelta(hours=20), None, 70.0, reasons,
        "20시간째 조용합니다", "silent for 20 h", "area-1", "dong-1",
    )  # fmt: skip


class Story:
    """A case as it goes, without a database: every decision's events are kept."""

    def __init__(self, at: datetime, circle: Circle = CIRCLE, **of: str | bool) -> None:
        self.log: list[Entry] = []
        self.circle = circle
        self.do(at, lambda d: decide.open_case(d, alert(at, **of), DEFAULT, circle, HOURS))

    @property
    def case(self) -> Case:
        """Where it stands."""
        return fold(1, self.log)

    def do(self, at: datetime, decision) -> None:
        """Let something happen."""
        draft = Draft(self.case, at)
        decision(draft)
        self.log += draft.entries

    def calls_end(self, at: datetime, outcome: CallOutcome = CallOutcome.no_answer) -> None:
        """Every call that is being made ends so."""
        for key in [key for key, was in self.case.calls.items() if was is None]:
            self.do(at, lambda d, key=key: decide.call_done(d, key, CallResult(outcome), self.circle, HOURS))


def said(lines: list[Line]) -> list[tuple[str, str]]:
    """When, and what in English."""
    return [(line.when, line.text[1]) for line in lines]


def test_what_is_coming_is_the_whole_ladder_with_its_times() -> None:
    """A caution of a Tuesday morning: calls at +10 and +60, people from +65, the centre for ever."""
    story = Story(local("03 10:00"))
    assert said(coming(story.case, HOURS, local("03 10:00"))) == [
        ("03-03 화 10:10", "automatic call to resident"),
        ("03-03 화 11:00", "automatic call to resident"),
        ("03-03 화 11:05", "message to guardian, message to officer"),
        ("03-03 화 11:20", "message to deputy"),
        ("03-03 화 11:35", "message to control centre"),
        ("03-03 화 11:50", "then control centre again every 15 minutes until somebody acknowledges"),
    ]


def test_what_is_coming_waits_for_calling_hours_and_leaves_closed_offices_out() -> None:
    """In the night nobody is rung; outside office hours the centre comes at once, with the guardian."""
    story = Story(local("06 22:00"))
    assert said(coming(story.case, HOURS, local("06 22:00"))) == [
        ("03-07 토 08:00", "SMS to resident, automatic call to resident"),
        ("03-07 토 08:10", "automatic call to resident"),
        ("03-07 토 09:00", "automatic call to resident"),
        ("03-07 토 09:05", "message to guardian"),
        ("03-07 토 09:05", "message to control centre"),
        ("03-07 토 09:20", "then control centre again every 15 minutes until somebody acknowledges"),
    ]


def test_acknowledged_case_has_its_deadline_before_it_and_the_ladder_behind() -> None:
    """Whoever took it sees until when an outcome is waited for, and what follows without one."""
    story = Story(local("03 10:00"), level="serious")
    story.do(local("03 10:05"), lambda d: acts.take(d, "o1", "", local("03 12:00"), {}))
    lines = said(coming(story.case, HOURS, local("03 10:06")))
    assert lines[0] == (
        "03-03 화 12:00", "deadline: without an outcome the case is open again, and people are told anew"
    )  # fmt: skip
    assert lines[1] == ("03-03 화 12:00", "message to guardian, message to officer")
    assert lines[-1][1].startswith("then control centre again")


def test_calm_case_with_an_owner_closes_at_the_deadline() -> None:
    """Life is back and somebody has it: nothing more is done but to close it."""
    story = Story(local("03 10:00"), level="serious")
    story.do(local("03 10:05"), lambda d: acts.take(d, "o1", "", local("03 12:00"), {}))
    story.do(local("03 11:00"), lambda d: decide.calm(d, "life"))
    assert said(coming(story.case, HOURS, local("03 11:00"))) == [
        ("03-03 화 12:00", "closes by itself: signs of life are seen again")
    ]


def test_nothing_is_coming_of_a_closed_case() -> None:
    """The end is the end."""
    story = Story(local("03 10:00"))
    story.do(local("03 10:05"), lambda d: decide.calm(d, "key"))
    assert coming(story.case, HOURS, local("03 10:06")) == []


def test_what_is_overdue_is_coming_now() -> None:
    """After a pause nothing is said to happen in the past."""
    story = Story(local("03 10:00"))
    lines = coming(story.case, HOURS, local("03 13:00"))
    assert lines[0].when == "03-03 화 13:00"
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_nobody_on_duty_is_said_beforehand_where_the_roster_is_known() -> None:
    """A circle without a deputy: the line says so, and the centre is next at once."""
    circle = Circle(tuple(c for c in CIRCLE.contacts if c.role != "deputy"))
    story = Story(local("03 10:00"), circle, level="serious")
    assert said(coming(story.case, HOURS, local("03 10:00"), lambda at: circle))[:3] == [
        ("03-03 화 10:15", "deputy is not told (nobody is on duty)"),
        ("03-03 화 10:15", "message to control centre"),
        ("03-03 화 10:30", "then control centre again every 15 minutes until somebody acknowledges"),
    ]


def test_home_without_data_is_looked_after_every_working_day() -> None:
    """The ladder of homes without data repeats by days, in office hours."""
    story = Story(local("03 20:00"), kind="data_gap")
    assert said(coming(story.case, HOURS, local("03 20:00"))) == [
        ("03-04 수 09:00", "message to officer"),
        ("03-05 목 09:00", "then officer again every day, in office hours, until somebody acknowledges"),
    ]


@given(
    minutes=st.integers(0, 7 * 24 * 60), level=st.sampled_from(["caution", "serious"]),
    kind=st.sampled_from(["silence", "data_gap"]), one_source=st.booleans(),
)  # fmt: skip
def test_what_was_foretold_is_what_happens(minutes: int, level: str, kind: str, one_source: bool) -> None:
    """The law of it: where nobody does anything, each line comes true at its minute, and nothing else happens."""
    at = local("02 00:00") + timedelta(minutes=minutes)
    story = Story(at, level=level, kind=kind, one_source=one_source)
    story.calls_end(at)
    foretold = coming(story.case, HOURS, at)
    assert foretold
    for moment in sorted({line.at for line in foretold[:-1]}):
        assert due_at(story.case, HOURS) == moment
        before = len(story.log)
        story.do(moment, lambda d: decide.due(d, CIRCLE, HOURS))
        roles = {e.what.role for e in story.log[before:] if isinstance(e.what, MessagePlanned)}
        told = " ".join(line.text[1] for line in foretold if line.at == moment)
        assert all(names.role(role)[1] in told for role in roles)
        story.calls_end(moment)
    assert due_at(story.case, HOURS) == foretold[-1].at
    assert story.case.step == len(story.case.ladder.steps) - 1


def test_past_has_one_sentence_an_event_in_two_languages_with_time_and_who() -> None:
    """A whole story from the alert to the end, as an officer reads it."""
    story = Story(local("03 10:00"))
    story.calls_end(local("03 10:01"))
    story.do(local("03 11:05"), lambda d: decide.due(d, CIRCLE, HOURS))
    story.do(local("03 11:06"), lambda d: acts.take(d, "o1", "sealed", local("03 14:00"), {}))
    story.do(local("03 11:50"), lambda d: acts.close(d, "o1", OutcomeCode.hospital, "", None, local("09 00:00")))
    lines = past(story.log, story.case, HOURS, lambda who: {"o1": "박담당"}.get(who, who))
    assert len(lines) == len(story.log)
    by_text = {line.text: line for line in lines}
    taken = by_text["사례를 맡았습니다, 기한 03-03 화 14:00", "took the case, until 03-03 화 14:00"]
    assert (taken.when, taken.who, taken.comment) == ("03-03 화 11:06", ("박담당", "박담당"), "sealed")
    assert ("경보: 주의, 생활 신호 없음: 20시간째 조용합니다", "alert: caution, silence: silent for 20 h") in by_text
    assert by_text["1번째 자동 전화: 안 받음", "automatic call no. 1: no answer"].who == ("시스템", "system")
    assert any("입원 (~03-09" in ko for ko, _ in by_text)
    assert all("박담당" not in " ".join(line.text) for line in lines if line.who == ("시스템", "system"))


def test_past_says_to_whom_a_message_went_and_why_one_did_not() -> None:
    """The result names the person that the plan was for."""
    story = Story(local("03 10:00"), level="serious")
    key = next(e.what.key for e in story.log if isinstance(e.what, MessagePlanned) and e.what.role == "officer")
    failed = Delivery(DeliveryResult.not_sent, "sms", NotSent.no_channel)
    story.do(local("03 10:01"), lambda d: decide.message_done(d, key, failed, everybody(local("03 10:01")), HOURS))
    assert (
        "담당 공무원 officer에게 메시지 (문자) 보내지 않음: 보낼 수단이 설정되지 않음",
        "message to officer officer (SMS): not sent: no channel is configured",
    ) in [line.text for line in past(story.log, story.case, HOURS)]


@pytest.mark.parametrize("what", What.__args__, ids=lambda what: what.__name__)
def test_every_kind_of_event_has_its_sentence(what: type) -> None:
    """No event of a log is unreadable: one made of each kind has a sentence in both languages."""
    import msgspec

    from response.sentences import context, sentence

    at = local("03 10:00")
    values = {
        "household_id": "h1", "dong": "d", "area": "a", "drill": True, "ladders": {}, "alert_id": "a1",
        "change": "cleared", "kind": "silence", "level": "caution", "alert_at": at, "onset": at, "step": "tell",
        "reached": False, "key": "k", "person_id": "p1", "outcome": "busy", "role": "officer", "means": "message",
        "template": "tell_officer", "result": "failed", "keys": ["k"], "reason": "absent", "why": "help",
        "act": "take", "until": at, "owner": "o1", "how": "life", "comment": "x", "code": None,
    }  # fmt: skip
    made = msgspec.convert({f.name: values[f.name] for f in msgspec.structs.fields(what) if f.required}, what)
    case = Story(at).case
    ko, en = sentence(made, context([Entry(0, at, "system", made)], case, SEOUL))
    assert any("가" <= letter <= "힣" for letter in ko)
    assert en.isascii() or "~" in en or "화" in en


def test_an_undone_press_names_whoever_has_the_case_as_before() -> None:
    """No ladder is said to go on where somebody has it."""
    from response.sentences import context, sentence

    of = context([], Story(local("03 10:00")).case, SEOUL, {"o1": "박담당"}.__getitem__)
    assert sentence(Undone("take", owner="o1"), of) == (
        "마지막에 누른 것을 되돌렸습니다: 박담당 님이 그대로 맡고 있습니다",
        "undid the last press: 박담당 has the case as before",
    )
    assert "알림이 그대로 이어집니다" in sentence(Undone("take"), of)[0]


def test_every_code_has_a_name() -> None:
    """Whoever adds an outcome or a reason names it."""
    assert set(names.CODES) == set(OutcomeCode)
    assert set(names.REASONS) == set(NotSent)
    assert set(names.OUTCOMES) == set(CallOutcome)
    assert set(names.RESULTS) == set(DeliveryResult)


def test_a_contact_of_every_role_is_everybody() -> None:
    """The circle that stands for all has nobody missing."""
    assert all(everybody(local("03 10:00")).of(role) == (Contact(role, role),) for role in names.ROLES)

"""What everybody reads, state by state: the sentences as they go out, so that each was read once and says what is so.

A state that says something new belongs here.
"""

import pytest

from response.channels.guardian import ASK_THE_OFFICE, ASKED, GUARDIAN
from response.events import CalmedBy
from response.records import CallOutcome as O
from stream.records import OutcomeCode
from tests.response.story import Said, Story, at, never_rung, without

DAY, NIGHT = "03 14:00", "03 23:00"
ASKS = ("resident", "역삼1동입니다. 곧 안부 전화가 갑니다. 괜찮으시면 1번. 전화 02-123-4567")
ASKS_MUTE = ("resident", "역삼1동입니다. 안부를 여쭙니다. 괜찮으시면 연락 주십시오. 전화 02-123-4567")
OFFICE = "역삼1동 02-123-4567"
RING = f"연락해 보고 알려 주십시오. {OFFICE}"
NO_ANSWER = ("guardian", f"김○수 님이 안부 전화에 답하지 않으십니다. {RING}")
NOT_REACHED = ("guardian", f"김○수 님께 안부 전화가 연결되지 않습니다. {RING}")
RINGING = ("guardian", f"김○수 님의 생활 신호가 없어 지금 안부 전화를 드리고 있습니다. {RING}")
NOT_CALLED = ("guardian", f"김○수 님의 생활 신호가 없어 안부를 확인하고 있습니다. {RING}")
HELP = ("guardian", f"김○수 님이 안부 전화에서 도움이 필요하다고 하셨습니다. {RING}")


def serious(
    role: str, tried: str, of: str = "", level: str = "심각", silent: str = "16시간째 신호 없음(평소 7)"
) -> Said:  # fmt: skip
    """What staff read."""
    when = f"{of} 기준 " if of else ""
    return role, f"[{level}] 김○수 역삼1동 {when}{silent}. {tried}. 확인 https://a.kr/c/t"


def over(text: str, role: str = "officer") -> Said:
    """What staff read in the end."""
    return role, f"[종료] 김○수 역삼1동: {text}."


def well(text: str) -> Said:
    """What a guardian reads in the end."""
    return "guardian", f"김○수 님 안부: {text}. {OFFICE}"


def told() -> Story:
    """Guardian and officer have been told of something serious; what they read is left out."""
    return at(DAY).alert("serious").anew()


TABLE: dict[str, tuple[Story, list[Said]]] = {
    "nobody answers, nobody takes it": (
        at(DAY).alert().goes_on(5, O.no_answer),
        [ASKS, NO_ANSWER, *(serious(r, "자동 전화 3번: 안 받음 3", "14:00") for r in ("officer", "deputy", "centre"))],
    ),
    "a resident who is never rung": (
        at(DAY, never_rung()).alert().goes_on(3),
        [ASKS_MUTE, NOT_CALLED, *(serious(r, "자동 전화 없었음") for r in ("officer", "deputy", "centre"))],
    ),
    "no resident to be asked": (
        at(DAY, without("resident")).alert(), [NOT_CALLED, serious("officer", "자동 전화 없었음")],
    ),
    "serious by day: rung beside": (at(DAY).alert("serious"), [ASKS, RINGING, serious("officer", "자동 전화 거는 중")]),
    "serious by night: nobody is rung": (
        at(NIGHT).alert("serious"), [NOT_CALLED, serious("centre", "자동 전화 없었음")],
    ),
    "an alert of the night, told in the morning": (
        at(NIGHT).alert().goes_on(4, O.no_answer),
        [ASKS, NO_ANSWER, serious("officer", "자동 전화 3번: 안 받음 3", "03-03 23:00")],
    ),
    "asks for help": (
        at(DAY).alert().call(O.answered_key, "2"),
        [ASKS, HELP, ("officer", "[심각] 김○수 역삼1동 본인이 도움을 요청했습니다(2번). 16시간째 신호 없음(평소 7). "
                                 "자동 전화 1번: 받고 번호 누름 1. 확인 https://a.kr/c/t")],
    ),
    "busy": (
        at(DAY).alert().goes_on(3, O.busy),
        [ASKS, NOT_REACHED, serious("officer", "자동 전화 3번: 통화 중 3", "14:00")],
    ),
    "no line": (
        at(DAY).alert().goes_on(1, O.failed).call(O.failed).call(O.failed),
        [ASKS, NOT_REACHED, serious("officer", "자동 전화 3번: 연결 안 됨 3")],
    ),
    "ends unknown": (
        at(DAY).alert().goes_on(3, O.unknown),
        [ASKS, NOT_REACHED, serious("officer", "자동 전화 3번: 결과 모름 3", "14:00")],
    ),
    "picked up, nothing pressed": (
        at(DAY).alert().goes_on(3, O.answered_no_key),
        [ASKS, NO_ANSWER, serious("officer", "자동 전화 3번: 받고 누르지 않음 3", "14:00")],
    ),
    "one signal alone": (
        at(DAY).alert("caution", "silence", "phone_none").goes_on(3, O.no_answer),
        [ASKS, NO_ANSWER, serious("officer", "자동 전화 3번: 안 받음 3", "14:00", level="주의")],
    ),
    "a home without data": (
        at(DAY).alert("caution", "data_gap", hours=26),
        [("officer", "[자료 없음] 김○수 역삼1동 26시간째 자료 없음. 안부를 확인해 주십시오. https://a.kr/c/t")],
    ),
    "silent, and later without data too: the hours stay those of the silence": (
        told().alert("caution", "data_gap", hours=26).goes_on(), [serious("deputy", "자동 전화 거는 중")],
    ),
    "nobody on duty": (
        at(DAY, without("officer")).alert("serious"),
        [ASKS, RINGING, ("operator", "[당번 없음] 역삼1동 담당 공무원 (심각). 당번표를 확인해 주십시오."),
         serious("deputy", "자동 전화 거는 중")],
    ),
    "no outcome in time": (
        told().taken().goes_on(),
        [("officer", "[기한 지남] 김○수 역삼1동 (심각) 결과 입력이 없어 다시 열렸습니다. https://a.kr/c/t"), RINGING,
         serious("officer", "자동 전화 거는 중", "14:00")],
    ),
    "grown while somebody has it": (
        at(DAY).alert("caution", "silence", "phone_none").goes_on(3, O.no_answer).taken().anew()
        .alert("serious", change="level_changed", hours=20),
        [serious("officer", "자동 전화 3번: 안 받음 3", silent="20시간째 신호 없음(평소 7)")],
    ),
    "consent withdrawn": (
        told().taken().withdrawn(), [("officer", "[동의 철회] 사례 1 역삼1동: 안부 확인을 멈춰 주십시오.")],
    ),
    "life is seen": (
        told().cleared(), [well("평소의 생활 신호가 다시 확인되었습니다"), over("생활 신호가 다시 확인되었습니다")],
    ),
    "an absence is registered": (
        told().cleared("absence"),
        [well("외출·입원 등으로 집을 비우신 것으로 등록되어 있습니다"), over("외출·입원 등 부재가 등록되어 있습니다")],
    ),
    "data again": (
        at(DAY).alert("caution", "data_gap", hours=26).anew().cleared("data_back", "data_gap"),
        [over("끊겼던 자료가 다시 들어옵니다")],
    ),
    "life is seen while somebody has it": (
        told().taken().cleared(),
        [("officer", "[안정] 김○수 역삼1동: 생활 신호가 다시 확인되었습니다. 맡으신 건이니 확인하고 "
                     "결과를 넣어 주십시오. https://a.kr/c/t"),
         well("평소의 생활 신호가 다시 확인되었습니다")],
    ),
    "a colleague asks, and takes it over": (
        told().taken().asked("d1").taken("d1", over=True),
        [("officer", "[넘겨받기 요청] 김○수 역삼1동 (심각): d1 님이 이 건을 넘겨받고 싶어 합니다. "
                     "지금은 그대로 맡고 계십니다. https://a.kr/c/t"),
         ("officer", "[넘어감] 김○수 역삼1동 (심각): 이제 d1 님이 맡습니다. https://a.kr/c/t")],
    ),
    "key 1 after people were told": (
        told().call(O.answered_key, "1"),
        [well("본인이 전화로 괜찮다고 알려 왔습니다"), over("본인이 자동 전화에 1번을 눌렀습니다")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("state", TABLE)
def test_what_is_said_is_so(state: str) -> None:
    """Everything that anybody reads up to this state, word for word."""
    story, expected = TABLE[state]
    assert story.said == expected


ENDS: dict[str, tuple[str, str]] = {
    "safe_answered": ("본인과 통화해 괜찮으신 것을 확인했습니다", "통화로 안전 확인"),
    "safe_visited": ("찾아뵙고 괜찮으신 것을 확인했습니다", "방문해 안전 확인"),
    "away_registered": ("외출·여행 중이신 것을 확인했습니다", "등록된 외출·여행"),
    "away_unregistered": ("외출·여행 중이신 것을 확인했습니다", "등록 안 된 외출·여행"),
    "hospital": ("입원 중이신 것을 확인했습니다", "입원"),
    "phone_problem": ("전화에 문제가 있었던 것으로 확인했습니다", "전화 문제 (고장·분실·번호 변경)"),
    "data_problem": ("전기 자료에 문제가 있었던 것으로 확인했습니다", "전기 자료 문제"),
    "moved": ("이사하신 것을 확인했습니다", "이사"),
    "refused": ("뵈었으나 확인을 원하지 않으셨습니다", "확인 거부"),
    "needs_service": ("뵙고, 필요한 도움을 알아보고 있습니다", "서비스 연계 필요"),
    "emergency_119": ("확인을 마쳤습니다. 자세한 내용은 전화로 문의해 주십시오", "119 신고·이송"),
    "deceased": ("확인을 마쳤습니다. 자세한 내용은 전화로 문의해 주십시오", "사망"),
    "unreachable": ("확인을 마쳤습니다. 자세한 내용은 전화로 문의해 주십시오", "끝내 연락 안 됨"),
}


@pytest.mark.parametrize("code", OutcomeCode)
def test_how_it_ended_is_told_as_it_ended(code: OutcomeCode) -> None:
    """Staff read the outcome that was given; a guardian reads of no death and no emergency."""
    for_guardian, for_staff = ENDS[code]
    story = told().goes_on().taken().anew().closed(code)
    assert story.said == [well(for_guardian), over(f"결과 {for_staff}", "deputy")]


def test_every_state_and_every_end_has_words_for_a_guardian() -> None:
    """No code falls back to the sentence for the unknown by being forgotten."""
    hows: set[str] = set(CalmedBy.__args__) - {"person"}  # type: ignore[attr-defined]
    assert set(GUARDIAN) == hows | set(OutcomeCode)
    assert {code for code, words in GUARDIAN.items() if words == ASK_THE_OFFICE} == {
        OutcomeCode.deceased, OutcomeCode.emergency_119, OutcomeCode.unreachable
    }  # fmt: skip
    assert set(ASKED) == {"help", "no_data", "unanswered", "not_reached", "ringing", "not_called"}


LINES: dict[str, tuple[Story, list[str]]] = {
    "who is never rung is not asked by telephone, and is no person without an address": (
        at(DAY, never_rung()).alert(),
        ["대상자에게 문자를 보냅니다: 안부를 묻는 문자",
         "대상자에게 자동 전화를 걸지 않음: 전화를 걸지 않는 분이거나 번호 없음", "대상자 차례"],
    ),
    "by night the guardian is told, and nobody who could take it": (
        at(NIGHT).alert("serious"),
        ["보호자 g1에게 메시지를 보냅니다: 보호자 연락", "보호자·담당 공무원 차례, 맡을 수 있는 사람에게 알리지 못함",
         "관제센터 c1에게 메시지를 보냅니다: 확인 요청", "관제센터 차례"],
    ),
    "an answer that was not had": (
        at(DAY).alert().goes_on(2, O.failed).goes_on(),
        ["대상자 차례: 아무에게도 전해지지 않았습니다", "본인에게 3번째 자동 전화를 겁니다", "대상자 차례",
         "심각으로 올랐습니다: 본인의 답을 얻지 못함"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("state", LINES)
def test_what_the_time_line_says_is_so(state: str) -> None:
    """The lines that would be read, in this order and nothing in between."""
    story, expected = LINES[state]
    lines = story.lines()
    at_ = lines.index(expected[0])
    assert lines[at_ : at_ + len(expected)] == expected

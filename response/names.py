"""What codes are called by people: Korean first, English beside."""

from response.channels.endings import CODES
from response.channels.words import HOW, LEVELS, OUTCOMES, ROLES
from response.records import CallOutcome, NotSent, Rang

__all__ = [
    "ALERTS", "CHANNELS", "CODES", "EVENTS", "HOW", "LEVELS", "MEANS", "OUTCOMES", "PHASES", "RANG", "RANG_FROM",
    "REASONS", "RESULTS", "ROLES", "STATES", "TEMPLATES", "UNTOLD", "Words", "channel", "every", "level", "result",
    "ro", "role", "to",
]  # fmt: skip

Words = tuple[str, str]
"""The same in Korean and in English."""

_N = NotSent
REASONS: dict[NotSent, Words] = {
    _N.absent: ("부재 등록 중", "an absence is registered"),
    _N.drill: ("훈련이라 훈련 수단으로만 보냄", "a drill reaches drill channels only"),
    _N.duplicate: ("같은 것이 이미 진행 중", "the same is under way already"),
    _N.no_consent: ("본인 동의 없음", "the resident did not consent"),
    _N.nobody_on_duty: ("당직자 없음", "nobody is on duty"),
    _N.no_channel: ("보낼 수단이 설정되지 않음", "no channel is configured"),
    _N.no_address: ("연락처 없음", "there is no address"),
    _N.no_calls: ("전화를 걸지 않는 분이거나 번호 없음", "not to be rung, or there is no number"),
    _N.cancelled: ("필요 없어져 취소", "cancelled, not needed any more"),
    _N.withdrawn: ("동의 철회", "consent was withdrawn"),
    _N.undelivered: ("메시지가 하나도 가지 않음", "none of the messages went out"),
    _N.too_old: ("너무 오래 기다려 보내지 않음", "it had waited for too long"),
}
RANG: dict[Rang, Words] = {
    Rang.key: ("번호를 눌렀습니다", "a key was pressed"),
    Rang.no_key: ("안내를 듣고 아무 번호도 누르지 않았습니다", "the announcement was heard, no key pressed"),
    Rang.cut_short: ("안내가 끝나기 전에 끊겼습니다", "it ended before the announcement was heard"),
    Rang.not_established: ("연결되기 전에 끊겼습니다", "it was never established"),
    Rang.no_line: ("빈 회선이 없어 받지 못했습니다", "we had no line free"),
}
RANG_FROM: dict[str, Words] = {
    "resident": ("본인이 전화를 걸어 왔습니다", "the resident rang back"),
    "number": ("본인 번호에서 전화가 왔습니다", "somebody rang from the resident's number"),
    "shared": ("여러 사람이 함께 쓰는 번호에서 전화가 왔습니다", "somebody rang from a number of several people"),
}
PHASES: dict[str, Words] = {
    "asking": ("본인에게 묻는 중", "asking"),
    "telling": ("담당에게 알리는 중", "telling"),
    "acknowledged": ("맡음", "acknowledged"),
    "calm": ("안정, 결과 대기", "calm"),
    "closed": ("종결", "closed"),
}
UNTOLD: Words = ("아무에게도 전해지지 않음", "nobody was reached")
"""Instead of the phase, where the ladder is at its end and none of it went out."""
ALERTS: dict[str, Words] = {
    "silence": ("생활 신호 없음", "silence"),
    "data_gap": ("자료 없음", "no data"),
    "decline": ("서서히 줄어듦", "decline"),
    "reversal": ("낮밤 바뀜", "day and night reversed"),
}
EVENTS: dict[str, Words] = {
    "raised": ("시작", "raised"),
    "level_changed": ("단계 바뀜", "level changed"),
    "cleared": ("끝", "cleared"),
}
MEANS: dict[str, Words] = {
    "sms": ("문자", "SMS"),
    "call": ("자동 전화", "automatic call"),
    "message": ("메시지", "message"),
}
TEMPLATES: dict[str, Words] = {
    "ask_resident": ("안부를 묻는 문자", "asking after them"),
    "tell_officer": ("확인 요청", "please look after this person"),
    "tell_guardian": ("보호자 연락", "please ring"),
    "look_officer": ("자료 끊긴 집 확인 요청", "please look: no data"),
    "calmed": ("상황 끝 알림", "it is over"),
    "calmed_guardian": ("상황 끝 알림", "it is over"),
    "calmed_owner": ("안정, 결과 부탁", "calm: please give the outcome"),
    "take_over_asked": ("넘겨받고 싶다는 알림", "somebody would like to take it over"),
    "taken_over": ("다른 분이 넘겨받았다는 알림", "somebody has taken it over"),
    "deadline_passed": ("기한 지남 알림", "the deadline has passed"),
    "nobody_on_duty": ("당직자 없음 알림", "nobody is on duty"),
    "nobody_reached": ("아무에게도 가지 않음 알림", "none of the messages went out"),
    "withdrawn": ("동의 철회 알림", "consent was withdrawn"),
    "withdrawals": ("동의 철회 모음 알림", "consents withdrawn lately"),
    "area_outage": ("지역 정전 알림", "area outage"),
    "feed_stalled": ("자료 멈춤 알림", "feed stalled"),
}
STATES: dict[str, Words] = {
    "waiting": ("대기", "waiting"),
    "leased": ("보내는 중", "being sent"),
    "done": ("끝남", "done"),
    "cancelled": ("취소", "cancelled"),
    "not_sent": ("보내지 않음", "not sent"),
    "refused": ("전할 수 없어 따로 둠", "set aside"),
}
RESULTS: dict[str, Words] = {
    "sent": ("보냄", "sent"),
    "failed": ("실패", "failed"),
    "not_sent": ("보내지 않음", "not sent"),
    "unknown": ("결과 모름", "unknown"),
}


CHANNELS: dict[str, Words] = {
    "sms": ("문자", "SMS"),
    "alimtalk": ("알림톡", "AlimTalk"),
    "email": ("전자우편", "e-mail"),
    "webhook": ("웹훅", "webhook"),
    "call": ("전화", "call"),
}


def channel(name: str) -> Words:
    """A channel, and what stands behind its name: ``sms (모의 · simulated)`` is ``문자, 모의``."""
    first, _, rest = name.partition(" ")
    ko, en = CHANNELS.get(first, (first, first))
    if not rest:
        return ko, en
    more_ko, _, more_en = rest.strip("()").partition(" · ")
    return f"{ko}, {more_ko}", f"{en}, {more_en or more_ko}"


def result(name: str | None) -> Words | None:
    """How a message or a call ended."""
    if name is None:
        return None
    return RESULTS.get(name) or (OUTCOMES[CallOutcome(name)] if name in set(CallOutcome) else (name, name))


def role(name: str) -> Words:
    """A role, whatever it is called."""
    return ROLES.get(name, (name, name))


def to(name: str, who: str = "") -> Words:
    """Somebody of a role, as the one to whom something goes: ``담당 공무원 김철수에게``, ``관제센터에``."""
    ko, en = role(name)
    return f"{ko}{who}{'에' if name == 'centre' and not who else '에게'}", en + who


def ro(word: str) -> str:
    """``(으)로`` as a word wants it: 사망으로, 이사로, 서울로; behind what is no Hangul letter 으로."""
    last = next((letter for letter in reversed(word) if letter.isalnum()), "")
    final = (ord(last) - ord("가")) % 28 if "가" <= last <= "힣" else 1
    return "로" if final in (0, 8) else "으로"  # 8: ㄹ


def level(name: str) -> Words:
    """A level."""
    return LEVELS.get(name, name), name


def every(minutes: float) -> Words:
    """How often: ``15분마다``, ``every 15 minutes``."""
    for size, korean, english in ((1440, "일", "day"), (60, "시간", "hour")):
        if minutes >= size and minutes % size == 0:
            count = int(minutes // size)
            each = {"일": "매일", "시간": "매시간"}[korean] if count == 1 else f"{count}{korean}마다"
            return each, f"every {english}" if count == 1 else f"every {count} {english}s"
    return f"{minutes:g}분마다", "every minute" if minutes == 1 else f"every {minutes:g} minutes"

"""What codes are called by people: Korean first, English beside."""

from response.channels.words import HOW, LEVELS, OUTCOMES, ROLES
from response.records import NotSent
from stream.records import OutcomeCode

__all__ = [
    "ALERTS", "CODES", "HOW", "LEVELS", "MEANS", "OUTCOMES", "PHASES", "REASONS", "RESULTS", "ROLES", "STATES",
    "TEMPLATES", "Words", "every", "level", "role",
]  # fmt: skip

Words = tuple[str, str]
"""The same in Korean and in English."""

_C, _N = OutcomeCode, NotSent
CODES: dict[OutcomeCode, Words] = {
    _C.safe_answered: ("통화로 안전 확인", "safe: answered"),
    _C.safe_visited: ("방문해 안전 확인", "safe: visited"),
    _C.away_registered: ("등록된 외출·여행", "away, registered"),
    _C.away_unregistered: ("등록 안 된 외출·여행", "away, not registered"),
    _C.hospital: ("입원", "in hospital"),
    _C.phone_problem: ("전화 문제 (고장·분실·번호 변경)", "phone problem"),
    _C.data_problem: ("전기 자료 문제", "data problem"),
    _C.moved: ("이사", "moved"),
    _C.refused: ("확인 거부", "refused"),
    _C.needs_service: ("서비스 연계 필요", "needs service"),
    _C.emergency_119: ("119 신고·이송", "emergency, 119"),
    _C.deceased: ("사망", "deceased"),
    _C.unreachable: ("끝내 연락 안 됨", "unreachable"),
}
REASONS: dict[NotSent, Words] = {
    _N.absent: ("부재 등록 중", "an absence is registered"),
    _N.drill: ("훈련이라 훈련 수단으로만 보냄", "a drill reaches drill channels only"),
    _N.duplicate: ("같은 것이 이미 진행 중", "the same is under way already"),
    _N.no_consent: ("본인 동의 없음", "the resident did not consent"),
    _N.nobody_on_duty: ("당직자 없음", "nobody is on duty"),
    _N.no_channel: ("보낼 수단이 설정되지 않음", "no channel is configured"),
    _N.no_address: ("연락처 없음", "there is no address"),
    _N.cancelled: ("필요 없어져 취소", "cancelled, not needed any more"),
    _N.withdrawn: ("동의 철회", "consent was withdrawn"),
    _N.too_old: ("너무 오래 기다려 보내지 않음", "it had waited for too long"),
}
PHASES: dict[str, Words] = {
    "asking": ("본인에게 묻는 중", "asking"),
    "telling": ("담당에게 알리는 중", "telling"),
    "acknowledged": ("맡음", "acknowledged"),
    "calm": ("안정, 결과 대기", "calm"),
    "closed": ("종결", "closed"),
}
ALERTS: dict[str, Words] = {
    "silence": ("생활 신호 없음", "silence"),
    "data_gap": ("자료 없음", "no data"),
    "decline": ("서서히 줄어듦", "decline"),
    "reversal": ("낮밤 바뀜", "day and night reversed"),
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
    "deadline_passed": ("기한 지남 알림", "the deadline has passed"),
    "nobody_on_duty": ("당직자 없음 알림", "nobody is on duty"),
    "withdrawn": ("동의 철회 알림", "consent was withdrawn"),
    "area_outage": ("지역 정전 알림", "area outage"),
    "feed_stalled": ("자료 멈춤 알림", "feed stalled"),
}
STATES: dict[str, Words] = {
    "waiting": ("대기", "waiting"),
    "leased": ("보내는 중", "being sent"),
    "done": ("끝남", "done"),
    "cancelled": ("취소", "cancelled"),
    "not_sent": ("보내지 않음", "not sent"),
}
RESULTS: dict[str, Words] = {
    "sent": ("보냄", "sent"),
    "failed": ("실패", "failed"),
    "not_sent": ("보내지 않음", "not sent"),
    "unknown": ("결과 모름", "unknown"),
}


def role(name: str) -> Words:
    """A role, whatever it is called."""
    return ROLES.get(name, (name, name))


def level(name: str) -> Words:
    """A level."""
    return LEVELS.get(name, name), name


def every(minutes: float) -> Words:
    """How often: ``15분마다``, ``every 15 minutes``."""
    for size, korean, english in ((1440, "일", "day"), (60, "시간", "hour")):
        if minutes >= size and minutes % size == 0:
            count = int(minutes // size)
            return f"{count}{korean}마다", f"every {english}" if count == 1 else f"every {count} {english}s"
    return f"{minutes:g}분마다", "every minute" if minutes == 1 else f"every {minutes:g} minutes"

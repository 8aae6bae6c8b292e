"""Outcomes in words, for staff."""

from stream.records import OutcomeCode

_C = OutcomeCode
CODES: dict[OutcomeCode, tuple[str, str]] = {
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


def outcome(code: str) -> tuple[str, str]:
    """An outcome's words for staff; an unknown one as it is."""
    return CODES[OutcomeCode(code)] if code in set(OutcomeCode) else (code, code)

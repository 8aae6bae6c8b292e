"""What a guardian reads: why they are asked to ring, and how it ended.

No sentence says more than is so: that the resident does not answer only where a call rang. Nobody is told of a death or
an emergency by a text message: they are asked to ring the office.
"""

from stream.records import OutcomeCode

ASKED: dict[str, tuple[str, str]] = {
    "help": ("{who}이 안부 전화에서 도움이 필요하다고 하셨습니다", "{who} asked for help in our automatic call"),
    "unanswered": ("{who}이 안부 전화에 답하지 않으십니다", "{who} does not answer our calls"),
    "ringing": (
        "{who}의 생활 신호가 없어 지금 안부 전화를 드리고 있습니다",
        "we see no sign of life of {who}, and are ringing just now",
    ),
    "not_reached": ("{who}께 안부 전화가 연결되지 않습니다", "our calls to {who} do not get through"),
    "no_data": ("{who} 댁의 자료가 끊겨 안부를 알 수 없습니다", "we have no data of {who}"),
    "not_called": ("{who}의 생활 신호가 없어 안부를 확인하고 있습니다", "we see no sign of life of {who}"),
}
"""By how far the resident was asked (`response.draft.asked`)."""
_C = OutcomeCode
ASK_THE_OFFICE = ("확인을 마쳤습니다. 자세한 내용은 전화로 문의해 주십시오", "we have ended our check; please ring us")
GUARDIAN: dict[str, tuple[str, str]] = {
    "key": ("본인이 전화로 괜찮다고 알려 왔습니다", "they told us by telephone that they are well"),
    "call_back": ("본인이 전화로 괜찮다고 알려 왔습니다", "they told us by telephone that they are well"),
    "life": ("평소의 생활 신호가 다시 확인되었습니다", "signs of their usual life are seen again"),
    "absence": ("외출·입원 등으로 집을 비우신 것으로 등록되어 있습니다", "an absence from home is registered"),
    "data": ("끊겼던 자료가 다시 들어옵니다", "the data that was missing arrives again"),
    "withdrawn": ("안부 확인을 마칩니다", "we have ended our check"),
    _C.safe_answered: ("본인과 통화해 괜찮으신 것을 확인했습니다", "we have spoken to them and they are well"),
    _C.safe_visited: ("찾아뵙고 괜찮으신 것을 확인했습니다", "we have visited them and they are well"),
    _C.away_registered: ("외출·여행 중이신 것을 확인했습니다", "they are away from home"),
    _C.away_unregistered: ("외출·여행 중이신 것을 확인했습니다", "they are away from home"),
    _C.hospital: ("입원 중이신 것을 확인했습니다", "they are in hospital"),
    _C.phone_problem: ("전화에 문제가 있었던 것으로 확인했습니다", "it was a problem with the telephone"),
    _C.data_problem: ("전기 자료에 문제가 있었던 것으로 확인했습니다", "it was a problem with the meter's data"),
    _C.moved: ("이사하신 것을 확인했습니다", "they have moved"),
    _C.refused: ("뵈었으나 확인을 원하지 않으셨습니다", "we met them and they did not wish to be checked on"),
    _C.needs_service: ("뵙고, 필요한 도움을 알아보고 있습니다", "we have seen them and are arranging help"),
    _C.emergency_119: ASK_THE_OFFICE,
    _C.deceased: ASK_THE_OFFICE,
    _C.unreachable: ASK_THE_OFFICE,
}
"""How it ended: by outcome where a person gave one, else by how the case ended."""


def for_guardian(how: str, code: str) -> tuple[str, str]:
    """What a guardian reads; whatever has no words of its own: to ring us."""
    by_outcome, by_end = str(code), str(how)
    return GUARDIAN.get(by_outcome or by_end, ASK_THE_OFFICE)


def why_ring(asked: str, name: str) -> tuple[str, str]:
    """Why a guardian is asked to ring, with the resident's masked name where it is known."""
    ko, en = ASKED[asked]
    english = en.format(who=name or "your relative")
    return ko.format(who=f"{name} 님" if name else "가족분"), english[0].upper() + english[1:]

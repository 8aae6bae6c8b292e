"""What proves that somebody lives: over all kinds of phone events and all outcomes of cases, what ends an alert."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from models import levels
from models.slots import DATA, INCOMING, OWN
from stream.kinds import ANDROID, PHONE_CODES
from stream.outcomes import AWAY, GONE, PROOFS
from stream.records import KINDS, Alert, Kind, Outcome, OutcomeCode
from stream.watch import FREE
from tests.lives import DAY, T, head, household, lives, play, with_event

PROVES = {
    Kind.call_out: True,
    Kind.sms_out: True,
    Kind.call_answered: True,
    Kind.call_in: False,
    Kind.call_missed: False,
    Kind.sms_in: False,
    Kind.data: False,
    Kind.call_voicemail: False,
    Kind.call_forwarded: False,
    Kind.call_rejected: False,
    Kind.call_blocked: False,
    Kind.call_answered_elsewhere: False,
}
"""The rule, said once more by hand: a new kind has to be thought of here."""

_C = OutcomeCode
A_WORD = {
    _C.safe_answered: "a proof",
    _C.safe_visited: "a proof",
    _C.refused: "a proof",
    _C.needs_service: "a proof",
    _C.away_registered: "away",
    _C.away_unregistered: "away",
    _C.hospital: "away",
    _C.emergency_119: "away",
    _C.moved: "gone",
    _C.deceased: "gone",
    _C.phone_problem: "nothing",
    _C.data_problem: "nothing",
    _C.unreachable: "nothing",
}
"""What each outcome of a case says of the resident."""

LIFE = lives(homes=1, days=5, stop=2.5)
"""home-0 lies still from noon of the third day on."""
WHEN = T + int(4.4 * DAY)
"""In the fifth day, when it has long been alarmed."""
COUNTED = ("score", "meter", "phone", "silent", "life", "level")


def told(alerts: list[Alert]) -> list[tuple[object, ...]]:
    """What was said of home-0's silence."""
    return [(a.event, a.level, a.at, a.onset) for a in alerts if a.household_id == "home-0" and a.kind == "silence"]


@pytest.fixture(scope="module")
def without() -> tuple[list[tuple[object, ...]], list[int]]:
    """What is said when nothing comes, and what is counted."""
    alerts, partition = play(LIFE)
    kept = head(partition, "home-0")
    return told(alerts), [int(kept[f]) for f in COUNTED]


def test_every_kind_is_thought_of() -> None:
    """A kind added to the records has its place in the table."""
    assert set(PROVES) == set(Kind)
    assert {k: PHONE_CODES[KINDS.index(k)] == OWN for k in Kind} == PROVES
    assert {PHONE_CODES[KINDS.index(k)] for k in Kind if not PROVES[k]} == {INCOMING, DATA}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("seconds", [22.0, 3_600.0])
def test_only_proofs_end_an_alert_or_anything_that_is_counted(
    kind: Kind, seconds: float, without: tuple[list[tuple[object, ...]], list[int]]
) -> None:
    """An event of a proof's kind ends the alert in its slot; one of any other kind, however long the call, changes no
    level, no hour of silence and no evidence."""
    alerts, partition = play(with_event(LIFE, WHEN, kind, seconds))
    ended = [a for a in alerts if a.event == "cleared" and a.household_id == "home-0" and a.at.timestamp() > WHEN]
    assert bool(ended and ended[0].at.timestamp() < WHEN + 1800) == PROVES[kind]
    said, still = without
    if not PROVES[kind]:
        assert told(alerts) == said
        kept = head(partition, "home-0")
        assert [int(kept[f]) for f in COUNTED] == still


def test_a_call_that_voice_mail_takes_is_as_one_that_rings_out() -> None:
    """Somebody rings a still home every three hours: whoever took it, the same is told."""

    def rung(kind: Kind, seconds: float) -> list[tuple[object, ...]]:
        life = LIFE
        for hour in range(0, 36, 3):
            life = with_event(life, T + int(2.6 * DAY) + hour * 3600, kind, seconds)
        return told(play(life)[0])

    rings_out = rung(Kind.call_missed, 0)
    assert any(level == "caution" for _, level, *_ in rings_out)
    assert rung(Kind.call_in, 22) == rung(Kind.call_voicemail, 22) == rings_out


def test_every_outcome_is_thought_of() -> None:
    """Met or heard is a proof, away has an end, who moved or died is gone; all else says nothing of the resident."""
    assert {c: "a proof" if c in PROOFS else "away" if c in AWAY else "gone" if c in GONE else "nothing" for c in _C} \
        == A_WORD  # fmt: skip


@pytest.mark.parametrize("code", OutcomeCode)
def test_only_a_persons_word_of_the_resident_ends_an_alert(code: OutcomeCode) -> None:
    """After an outcome that says nothing of the resident the alert stands as high as before."""
    at = datetime.fromtimestamp(WHEN, UTC)
    outcome = Outcome(at, code, at, datetime.fromtimestamp(T + 5 * DAY, UTC))
    life = replace(LIFE, households=[household("home-0", outcomes=(outcome,))])
    now = head(play(life, end=WHEN + 3600)[1], "home-0")["level"]
    assert (now == levels.NONE) == (A_WORD[code] != "nothing")
    assert now in (levels.NONE, head(play(LIFE, end=WHEN + 3600)[1], "home-0")["level"])


def test_androids_numbers_never_become_a_proof_but_for_an_outgoing_call() -> None:
    """2 is outgoing; who or what took an incoming one its log does not say."""
    assert {number: kind.value for number, kind in ANDROID.items()} == {
        1: "call_in", 2: "call_out", 3: "call_missed", 4: "call_voicemail", 5: "call_rejected", 6: "call_blocked",
        7: "call_answered_elsewhere",
    }  # fmt: skip
    assert [number for number, kind in ANDROID.items() if PROVES[kind]] == [2]


def test_gone_for_ever_is_said_of_two_outcomes_only() -> None:
    """Nothing but a move or a death ends watching without an end."""
    assert {_C.moved, _C.deceased} == GONE
    assert FREE > 2**30

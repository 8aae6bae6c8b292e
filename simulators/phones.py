"""What the phone of a person living alone does: their own use, what comes in, and what it does by itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.people import Floats, Habits, Rng, is_awake, waking_hour
from stream.records import KINDS, Kind

CALL_OUT, CALL_ANSWERED, CALL_MISSED, SMS_OUT, SMS_IN, DATA = (
    KINDS.index(k) for k in (Kind.call_out, Kind.call_answered, Kind.call_missed, Kind.sms_out, Kind.sms_in, Kind.data)
)

_TOGETHER = {CALL_OUT: 2.0, SMS_OUT: 3.0}
_NEXT_HOURS, _LATER_HOURS, _LATER = 0.12, 3.0, 0.2
"""Own use does not come singly: calls and texts that belong together, on average, and hours between one and the next,
for a share of them longer. In real records of the same use a day there are so many more days without any."""
_ANSWERED, _ANSWER_HOURS = 0.85, 0.15
"""Chance that a text is answered, and hours until then. Of real texts that come in, four in five come within an hour
of own use, and are followed by more of it within an hour."""


@dataclass(frozen=True, slots=True)
class Phones:
    """n phones: mean number a day of each thing, (n,). ``answers``: chance that a call while awake is taken;
    ``returns``: chance that a missed call is called back; ``spam``, ``sms_in``: calls nobody takes and texts nobody
    asked for; ``own_data`` and ``background``: data sessions by the person and by the phone alone.

    KISA counted 11.6 unlawful texts a month and person in the first half of 2024, and fewer calls; as many texts of
    shops and offices are taken for granted.
    """

    call_out: Floats
    call_in: Floats
    answers: Floats
    returns: Floats
    spam: Floats
    sms_out: Floats
    sms_in: Floats
    own_data: Floats
    background: Floats


@dataclass(frozen=True, slots=True)
class PhoneDay:
    """k events of one day. ``home``: position of the household; ``second`` of the local day; ``kind``: position in
    ``KINDS``; ``background``: true where the phone acted by itself."""

    home: NDArray[np.int64]
    second: NDArray[np.int64]
    kind: NDArray[np.uint8]
    duration_s: NDArray[np.float32]
    background: NDArray[np.bool_]


def draw_phones(rng: Rng, n: int) -> Phones:
    """n phones. About a fifth of the people hardly phone; some have a phone without data."""
    hardly = rng.random(n) < 0.2
    scale = np.where(hardly, rng.uniform(0.05, 0.25, n), rng.lognormal(0, 0.8, n))
    smart = rng.random(n) < 0.8
    return Phones(
        call_out=np.clip(1.8 * scale, 0.1, 12),
        call_in=np.clip(1.2 * scale * rng.lognormal(0, 0.4, n), 0.1, 10),
        answers=rng.uniform(0.5, 0.95, n),
        returns=rng.uniform(0.1, 0.6, n),
        spam=rng.gamma(1.5, 0.07, n),
        sms_out=np.where(rng.random(n) < 0.6, 1.5 * scale * rng.lognormal(0, 0.6, n), 0.03),
        sms_in=rng.gamma(2.0, 0.4, n),
        own_data=np.where(smart, rng.gamma(2.0, 2.5, n) * np.sqrt(scale), 0.0),
        background=np.where(smart, rng.gamma(3.0, 1.5, n), 0.0),
    )


def phone_day(phones: Phones, habits: Habits, rng: Rng) -> PhoneDay:
    """One day of n phones, ordered by household and time."""
    texts = _own(phones.sms_out * habits.vigour, SMS_OUT, habits, rng)
    parts = [
        _own(phones.call_out * habits.vigour, CALL_OUT, habits, rng),
        texts,
        _answers(texts, rng),
        _own(phones.own_data, DATA, habits, rng),
        *_incoming(phones, habits, rng),
        _uniform(phones.sms_in, SMS_IN, (8, 21), rng),
        _uniform(phones.background, DATA, (0, 24), rng, background=True),
    ]
    home, second, kind, background = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((second, home))
    return PhoneDay(home[order], second[order], kind[order], _durations(kind[order], rng), background[order])


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8], NDArray[np.bool_]]


def _part(home: NDArray[np.int64], hour: Floats, kind: int | NDArray[np.uint8], background: bool = False) -> _Part:
    second = np.clip((hour * 3600).astype(np.int64), 0, 86_399)
    kinds = np.broadcast_to(np.asarray(kind, dtype=np.uint8), home.shape)
    return home, second, kinds, np.full(len(home), background)


def _homes(rate: Floats, rng: Rng) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(rate)), rng.poisson(rate))


def _own(rate: Floats, kind: int, habits: Habits, rng: Rng) -> _Part:
    """What the person does, at any waking hour, more in the middle of the waking day; calls and texts several
    together. ``rate`` (n,) counts them all."""
    together = _TOGETHER.get(kind, 1.0)
    home = _homes(rate / together, rng)
    hour = _waking(habits, home, rng.beta(1.5, 1.5, len(home)))
    many = rng.geometric(1 / together, len(home))
    first = np.cumsum(many) - many
    gap = rng.exponential(np.where(rng.random(many.sum()) < _LATER, _LATER_HOURS, _NEXT_HOURS))
    passed = np.cumsum(gap)
    home, at = np.repeat(home, many), np.repeat(hour - passed[first], many) + passed
    awake = at < np.minimum(habits.bed, 24)[home]
    awake[first] = True
    return _part(home[awake], at[awake], kind)


def _answers(texts: _Part, rng: Rng) -> _Part:
    """Texts that answer those of the person, soon after."""
    home, second, _, _ = texts
    hour = second / 3600 + rng.exponential(_ANSWER_HOURS, len(home))
    comes = (rng.random(len(home)) < _ANSWERED) & (hour < 24)
    return _part(home[comes], hour[comes], SMS_IN)


def _waking(habits: Habits, home: NDArray[np.int64], u: Floats) -> Floats:
    zero = np.zeros(0)
    of = Habits(habits.awake_until[home], habits.wake[home], habits.bed[home], zero, zero, zero, zero)
    return waking_hour(of, u[:, None])[:, 0]


def _incoming(phones: Phones, habits: Habits, rng: Rng) -> list[_Part]:
    """Calls that come in: taken when awake and willing, else missed, and some of those called back."""
    home = _homes(phones.call_in, rng)
    hour = 8.0 + 13.0 * rng.beta(1.4, 1.6, len(home))
    zero = np.zeros(0)
    of = Habits(habits.awake_until[home], habits.wake[home], habits.bed[home], zero, zero, zero, zero)
    taken = (rng.random(len(home)) < phones.answers[home]) & is_awake(of, hour[:, None])[:, 0]
    kinds = np.where(taken, CALL_ANSWERED, CALL_MISSED).astype(np.uint8)
    later = hour + rng.exponential(0.7, len(home))
    returned = ~taken & (rng.random(len(home)) < phones.returns[home]) & is_awake(of, later[:, None])[:, 0]
    returned &= later < 24
    return [
        _part(home, hour, kinds),
        _part(home[returned], later[returned], CALL_OUT),
        _uniform(phones.spam, CALL_MISSED, (9, 18), rng),
    ]


def _uniform(rate: Floats, kind: int, hours: tuple[float, float], rng: Rng, background: bool = False) -> _Part:
    home = _homes(rate, rng)
    return _part(home, rng.uniform(*hours, len(home)), kind, background)


def _durations(kind: NDArray[np.uint8], rng: Rng) -> NDArray[np.float32]:
    """Seconds of each event: calls that were held and data sessions last, the rest is 0."""
    talk = rng.lognormal(np.log(70), 1.0, len(kind))
    session = rng.lognormal(np.log(150), 1.0, len(kind))
    held = (kind == CALL_OUT) | (kind == CALL_ANSWERED)
    return np.round(np.where(held, talk, np.where(kind == DATA, session, 0.0))).astype(np.float32)

"""Answered calls of one length: what a carrier says that a person took may be its voice mail all the same.

A person's calls are of all lengths. Voice mail leaves its greeting and a click: many short calls of one home that last
the same to the second. They are no proof of life, and whoever sends them is told.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stream.columns import PhoneColumns
from stream.records import KINDS, Kind
from stream.suspicion.told import Suspicion

SHORT_S = 60
"""Calls of up to so many seconds are looked at."""
MANY, ONE_IN = 5, 3
"""So many of one length, give or take a second, and at least one in so many of the home's short ones, are too alike."""
LOOSELY_MANY, LOOSELY_SHARE = 8, 0.4
"""So many, and such a share, give or take two: a greeting that is cut off sooner or later."""
AROUND_S = 6
"""Calls of the home that last about as long, so many seconds apart, are the same machine's."""

_ANSWERED, _IN = KINDS.index(Kind.call_answered), KINDS.index(Kind.call_in)
_REMEDY = (
    f"생활의 증거로 쓰지 않았습니다. 음성 사서함이면 {Kind.call_voicemail}로 보내십시오 · not taken for a proof: "
    f"send {Kind.call_voicemail}, or {Kind.call_in} where it is not known who answered"
)


def as_notes(
    columns: PhoneColumns, code: NDArray[np.int64], names: list[str]
) -> tuple[PhoneColumns, list[Suspicion]]:
    """Events (n,) with those answered calls that are too much alike as ``call_in``, and what to say of their homes.

    ``code`` (n,): number of each event's home in ``names``.
    """
    short = (columns.kind == _ANSWERED) & (columns.duration_s <= SHORT_S)
    at = np.flatnonzero(short)
    homes, which = np.unique(code[at], return_inverse=True)
    seconds = np.rint(columns.duration_s[at]).astype(np.int64)
    often = np.zeros((len(homes), SHORT_S + 1), np.int64)
    np.add.at(often, (which, seconds), 1)
    total, near, loosely = often.sum(axis=1)[:, None], _around(often, 1), _around(often, 2)
    same = (near >= MANY) & (near * ONE_IN >= total)
    same |= (loosely >= LOOSELY_MANY) & (loosely >= LOOSELY_SHARE * total)
    alike = (_around(same.astype(np.int64), AROUND_S) > 0)[which, seconds]
    if not alike.any():
        return columns, []
    kind = columns.kind.copy()
    kind[at[alike]] = _IN
    many, of = np.bincount(which[alike], minlength=len(homes)), np.bincount(which, minlength=len(homes))
    return replace(columns, kind=kind), [
        Suspicion(
            names[homes[i]], "same_length", "받은 통화의 길이가 모두 같음 · answered calls of one length",
            f"of {of[i]:,} answered calls of up to {SHORT_S} s {many[i]:,} last about the same, as voice mail does",
            _REMEDY, False,
        )
        for i in np.flatnonzero(many).tolist()
    ]  # fmt: skip


def _around(counts: NDArray[np.int64], seconds: int) -> NDArray[np.int64]:
    """Sums over so many seconds before and after each."""
    wide = np.pad(counts, ((0, 0), (seconds, seconds)))
    return np.lib.stride_tricks.sliding_window_view(wide, 2 * seconds + 1, axis=1).sum(axis=-1)

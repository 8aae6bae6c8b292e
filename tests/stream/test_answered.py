"""Answered calls that all last the same: voice mail that a carrier calls a person."""

import numpy as np
import pyarrow as pa
import pytest

from stream import files, frames
from stream.answered import MANY, as_notes
from stream.columns import PhoneColumns
from stream.files import How
from stream.records import KINDS, Kind
from stream.sources import Source

T = 1_767_193_200
PEOPLE = (31, 8, 240, 52, 95, 17, 44, 180, 63, 26)
"""Seconds that a person's calls last."""


def calls(*seconds: float, home: str = "h", kind: Kind = Kind.call_answered) -> PhoneColumns:
    """Calls of one home, one an hour."""
    n = len(seconds)
    ids, at = pa.array([home] * n), T + 3600 * np.arange(n)
    return PhoneColumns(ids, at, np.full(n, KINDS.index(kind), np.uint8), np.array(seconds, np.float32))


def noted(*parts: PhoneColumns) -> tuple[list[bool], list[str]]:
    """Which calls are made notes, and the homes that are told of."""
    columns = frames.concat(parts)
    ids = columns.household_id.dictionary_encode()
    after, told = as_notes(columns, ids.indices.to_numpy().astype(np.int64), ids.dictionary.to_pylist())
    changed = after.kind != columns.kind
    assert {KINDS[k] for k in after.kind[changed]} <= {Kind.call_in}
    return changed.tolist(), [s.household for s in told]


def test_many_short_calls_of_one_length_are_no_proof() -> None:
    """Calls of 22 s, give or take one, are notes among those of other lengths."""
    made, told = noted(calls(22, 31, 22, 180, 22, 21, 22, 52, 23))
    assert made == [True, False, True, False, True, True, True, False, True]
    assert told == ["h"]


@pytest.mark.parametrize("low", [5, 15, 30, 50])
@pytest.mark.parametrize("spread", [5, 7, 10])
def test_a_machine_that_is_cut_off_sooner_or_later_proves_nothing_at_all(low: int, spread: int) -> None:
    """Not one call of it is left: one would be a life."""
    lengths = low + np.random.default_rng(1).integers(0, spread, 40)
    made, told = noted(calls(*lengths.tolist(), 180, 240))
    assert made == [True] * 40 + [False] * 2
    assert told == ["h"]


@pytest.mark.parametrize("seed", range(30))
def test_a_talkative_person_is_not_taken_for_a_machine(seed: int) -> None:
    """Forty answered calls, most of them short."""
    lengths = np.random.default_rng(seed).lognormal(3.6, 0.9, 40).clip(1, 3600)
    assert noted(calls(*lengths.tolist()))[1] == []


@pytest.mark.parametrize(
    "part",
    [
        calls(*PEOPLE, *PEOPLE[::-1]),
        calls(*[22.0] * (MANY - 1), 180),
        calls(*[240.0] * 20),
        calls(*[22.0] * 20, kind=Kind.call_in),
        calls(*[22.0] * 20, kind=Kind.call_out),
    ],
    ids=["a person's", "few", "long", "no proof anyway", "outgoing"],
)
def test_other_calls_go_on(part: PhoneColumns) -> None:
    """Lengths of a person, a few alike, long ones alike, and other kinds of events are left alone."""
    made, told = noted(part)
    assert not any(made)
    assert told == []


def test_homes_are_looked_at_one_by_one() -> None:
    """One length over many homes is chance; of one home it is a machine's."""
    made, told = noted(*(calls(22, home=f"h-{i}") for i in range(20)), calls(*[22.0] * 6, home="m"))
    assert made == [False] * 20 + [True] * 6
    assert told == ["m"]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_or_a_request_tells_it_and_goes_on(force: bool) -> None:
    """However it is read, forced or not, the calls are kept as notes and the home is named with what to do."""
    lines = ["household_id,timestamp,kind,duration_s"]
    lines += [f"h,2026-01-{d:02}T10:00:00Z,call_answered,{22 if d % 2 else 40 + 5 * d}" for d in range(1, 13)]
    batch = files.load(Source("body", "csv", "\n".join(lines).encode()), "phone", How("UTC", force=force))
    assert batch.bad == []
    assert [KINDS[k].value for k in batch.columns.kind] == ["call_in", "call_answered"] * 6
    [told] = batch.suspicions
    assert (told.household, told.what, told.blinds) == ("h", "same_length", False)
    assert "6" in told.evidence
    assert "call_voicemail" in told.remedy

"""A piece of a file from raw columns to rows that can be used: intervals told, rows checked, households looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stream import answered, cells, fine, frames, intervals, sources, suspicion
from stream.badrows import CODES, BadRows, joined
from stream.columns import MeterColumns
from stream.frames import Columns, Signal
from stream.kinds import PhoneKinds
from stream.records import QUALITIES, Quality, Reason
from stream.sources import Source
from stream.suspicion.refusals import shapeless
from stream.suspicion.rows import UNKNOWN, Refused, Rows
from stream.suspicion.told import MOST_LINES, Suspicion
from stream.validate import EARLIEST, LATEST, check_meter, check_phone

Mask = NDArray[np.bool_]
_MEASURED = QUALITIES.index(Quality.measured)
_TOO_FEW = "the interval cannot be told from so few readings: send a column minutes (15, 30 or 60)"


@dataclass(frozen=True, slots=True)
class How:
    """How to read a file. ``now`` (UTC seconds) bounds times from above. ``ends``: its times are the ends of intervals.
    ``force``: rows are used whatever is suspected of them. ``kinds``: whose kinds the phone's events have."""

    tz: str
    now: int | None = None
    ends: bool = False
    force: bool = False
    kinds: PhoneKinds = "names"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a piece of a file that can be used, its bad ones by line, and what is suspected of it."""

    columns: Any
    bad: BadRows
    suspicions: list[Suspicion] = field(default_factory=list)

    @property
    def held(self) -> int:
        """Rows that were not used because of a suspicion."""
        return sum(suspicion.held for suspicion in self.suspicions)


@dataclass(frozen=True, slots=True)
class Piece:
    """Cells of n rows, unchecked; the line of each; lines that are no row."""

    found: cells.Cells
    lines: NDArray[np.int64]
    bad: BadRows


def read(source: Source, wanted: Sequence[str], signal: Signal, how: How, rows: int, block: int) -> Iterator[Piece]:
    """Pieces of about ``rows`` rows, read ``block`` rows at a time."""
    convert = cells.meter_cells if signal == "meter" else partial(cells.phone_cells, kinds=how.kinds)
    parts: list[tuple[cells.Cells, NDArray[np.int64]]] = []
    bad: list[BadRows] = []
    for raw in sources.read(source, wanted, min(rows, block)):
        parts.append((convert(raw.columns, how.tz), raw.lines))
        bad.append(raw.bad)
        if sum(len(lines) for _, lines in parts) + sum(map(len, bad)) >= rows:
            yield _joined(parts, bad)
            parts, bad = [], []
    if parts:
        yield _joined(parts, bad)


def meter(piece: Piece, how: How) -> Batch:
    """Readings of a piece."""
    columns, (code, names) = piece.found.columns, _coded(piece.found.columns.household_id)
    step = _steps(columns, code, how.ends)
    start = columns.start - step if how.ends else columns.start
    whole = fine.whole_of(step)
    shifted = np.where((step > 0) & (whole != step) & (start % np.maximum(step, 1) == 0), start - start % 900, start)
    minutes = np.where(columns.minutes == cells.UNREADABLE, cells.UNREADABLE, whole // 60).astype(np.uint8)
    untold = cells.Saying(Reason.bad_interval, np.flatnonzero(minutes == 0), lambda row: _TOO_FEW)
    good, faults = check_meter(replace(columns, start=shifted, minutes=minutes), how.now)
    faults = replace(piece.found, said=[untold, *piece.found.said]).describe(faults)
    keep = _kept(len(columns), faults)
    good = replace(good, start=start[keep])
    measured = np.where(good.quality == _MEASURED, good.kwh, np.float32(np.nan))
    order = intervals.sorted_order(code[keep], good.start)
    rows = Rows(
        names, code[keep][order], good.start[order], step[keep][order], measured[order],
        _refused(piece, code, start, faults), how.tz, bool((columns.minutes != cells.UNSAID).all()),
        piece.found.to_midnight and not how.ends,
    )  # fmt: skip
    told = suspicion.judge(rows, suspicion.METER_RULES)
    use, told = _held(rows, told, piece.lines[keep], code[keep], how.force)
    good, more = _whole(good, code[keep], step[keep], use, names)
    return Batch(good, _by_line(piece, faults), told + more)


def phone(piece: Piece, how: How) -> Batch:
    """Events of a piece."""
    columns, (code, names) = piece.found.columns, _coded(piece.found.columns.household_id)
    good, faults = check_phone(columns, how.now)
    faults = piece.found.describe(faults)
    keep = _kept(len(columns), faults)
    order = intervals.sorted_order(code[keep], good.at)
    nothing = np.full(len(good), np.nan, np.float32)
    rows = Rows(
        names, code[keep][order], good.at[order], np.zeros(len(good), np.int64), nothing,
        _refused(piece, code, columns.at, faults), how.tz,
    )  # fmt: skip
    told = suspicion.judge(rows, suspicion.PHONE_RULES)
    use, told = _held(rows, told, piece.lines[keep], code[keep], how.force)
    good, alike = answered.as_notes(good, code[keep], names)
    return Batch(good if use.all() else frames.take(good, np.flatnonzero(use)), _by_line(piece, faults), told + alike)


def _steps(columns: MeterColumns, code: NDArray[np.int64], ends: bool) -> NDArray[np.int64]:
    """Seconds of each reading's interval: what the file says, else the step to the next; 0 where neither tells."""
    step = columns.minutes.astype(np.int64) * 60
    step[columns.minutes == cells.UNREADABLE] = 0
    unsaid = columns.minutes == cells.UNSAID
    if unsaid.any():
        usable = np.flatnonzero((code != UNKNOWN) & (columns.start >= EARLIEST) & (columns.start <= LATEST))
        time = columns.start[usable]
        own = np.zeros(len(step), np.int64)
        own[usable] = intervals.steps(code[usable], -time if ends else time)
        step[unsaid] = own[unsaid]
    return step


def _whole(
    good: MeterColumns, code: NDArray[np.int64], step: NDArray[np.int64], use: Mask, names: list[str]
) -> tuple[MeterColumns, list[Suspicion]]:
    """The rows to use, those of short intervals summed to whole ones."""
    short = ~np.isin(step, fine.WHOLE)
    if not (short & use).any():
        return (good if use.all() else frames.take(good, np.flatnonzero(use))), []
    at, rest = np.flatnonzero(short & use), np.flatnonzero(~short & use)
    made = fine.summed(frames.take(good, at), code[at], step[at])
    first = np.concatenate([rest, at[made.first]])
    joined = frames.concat([frames.take(good, rest), made.columns]) if len(rest) else made.columns
    lacking = np.bincount(code[at[made.first]], made.lacking, len(names)).astype(np.int64)
    sums = np.bincount(code[at[made.first]], minlength=len(names))
    told = [
        Suspicion(
            names[i], "parts_missing", "짧은 구간의 일부가 빠짐 · parts of intervals are missing",
            f"of {sums[i]:,} sums of shorter readings {lacking[i]:,} lack a part and count as missing",
            "빠진 값을 보내십시오 · send the whole interval in one file or request", False,
        )
        for i in np.flatnonzero(lacking).tolist()
    ]  # fmt: skip
    return frames.take(joined, np.argsort(first, kind="stable")), told


def _held(
    rows: Rows, told: list[Suspicion], lines: NDArray[np.int64], code: NDArray[np.int64], force: bool
) -> tuple[Mask, list[Suspicion]]:
    """Which good rows to use: none of a household that would be hidden, none of a file that is not what it seems.

    And the suspicions, with the rows they held back; the first of a household counts them.
    """
    use = np.ones(len(code), np.bool_)
    if force:
        return use, told
    everything = shapeless(rows)
    number = {name: i for i, name in enumerate(rows.names)}
    counted = []
    for one in told:
        hold = np.zeros(len(code), np.bool_)
        if one.blinds and one.household:
            hold = use & (code == number[one.household])
        elif one.blinds and everything:
            hold = use.copy()
        use &= ~hold
        first = tuple(lines[hold][:MOST_LINES].tolist())
        counted.append(replace(one, held=int(hold.sum()), lines=first) if first else one)
    return use, counted


def _refused(piece: Piece, code: NDArray[np.int64], time: NDArray[np.int64], faults: BadRows) -> Refused:
    """The refused rows but for those of the future, by household."""
    some = faults.code != CODES[Reason.future]
    at, reason = faults.at[some], faults.code[some]
    home = np.where(reason == CODES[Reason.bad_household], UNKNOWN, code[at])
    when = np.where((time[at] >= EARLIEST) & (time[at] <= LATEST), time[at], UNKNOWN)
    unknown = np.full(len(piece.bad), UNKNOWN)
    home, when = np.concatenate([home, unknown]), np.concatenate([when, unknown])
    order = np.argsort(home, kind="stable")
    return Refused(home[order], when[order], np.concatenate([reason, piece.bad.code])[order])


def _coded(ids: pa.DictionaryArray) -> tuple[NDArray[np.int64], list[str]]:
    """Number of each row's household, ``UNKNOWN`` of none, and their names."""
    again = ids.dictionary.dictionary_encode()
    known = np.append(again.indices.cast(pa.int64()).fill_null(UNKNOWN).to_numpy(), UNKNOWN)
    return known[ids.indices.cast(pa.int64()).fill_null(len(known) - 1).to_numpy()], again.dictionary.to_pylist()


def _kept(count: int, faults: BadRows) -> Mask:
    keep = np.ones(count, np.bool_)
    keep[faults.at] = False
    return keep


def _joined(parts: list[tuple[cells.Cells, NDArray[np.int64]]], bad: list[BadRows]) -> Piece:
    words: cells.Said = []
    at = 0
    for found, lines in parts:
        words += [one.behind(at) for one in found.said]
        at += len(lines)
    columns: Columns = frames.concat([found.columns for found, _ in parts])
    to_midnight = any(found.to_midnight for found, _ in parts)
    return Piece(cells.Cells(columns, words, to_midnight), np.concatenate([lines for _, lines in parts]), joined(bad))


def _by_line(piece: Piece, faults: BadRows) -> BadRows:
    """Faults of cells and of lines, by line."""
    return joined([piece.bad, faults.moved(piece.lines[faults.at])])

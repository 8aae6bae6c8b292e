"""Slow drifts told as alerts: a decline or a reversal begins at the midnight that shows it, and ends."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models import decline, reasons
from models.slots import SLOTS_PER_DAY
from stream.alerts import Writer
from stream.block import Block
from stream.life import Step
from stream.records import Alert


def changes(writer: Writer, block: Block, step: Step) -> Iterator[Alert]:
    """Alerts on drifts that the day ending with this slot raised or cleared."""
    if step.drift is None:
        return
    rows, kinds, before = step.drift
    for row, kind, age in zip(rows.tolist(), kinds.tolist(), decline.age(before).tolist(), strict=True):
        if decline.standing(block.habit["drift"]["course"][row, kind]):
            yield writer.drift("raised", block, row, kind, step.slot + 1, step.slot, why(block, row, kind))
        else:
            yield _ended(writer, block, row, kind, age + 1, step.slot)


def mended(
    writer: Writer, block: Block, rows: NDArray[np.int64], before: NDArray[np.void], slot: int
) -> Iterator[Alert]:
    """Alerts on drifts that late data ended, moved or brought about; ``before``: drifts of ``rows`` before it."""
    now = block.habit["drift"]["course"][rows]
    old = before["course"]
    same = decline.standing(old) & decline.standing(now) & (old == now)
    late: list[reasons.Reason] = [("late_data", {})]
    for i, kind in np.argwhere((decline.standing(old) | decline.standing(now)) & ~same).tolist():
        row = int(rows[i])
        if decline.standing(old[i, kind]):
            raised = _midnight(writer, slot, int(decline.age(old[i, kind])))
            yield writer.drift("cleared", block, row, kind, raised, slot, late)
        if decline.standing(now[i, kind]):
            raised = _midnight(writer, slot, int(decline.age(now[i, kind])))
            yield writer.drift("raised", block, row, kind, raised, slot, [*late, *why(block, row, kind)])


def withdrawn(writer: Writer, block: Block, row: int, slot: int) -> Iterator[Alert]:
    """Alerts on drifts of a household whose consent was withdrawn, ended."""
    for kind in (decline.DECLINE, decline.REVERSAL):
        course = block.habit["drift"]["course"][row, kind]
        if decline.standing(course):
            raised = _midnight(writer, slot, int(decline.age(course)))
            yield writer.drift("cleared", block, row, kind, raised, slot, [("withdrawn", {})])


def why(block: Block, row: int, kind: int) -> list[reasons.Reason]:
    """What has drifted, from where to where."""
    drift = block.habit["drift"][row : row + 1]
    named, rest = decline.dropped(drift)[:, 0].tolist(), decline.left(drift)[:, 0].tolist()
    usual, now = decline.typical(drift)[:, :, 0].tolist()
    if kind == decline.REVERSAL:
        night = decline.NIGHT
        return [("night_more", {"usual": round(100 * usual[night]), "now": round(100 * now[night])})]
    found: list[reasons.Reason] = []
    for signal, code in ((decline.USE, "use_less"), (decline.RHYTHM, "rhythm_less")):
        if named[signal]:
            found.append((code, {"percent": round(100 * (1 - rest[signal]))}))
    if named[decline.PHONE]:
        found.append(("phone_less", {"usual": _times(usual[decline.PHONE]), "now": _times(now[decline.PHONE])}))
    return found


def _ended(writer: Writer, block: Block, row: int, kind: int, days: int, slot: int) -> Alert:
    raised = slot + 1 - days * SLOTS_PER_DAY
    over = "drift_over" if days >= decline.MONTH else "drift_back"
    return writer.drift("cleared", block, row, kind, raised, slot, [(over, {})])


def _midnight(writer: Writer, slot: int, days: int) -> int:
    """The midnight ``days`` days before the last one at the end of ``slot``."""
    return writer.life.calendar.day_start(slot + 1) - days * SLOTS_PER_DAY


def _times(count: float) -> float:
    return round(count, 1) if count < 10 else round(count)

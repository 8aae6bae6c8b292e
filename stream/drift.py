"""Slow drifts told as alerts: a decline or a reversal begins at a midnight and ends.

What takes weeks may wait a week more: drifts are learned of days that nothing can change any more, so late data never
has to take one back.
"""

from collections.abc import Iterator

from models import decline, reasons
from models.slots import SLOTS_PER_DAY
from stream.alerts import Writer
from stream.block import Block
from stream.life import Step
from stream.records import Alert


def changes(writer: Writer, block: Block, step: Step, slot: int) -> Iterator[Alert]:
    """Alerts, at the end of ``slot``, on drifts that the settled day ending with ``step`` raised or cleared."""
    if step.drift is None:
        return
    rows, kinds, before = step.drift
    for row, kind, age in zip(rows.tolist(), kinds.tolist(), decline.age(before).tolist(), strict=True):
        if decline.standing(block.drift["course"][row, kind]):
            yield writer.drift("raised", block, row, kind, step.slot + 1, slot, why(block, row, kind))
        else:
            over = "drift_over" if age + 1 >= decline.MONTH else "drift_back"
            raised = step.slot + 1 - (age + 1) * SLOTS_PER_DAY
            yield writer.drift("cleared", block, row, kind, raised, slot, [(over, {})])


def withdrawn(writer: Writer, block: Block, row: int, settled: int, slot: int) -> Iterator[Alert]:
    """Alerts on drifts of a household whose consent was withdrawn, ended; ``settled``: the ring's first slot."""
    for kind in (decline.DECLINE, decline.REVERSAL):
        course = block.drift["course"][row, kind]
        if decline.standing(course):
            raised = settled - int(decline.age(course)) * SLOTS_PER_DAY
            yield writer.drift("cleared", block, row, kind, raised, slot, [("withdrawn", {})])


def resumed(writer: Writer, block: Block, row: int, settled: int, slot: int) -> Iterator[Alert]:
    """Alerts on drifts that stand of a household that is watched again, raised anew; ``settled``: as in `withdrawn`."""
    for kind in (decline.DECLINE, decline.REVERSAL):
        course = block.drift["course"][row, kind]
        if decline.standing(course):
            raised = settled - int(decline.age(course)) * SLOTS_PER_DAY
            yield writer.drift("raised", block, row, kind, raised, slot, why(block, row, kind))


def why(block: Block, row: int, kind: int) -> list[reasons.Reason]:
    """What has drifted, from where to where."""
    drift = block.drift[row : row + 1]
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


def _times(count: float) -> float:
    return round(count, 1) if count < 10 else round(count)

"""A look at each household of a file: rows that each pass their check and together cannot be the use of a home.

``judge`` is pure: arrays in, suspicions out. What would blind the detector is not used unless that is forced; what
only looks odd is told. Every rule waits for enough evidence: an hour of one home, as it is streamed, is never
suspected, nor is a home that is new, vacant or steady refused.
"""

from collections.abc import Callable

from stream.suspicion import refusals, register, spacing, values
from stream.suspicion.rows import Refused, Rows
from stream.suspicion.told import Suspicion

__all__ = ["METER_RULES", "PHONE_RULES", "Refused", "Rows", "Suspicion", "judge"]

Rule = Callable[[Rows], list[Suspicion]]

METER_RULES: tuple[Rule, ...] = (
    refusals.refused,  # a large share of the rows, or the same hours of every day
    register.registers,  # only rises, or falls to about nothing once a day
    register.hourly_registers,  # the same within each hour
    values.too_much,  # watt hours, a house's meter
    values.several_a_slot,  # two meters under one id
    spacing.misread,  # minutes that the times contradict
    spacing.changing,  # 15 minutes, then 30
    spacing.nights,  # nothing from 00 to 06
    spacing.ends,  # 24:00
    values.unchanging,  # one value for days
)
PHONE_RULES: tuple[Rule, ...] = (refusals.refused,)


def judge(rows: Rows, rules: tuple[Rule, ...]) -> list[Suspicion]:
    """All that is suspected, each thing of a household once."""
    found: dict[tuple[str, str], Suspicion] = {}
    for rule in rules if len(rows.code) else (refusals.refused,):
        for suspicion in rule(rows):
            found.setdefault(suspicion.key, suspicion)
    return list(found.values())

"""The settings that judging needs, in slots and in the words of `models`."""

from dataclasses import dataclass

from models.judge import Model
from models.levels import Thresholds
from models.slots import SLOTS_PER_HOUR
from stream.model import read, shipped
from stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Rules:
    """What a city can set about judging. Slots are 15 minutes."""

    thresholds: Thresholds
    gap_slots: int
    person_slots: int
    model: Model | None
    area_share: float
    area_end_share: float
    area_members: int
    wait_slots: int
    warned: tuple[float, float]
    """What limits are multiplied by under a warning of heat or cold of level 1 and of level 2."""
    grace_s: float = 0.0
    """So long what was kept of a household is set aside after consent was withdrawn."""

    @classmethod
    def of(cls, s: Settings, learned: bool = True) -> "Rules":
        """Rules from the settings; not ``learned``: without a model, which then need not be there."""
        return cls(
            Thresholds(
                s.levels.attention_days,
                s.levels.caution_days,
                s.levels.serious_days,
                (s.limits.normal_hours, s.limits.elevated_hours, s.limits.high_hours),
                min(s.limits.warning_factor, s.limits.alert_factor),
            ),
            round(s.gaps.attention_hours * SLOTS_PER_HOUR),
            round(s.gaps.person_hours * SLOTS_PER_HOUR),
            _model(s) if learned else None,
            s.areas.share,
            s.areas.end_share,
            s.areas.members,
            round(s.wait_minutes / 15),
            (s.limits.warning_factor, s.limits.alert_factor),
            s.withdrawal_hours * 3600,
        )


def _model(s: Settings) -> Model:
    return shipped() if s.model is None else read(s.model)

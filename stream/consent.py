"""Consent and its withdrawal: what a household's record says beside what is known of an earlier one. Pure.

Stream and response read the same records and ask here, so that both stop, undo and delete by one meaning. Records are
compared by the times that they bear, as none of them can be trusted to come in order, or once: a withdrawal ends the
consent that began by then, and is undone by a consent that began later alone. An old file brings nobody back.

What is kept is deleted a grace period after a withdrawal was *received*: its own time is its sender's word, and one
message with a time long past must not delete a person for good.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

from stream.records import Household, Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SKEW = timedelta(hours=1)
"""So much a sender's clock may be ahead of ours."""


class Word(StrEnum):
    """What a record says."""

    holds = "holds"
    """Consent holds, as it did."""
    ends = "ends"
    """It ends now."""
    repeats = "repeats"
    """It ended before; that is said once more, and neither lengthens nor shortens anything."""
    anew = "anew"
    """It was given anew since it ended."""
    old = "old"
    """A record of before consent ended: it undoes nothing."""


class Ended(Protocol):
    """What is known of a household's last withdrawal: when consent ended, and whether it was given anew since."""

    @property
    def said(self) -> datetime:
        """The ``withdrawn`` of its record."""

    @property
    def at(self) -> datetime:
        """Consent that began by then has ended."""

    @property
    def anew(self) -> bool:
        """Whether it was given anew since."""


def word(record: Household, last: Ended | None, now: datetime) -> Word:
    """What a record says to whoever knows of the ``last`` withdrawal of this household (None: of none)."""
    if record.withdrawn is None:
        if last is None or last.anew:
            return Word.holds
        return Word.anew if _aware(record.since) > last.at else Word.old
    # Once consent was given anew, only the very record that is answered by that is a repetition: whoever withdraws
    # again, with whatever time, is obeyed.
    if last is not None and (not last.anew or _aware(record.withdrawn) == last.said):
        return Word.repeats
    return Word.ends


def ended_at(record: Household, now: datetime, known_since: datetime | None = None) -> datetime:
    """When the consent ended that a withdrawal speaks of: not before it began (``known_since``), never in the future,
    so that no record can keep consent from being given anew."""
    return min(max(said(record), _aware(record.since), known_since or EPOCH, EPOCH), now)


def said(record: Household) -> datetime:
    """The time that a withdrawal's record bears."""
    assert record.withdrawn is not None
    return _aware(record.withdrawn)


def said_again(old: Household, ended: datetime) -> Household:
    """A record of before a withdrawal, as it is to stand on the topic: with its terms, and the withdrawal."""
    return msgspec.structs.replace(old, withdrawn=ended)


def deleted(household_id: str, at: datetime) -> Household:
    """The withdrawal that a record's deletion from the topic (at ``at``, by the broker) is."""
    return Household(household_id, at, withdrawn=at)


def given_anew(record: Household, ended: datetime, now: datetime) -> Household:
    """A household's record with consent from now on, which is after it had ended whatever our clocks say."""
    return msgspec.structs.replace(record, since=max(now, ended + timedelta(seconds=1)), withdrawn=None)


def fault_of(record: Household, now: datetime) -> tuple[Reason, str] | None:
    """Why a withdrawal is refused, in one line, or None: only where it has not come yet."""
    if record.withdrawn is None or _aware(record.withdrawn) <= now + SKEW:
        return None
    return Reason.future, (
        f"withdrawn is {record.withdrawn.isoformat()}, which has not come: send it when consent has ended, or without "
        "a future time now; until then the household is watched on"
    )


def old_line(at: datetime) -> str:
    """Why a record of before a withdrawal is refused, in one line."""
    return (
        f"consent was withdrawn at {at.isoformat(timespec='seconds')}: a record that gives it anew has a later `since` "
        "(`anbu withdrawal undo`)"
    )


def _aware(time: datetime) -> datetime:
    """A withdrawal is never refused for a zone that is missing."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)

"""Who withdrew consent, in one partition: what was kept of them, set aside, until it is deleted for good.

Nothing that judges, counts or writes sees what is set aside. Once it is deleted there stays that, and when, consent
ended, by a hash of the household's id: an old record must not bring it back.
"""

import hashlib
import math
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from stream import consent
from stream.aside import Aside
from stream.consent import Word
from stream.records import Household

Key = bytes


class Left(Struct, frozen=True, array_like=True):
    """One withdrawal. ``until``: the wall clock (UTC seconds) at which ``aside`` is deleted; ``given``: whether consent
    was given anew since."""

    ended: float
    until: float
    given: bool = False
    aside: Aside | None = None
    said_at: float = 0.0

    @property
    def said(self) -> datetime:
        """The time its record bore."""
        return datetime.fromtimestamp(self.said_at, UTC)

    @property
    def at(self) -> datetime:
        """When consent ended."""
        return datetime.fromtimestamp(self.ended, UTC)

    @property
    def anew(self) -> bool:
        """Whether it was given anew."""
        return self.given


class Leavers:
    """Withdrawals of a partition's households, by a hash of the id. ``dirty``: those changed since last stored."""

    def __init__(self, grace_s: float) -> None:
        self.grace_s = grace_s
        self.left: dict[Key, Left] = {}
        self.dirty: set[Key] = set()
        self._due = math.inf

    def word(self, record: Household, now: float) -> Word:
        """What a record says, heard at ``now``."""
        return consent.word(record, self.left.get(key_of(record.household_id)), moment(now))

    def at(self, household_id: str) -> datetime:
        """When consent of a household ended that has left."""
        return self.left[key_of(household_id)].at

    def leaves(self, record: Household, since: datetime | None, aside: Aside | None, now: float) -> None:
        """Consent ended. ``since``: when it had begun, as far as is known; ``aside``: what is kept, if anything."""
        ended = consent.ended_at(record, moment(now), since).timestamp()
        kept = aside if self.grace_s > 0 and math.isfinite(now) else None
        said = max(consent.said(record), consent.EPOCH).timestamp()
        self._put(key_of(record.household_id), Left(ended, now + self.grace_s, aside=kept, said_at=said))

    def returns(self, household_id: str, now: float) -> Aside | None:
        """Consent was given anew, heard at ``now``: what had been set aside; None where nothing is left of it."""
        key = key_of(household_id)
        left = self.left[key]
        self._put(key, msgspec.structs.replace(left, given=True, aside=None))
        return left.aside if now < left.until else None

    def forget(self, now: float) -> int:
        """Delete what was set aside where its time is over; of how many."""
        if now < self._due:
            return 0
        over = [key for key, left in self.left.items() if left.aside is not None and left.until <= now]
        for key in over:
            self._put(key, msgspec.structs.replace(self.left[key], aside=None))
        self._due = min((left.until for left in self.left.values() if left.aside is not None), default=math.inf)
        return len(over)

    def restored(self, key: Key, left: Left) -> None:
        """One was read from the changelog."""
        self._put(key, left)
        self.dirty.discard(key)

    def _put(self, key: Key, left: Left) -> None:
        self.left[key] = left
        self.dirty.add(key)
        if left.aside is not None:
            self._due = min(self._due, left.until)


def key_of(household_id: str) -> Key:
    """By what a household that left is known."""
    return hashlib.blake2b(household_id.encode(), digest_size=16).hexdigest().encode()


def moment(now: float) -> datetime:
    """A wall clock's seconds as a time; those without an end (nobody lives to see it) are the last there is."""
    return datetime.fromtimestamp(now, UTC) if math.isfinite(now) else datetime.max.replace(tzinfo=UTC)

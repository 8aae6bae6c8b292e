"""What is wrong with a household's record beyond its types: it must not stop the worker that stores it."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from stream import plain
from stream.ids import reserved
from stream.members import Members
from stream.outcomes import MUST_END, latest, most_days
from stream.records import Household, Outcome, Reason
from stream.validate import EARLIEST, FUTURE_S, LATEST, valid_ids

MAX_ABSENCES = 100
MAX_OUTCOMES = 100
MOST_AHEAD = timedelta(days=366)
"""No time of a record is further ahead: an absence until 2206 was meant for 2026, and nobody would look until then."""
MOST_BEFORE = timedelta(days=366)
"""An outcome explains nothing that was longer before it was found."""
Fault = tuple[Reason, str]


def fault_of(record: Household, now: float | None = None) -> Fault | None:
    """Why a record cannot be used, in one line, or None. A withdrawal is never refused for what else is in it.

    ``now``: UTC seconds; None: whenever that was, as of a history that is judged.
    """
    if record.withdrawn is not None:
        return None
    if reserved(record.household_id):
        return Reason.bad_household, "household_id is a word that logs keep for the system: give the home another"
    times = {"since": record.since, "risk_since": record.risk_since}
    for i, absence in enumerate(record.absences):
        times |= {f"absences[{i}].from": absence.from_, f"absences[{i}].until": absence.until}
    for name, time in times.items():
        if time is not None and (wrong := time_fault(name, time, now)) is not None:
            return wrong
    for i, outcome in enumerate(record.outcomes):
        if (wrong := outcome_fault(f"outcomes[{i}]", outcome, now)) is not None:
            return wrong
    if len(record.outcomes) > MAX_OUTCOMES:
        return Reason.wrong_type, f"{len(record.outcomes)} outcomes: send at most {MAX_OUTCOMES}, leave old ones out"
    if len(record.absences) > MAX_ABSENCES:
        return Reason.wrong_type, f"{len(record.absences)} absences: send at most {MAX_ABSENCES}, leave old ones out"
    for name, text in (("area", record.area), ("dong", record.dong)):
        if (hidden := plain.name_fault(text)) is not None:
            return Reason.wrong_type, f"{name} {hidden[1]}"
    for name, feed in (("meter", record.feeds.meter), ("phone", record.feeds.phone)):
        if feed is not None and not valid_ids(pa.array([feed], pa.string()))[0]:
            return Reason.wrong_type, f"feeds.{name} is {feed[: plain.NAME]!r}: send 1 to 64 of A-Z a-z 0-9 . _ : -"
    return None


def admit(record: Household, members: Members) -> Fault | None:
    """Number the feeds of a record; or say why it cannot be watched: its partition cannot know more feeds."""
    if record.withdrawn is not None:
        return None
    feeds = members.feeds
    for name in filter(None, (record.feeds.meter, record.feeds.phone)):
        if not feeds.number(name):
            return Reason.wrong_type, f"feed {name}: this partition knows {len(feeds.names) - 1} feeds, no more fit"
    return None


def outcome_fault(name: str, outcome: Outcome, now: float | None) -> Fault | None:
    """Why an outcome cannot be used, in one line that calls it ``name``, or None. ``now`` as of `fault_of`."""
    at, from_, until = outcome.at, outcome.from_, outcome.until
    for part, time in (("at", at), ("from", from_), ("until", until)):
        if time is not None and (wrong := time_fault(f"{name}.{part}", time, now)) is not None:
            return wrong
    if now is not None and at.timestamp() > now + FUTURE_S:
        return Reason.future, f"{name}.at {at.isoformat()} is ahead of our clock: nobody has found that out yet"
    if from_ is not None and from_ < at - MOST_BEFORE:
        return Reason.bad_time, f"{name}.from {from_.isoformat()} is over {MOST_BEFORE.days} days before it was found"
    if until is None:
        if outcome.code in MUST_END:
            return Reason.bad_time, f"{name} is {outcome.code} without an end: send until"
    elif until <= (begin := from_ or at):
        return Reason.bad_time, f"{name}.until {until.isoformat()} is not after {begin.isoformat()}"
    elif until > latest(outcome.code, at):
        most = f"{outcome.code} holds for {most_days(outcome.code)} days at most"
        return Reason.bad_time, f"{name}.until is {until.isoformat()}: {most}"
    return None


def time_fault(name: str, time: datetime, now: float | None = None) -> Fault | None:
    """What is wrong with a record's time, in one line, or None. ``now`` (UTC seconds): it is not far ahead of it."""
    if time.tzinfo is None:
        return Reason.bad_time, f"{name} {time.isoformat()} has no time zone: send one, such as +09:00 or Z"
    if not EARLIEST <= time.timestamp() <= LATEST:
        return Reason.bad_time, f"{name} is {time.isoformat()}: send a time between 2000 and 2200"
    if now is not None and time.timestamp() > now + MOST_AHEAD.total_seconds():
        last = datetime.fromtimestamp(now, UTC) + MOST_AHEAD
        return Reason.bad_time, f"{name} is {time.isoformat()}: send a time before {last:%Y-%m-%d}, a year ahead"
    return None

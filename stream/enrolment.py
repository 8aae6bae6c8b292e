"""What is wrong with a household's record beyond its types: it must not stop the worker that stores it."""

from datetime import datetime

import pyarrow as pa

from stream.members import Members
from stream.outcomes import MUST_END
from stream.records import Household, Outcome, Reason
from stream.validate import EARLIEST, LATEST, valid_ids

MAX_NAME = 64
"""Characters of the name of an area or a dong."""
MAX_ABSENCES = 100
MAX_OUTCOMES = 100
Fault = tuple[Reason, str]


def fault_of(record: Household) -> Fault | None:
    """Why a record cannot be used, in one line, or None. A withdrawal is never refused for what else is in it."""
    if record.withdrawn is not None:
        return None
    times = {"since": record.since, "risk_since": record.risk_since}
    for i, absence in enumerate(record.absences):
        times |= {f"absences[{i}].from": absence.from_, f"absences[{i}].until": absence.until}
    for name, time in times.items():
        if time is not None and (wrong := time_fault(name, time)) is not None:
            return wrong
    for i, outcome in enumerate(record.outcomes):
        if (wrong := _outcome_fault(f"outcomes[{i}]", outcome)) is not None:
            return wrong
    if len(record.outcomes) > MAX_OUTCOMES:
        return Reason.wrong_type, f"{len(record.outcomes)} outcomes: send at most {MAX_OUTCOMES}, leave old ones out"
    if len(record.absences) > MAX_ABSENCES:
        return Reason.wrong_type, f"{len(record.absences)} absences: send at most {MAX_ABSENCES}, leave old ones out"
    for name, text in (("area", record.area), ("dong", record.dong)):
        if len(text) > MAX_NAME:
            return Reason.wrong_type, f"{name} has {len(text)} characters: send at most {MAX_NAME}"
    for name, feed in (("meter", record.feeds.meter), ("phone", record.feeds.phone)):
        if feed is not None and not valid_ids(pa.array([feed], pa.string()))[0]:
            return Reason.wrong_type, f"feeds.{name} is {feed[:MAX_NAME]!r}: send 1 to 64 of A-Z a-z 0-9 . _ : -"
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


def _outcome_fault(name: str, outcome: Outcome) -> Fault | None:
    for part, time in (("at", outcome.at), ("from", outcome.from_), ("until", outcome.until)):
        if time is not None and (wrong := time_fault(f"{name}.{part}", time)) is not None:
            return wrong
    if outcome.until is None:
        if outcome.code in MUST_END:
            return Reason.bad_time, f"{name} is {outcome.code} without an end: send until"
    elif outcome.until <= (begin := outcome.from_ or outcome.at):
        return Reason.bad_time, f"{name}.until {outcome.until.isoformat()} is not after {begin.isoformat()}"
    return None


def time_fault(name: str, time: datetime) -> Fault | None:
    """What is wrong with a record's time, in one line, or None."""
    if time.tzinfo is None:
        return Reason.bad_time, f"{name} {time.isoformat()} has no time zone: send one, such as +09:00 or Z"
    if not EARLIEST <= time.timestamp() <= LATEST:
        return Reason.bad_time, f"{name} is {time.isoformat()}: send a time between 2000 and 2200"
    return None

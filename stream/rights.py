"""Who may do what at the broker: one table. ``stream/acls.py`` makes it so, docs/topics.md shows it.

A role may do nothing that is not here. Making, deleting and altering topics, and giving rights, is the admin's alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from stream.records import ALERTS, DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, WIDE, WIDE_STATE
from stream.settings import Settings

Role = Literal["worker", "http", "response", "operator", "admin"]
Operation = Literal["READ", "WRITE", "DESCRIBE_CONFIGS"]
Kind = Literal["TOPIC", "GROUP", "TRANSACTIONAL_ID"]

Operations = tuple[Operation, ...]

_READ: Operations = ("READ",)
_WRITE: Operations = ("WRITE",)
_BOTH: Operations = ("READ", "WRITE")

TOPICS: Mapping[Role, Mapping[str, Operations]] = {
    # Writes to the inputs what was sent to another partition than its own (stream/lane.py).
    "worker": {
        METER: _BOTH, PHONE: _BOTH, HOUSEHOLDS: _BOTH, ALERTS: _WRITE, DEAD_LETTERS: _WRITE,
        STATE: _BOTH, WIDE: _BOTH, WIDE_STATE: _BOTH,
    },
    # Reachable from outside: whoever takes it over can send readings, and read or delete nobody.
    "http": {METER: _WRITE, PHONE: _WRITE},
    # Writes outcomes into the households' records.
    "response": {HOUSEHOLDS: _BOTH, ALERTS: _READ, DEAD_LETTERS: _WRITE},
    # Files of readings, enrolments and warnings; a replay waits for what comes of them.
    "operator": {
        METER: _WRITE, PHONE: _WRITE, HOUSEHOLDS: _WRITE, ALERTS: _READ, DEAD_LETTERS: _READ,
        WIDE: _READ, WIDE_STATE: _READ,
    },
}  # fmt: skip
CHECKS_TOPICS: tuple[Role, ...] = ("worker",)
"""Start only on topics that are as they should be: may look at the configuration of all of theirs."""
OURS_TO_WRITE = frozenset({HOUSEHOLDS, ALERTS, DEAD_LETTERS, STATE, WIDE, WIDE_STATE})
"""Nobody but the roles above writes here: one forged record would delete a person, or raise or end an alarm. A sender
may be given its own input."""


@dataclass(frozen=True, slots=True)
class Right:
    """A user may do this with one resource, or (``prefixed``) with all whose names begin so."""

    user: str
    kind: Kind
    name: str
    operation: Operation
    prefixed: bool = False


def group(settings: Settings) -> str:
    """The workers' group."""
    return f"{settings.topic_prefix}anbu"


def transactions(settings: Settings) -> str:
    """How the ids of the workers' transactions begin."""
    return f"{settings.topic_prefix}anbu-"


def rights(settings: Settings) -> list[Right]:
    """All rights there should be, of these settings' topics and users."""
    return list(dict.fromkeys(_rights(settings)))


def _rights(settings: Settings) -> Iterator[Right]:
    for role, topics in TOPICS.items():
        user = user_of(role, settings)
        for topic, operations in topics.items():
            looks: Operations = ("DESCRIBE_CONFIGS",) if role in CHECKS_TOPICS else ()
            for operation in (*operations, *looks):
                yield Right(user, "TOPIC", settings.topic(topic), operation)
    worker = user_of("worker", settings)
    yield Right(worker, "GROUP", group(settings), "READ")
    yield Right(worker, "TRANSACTIONAL_ID", transactions(settings), "WRITE", prefixed=True)


def user_of(role: Role, settings: Settings) -> str:
    """The user of a role at the broker."""
    return str(getattr(settings.broker.users, role))

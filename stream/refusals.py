"""What the broker does not take: what is the record's own fault, what becomes of it, and what to do otherwise."""

from collections.abc import Collection
from dataclasses import replace

import msgspec
from aiokafka.errors import InvalidTimestampError, MessageSizeTooLargeError, RecordListTooLargeError

from stream.producer import HEADERS_JSON
from stream.records import ALERTS, DEAD_LETTERS, DeadLetter, Reason
from stream.settings import Settings
from stream.transactions import Out, Refused, TooLargeError, name_of

PATIENCE_S = 30.0
"""So long a topic that refuses a record for its size or time may be mended before the record is set aside."""
_OWN_FAULT = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTimestampError)
_SAMPLE = 256 * 1024


def hopeless(refused: Refused, alone: Collection[str], waited_s: float) -> Refused:
    """Those of the refused that are so for their own fault: too large for any topic of ours; or, sent by themselves
    (topics ``alone``) and for long, refused for their size or time."""
    return [
        (out, error)
        for out, error in refused
        if isinstance(error, TooLargeError)
        or (out.topic in alone and isinstance(error, _OWN_FAULT) and waited_s >= PATIENCE_S)
    ]


def set_aside(rows: list[Out], refused: Refused, settings: Settings) -> tuple[list[Out], int]:
    """The same rows with dead letters in place of alerts that are refused, and shorter ones in place of dead letters;
    and how many. Nothing else is ever set aside: a state without one of its rows would be another state."""
    letters = {id(out): _letter(out, error, settings) for out, error in refused}
    return [letters.get(id(out)) or out for out in rows], sum(letter is not None for letter in letters.values())


def _letter(out: Out, error: BaseException, settings: Settings) -> Out | None:
    if out.value is None:
        return None
    if out.topic == settings.topic(ALERTS):
        detail = f"refused by the broker: {name_of(error)}; {len(out.value)} bytes"
        letter = DeadLetter(ALERTS, -1, -1, Reason.refused, detail, 1, out.value[:_SAMPLE].decode(errors="replace"))
        return Out(settings.topic(DEAD_LETTERS), None, msgspec.json.encode(letter), out.partition, HEADERS_JSON)
    if out.topic == settings.topic(DEAD_LETTERS):
        letter = msgspec.json.decode(out.value, type=DeadLetter)
        shorter = msgspec.structs.replace(letter, sample="")
        return replace(out, value=msgspec.json.encode(shorter)) if letter.sample else None
    return None


def what_to_do(refused: Refused, settings: Settings) -> str:
    """What a person can do about it, in a sentence."""
    topics = ", ".join(sorted({out.topic for out, _ in refused}))
    if any(isinstance(error, _OWN_FAULT) for _, error in refused):
        return f"`anbu topics check` names the setting of {topics} that was changed: put it back"
    return f"mend what the broker says of {topics} (rights, disk, replicas): it is tried again until then"

"""A worker that died at a message: what it was at is found, and after the second death the message is left unread."""

from pathlib import Path

import msgspec
import pytest

from stream import frames, intake
from stream.changelog import Restore
from stream.deaths import PREFIX, Death, Deaths
from stream.intake import HEADERS_JSON, Intake, Message
from stream.mark import Left, Mark
from stream.records import HOUSEHOLDS, METER, Household, Reason
from tests.stream.streaming import HERE, SINCE, TWO, T, new_partition, readings


class DiedError(BaseException):
    """The process is killed here."""


def message(offset: int, rows: int = 1) -> Message:
    """A frame of one home, a quarter-hour after that of the offset before."""
    value, headers = frames.encode(readings([HERE[0]] * rows, [T + 900 * offset] * rows))
    return Message(METER, offset, value, None, headers, 0.0)


def made(mark: Mark | None = None, deaths: Deaths | None = None) -> Intake:
    """One that knows a home, and has read of frames nothing yet."""
    one = Intake(new_partition(0, TWO), TWO, {}, mark, deaths)
    record = msgspec.json.encode(Household(HERE[0], SINCE))
    one.put(Message(HOUSEHOLDS, 0, record, HERE[0].encode(), HEADERS_JSON, 0.0))
    one.take(10, T)
    one.partition.begin(T, 0)
    return one


def known(*deaths: Death) -> Deaths:
    """Deaths as they are stored."""
    found = Deaths()
    for i, death in enumerate(deaths):
        found.row(PREFIX + str(i).encode(), msgspec.msgpack.encode(death))
    return found


def test_what_a_process_was_at_is_read_after_its_end(tmp_path: Path) -> None:
    """Whatever ended it: nothing has to be done at the end."""
    first = Mark(tmp_path / "at")
    assert first.left is None
    first.at(3, METER, 7)
    left = Mark(tmp_path / "at").left
    assert left is not None
    assert (left.topic, left.partition, left.first, left.last) == (METER, 3, 7, 7)
    first.clear()
    assert Mark(tmp_path / "at").left is None


def test_what_was_left_stays_until_it_is_told(tmp_path: Path) -> None:
    """One that ends before it has told it leaves it to the next, as the same death."""
    Mark(tmp_path / "at").at(0, METER, 7)
    first, second = Mark(tmp_path / "at"), Mark(tmp_path / "at")
    assert isinstance(first.left, Left)
    assert first.left == second.left
    second.told()
    assert Mark(tmp_path / "at").left is None


@pytest.mark.parametrize("text", [b"", b"x", b"\xff" * 200])
def test_a_damaged_mark_stops_nobody(tmp_path: Path, text: bytes) -> None:
    """What cannot be read is no death of any message we know."""
    (tmp_path / "at").write_bytes(text)
    left = Mark(tmp_path / "at").left
    assert left is None or left.topic not in (METER, HOUSEHOLDS)


@pytest.mark.parametrize("where", ["decode", "write"])
def test_a_death_in_a_batch_is_marked_with_its_message_and_none_between_batches(tmp_path, monkeypatch, where) -> None:
    """While it is decoded the one message, while they are written together all of them, after that none."""
    one = made(Mark(tmp_path / "at"))
    one.put(message(0))
    one.take(10, T + 900)
    assert Mark(tmp_path / "at").left is None
    for offset in (1, 2, 3):
        one.put(message(offset))
    decode = frames.decode

    def dies(signal, value, headers, now=None):
        if value == message(2).value:
            raise DiedError
        return decode(signal, value, headers, now)

    if where == "decode":
        monkeypatch.setattr(intake.frames, "decode", dies)
    else:
        monkeypatch.setattr(one.partition, "meter", lambda *_: (_ for _ in ()).throw(DiedError))
    with pytest.raises(DiedError):
        one.take(10, T + 9_000)
    left = Mark(tmp_path / "at").left
    assert left is not None
    assert (left.first, left.last) == ((2, 2) if where == "decode" else (1, 3))


@pytest.mark.parametrize(
    ("deaths", "unread"),
    [
        ([], []),
        ([Death(METER, 1, 1)], []),
        ([Death(METER, 1, 1), Death(METER, 1, 1)], [1]),
        ([Death(METER, 0, 2), Death(METER, 1, 1)], [1]),
        ([Death(METER, 0, 2), Death(METER, 0, 2)], []),
        ([Death(METER, 1, 1), Death(METER, 2, 2)], []),
        ([Death(HOUSEHOLDS, 1, 1), Death(METER, 1, 1)], []),
    ],
    ids=["none", "one", "two", "among some, then alone", "among some twice", "at two messages", "of another topic"],
)
def test_a_message_is_left_unread_after_two_deaths_at_it(deaths, unread, monkeypatch) -> None:
    """Once at least it must have been alone: those written with it are never suspected of its doing."""
    one = made(deaths=known(*deaths))
    seen = []
    decode = frames.decode
    monkeypatch.setattr(intake.frames, "decode", lambda s, v, h, n=None: (seen.append(v), decode(s, v, h, n))[1])
    for offset in range(4):
        one.put(message(offset))
    taken = one.take(10, T + 9_000)
    assert [(d.offset, d.reason) for d in taken.dead] == [(offset, Reason.worker_died) for offset in unread]
    assert [message(offset).value in seen for offset in range(4)] == [offset not in unread for offset in range(4)]
    assert all("left unread" in d.detail and "bytes" in d.detail for d in taken.dead)
    assert one.next[METER] == 4


def test_one_at_which_somebody_died_is_taken_by_itself(monkeypatch) -> None:
    """So that a second death is at this one alone."""
    one, written = made(deaths=known(Death(METER, 1, 2))), []
    meter = one.partition.meter
    monkeypatch.setattr(one.partition, "meter", lambda rows, *by: (written.append(len(rows)), meter(rows, *by))[1])
    for offset in range(5):
        one.put(message(offset))
    one.take(10, T + 9_000)
    assert written == [1, 1, 1, 2]


def test_an_enrolment_can_be_fatal_too(tmp_path, monkeypatch) -> None:
    """Records of households are marked and left unread by the same rule."""
    record = Message(HOUSEHOLDS, 1, msgspec.json.encode(Household(HERE[1], SINCE)), None, HEADERS_JSON, 0.0)
    one = made(Mark(tmp_path / "at"))
    monkeypatch.setattr(one.partition, "households", lambda *_: (_ for _ in ()).throw(DiedError))
    one.put(record)
    with pytest.raises(DiedError):
        one.take(10, T)
    left = Mark(tmp_path / "at").left
    assert left is not None
    assert (left.topic, left.first, left.last) == (HOUSEHOLDS, 1, 1)
    two = made(deaths=known(*[Death(HOUSEHOLDS, 1, 1)] * 2))
    two.put(record)
    assert [d.reason for d in two.take(10, T).dead] == [Reason.worker_died]


def test_deaths_are_kept_with_the_state_until_their_message_is_behind() -> None:
    """They come back with it, are deleted once, and those of a topic made anew at once."""
    restore = Restore(new_partition(0, TWO))
    rows = [(PREFIX + key, msgspec.msgpack.encode(Death(METER, 5, 5))) for key in (b"a", b"b")]
    restore.add([*rows, (PREFIX + b"c", msgspec.msgpack.encode(Death(METER, 5, 5))), (PREFIX + b"c", None)])
    deaths = restore.deaths
    assert deaths.unread(METER, 5)
    assert deaths.over({METER: 5}) == []
    assert deaths.over({METER: 6}) == [PREFIX + b"a", PREFIX + b"b"]
    assert deaths.over({METER: 6}) == []
    again = known(Death(METER, 5, 5))
    again.forget(METER)
    assert (again.suspect(METER, 5), again.over({})) == (False, [PREFIX + b"0"])

"""A case from its alert to its outcome, killed at every boundary. Run by test_crash.py, alone: it forks.

Boundaries are before and after every commit and every effect (a call, a message, a record). For each of them a process
is killed there with SIGKILL and another goes on; all that reached the outside is in a file, one line each.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine, event, func, select

from response import database, log, outbox, tables
from response.desk import desk_of
from response.follow import Follower
from response.records import Call, CallOutcome, CallResult, Delivery, DeliveryResult, Message
from response.senders import Post
from response.settings import ResponseSettings
from response.vault import Vault
from stream.records import ALERTS, HOUSEHOLDS, Alert, DeadLetter, Household, OutcomeCode, ReasonCode

SEOUL = ZoneInfo("Asia/Seoul")
BEGIN = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Seoul
LEASE_S = 60.0
STAFF = ("offi", "depu", "cent")


@dataclass(eq=False)
class Boundary:
    """Counts boundaries, and ends the process at one of them."""

    last: int
    passed: int = 0
    dirty: bool = False
    """Whether the transaction has written anything: others are no boundary."""

    def __call__(self, *_: Any) -> None:
        self.passed += 1
        if self.passed == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrote(self, _conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        """A statement has been executed."""
        self.dirty |= statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") and cursor.rowcount > 0

    def commits(self, *_: Any) -> None:
        """Right before a commit."""
        if self.dirty:
            self()

    def committed(self, *_: Any) -> None:
        """Right after it: the connection is given back."""
        if self.dirty:
            self.dirty = False
            self()


@dataclass
class Record:
    """A consumed message."""

    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0


@dataclass
class Outside:
    """Telephone, channels and topics: everything that happens is a line in a file that outlives the process."""

    file: Path
    boundary: Boundary
    name: str = "outside"
    real: bool = True
    told: list[str] = field(default_factory=list)

    def happens(self, **what: str) -> None:
        """It happens, for all the world to see."""
        self.boundary()
        with open(self.file, "a") as out:
            out.write(json.dumps(what) + "\n")
            out.flush()
            os.fsync(out.fileno())
        self.boundary()

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def place(self, call: Call) -> CallResult:
        """The resident never answers."""
        self.happens(kind="call", key=call.key, to=call.person_id)
        return CallResult(CallOutcome.no_answer)

    async def send(self, message: Message) -> Delivery:
        """It arrives."""
        self.happens(kind="message", key=message.key, to=message.person_id, template=message.template)
        return Delivery(DeliveryResult.sent, message.channel)

    async def send_household(self, household: Household) -> None:
        """It is on the topic."""
        codes = ",".join(str(outcome.code) for outcome in household.outcomes)
        self.happens(kind="record", key=household.household_id, to=household.household_id, template=codes)

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        """It is on the topic."""
        self.happens(kind="dead", key=str(letter.offset), to=letter.topic)


@dataclass
class Life:
    """One process: it goes on from what the database and the clock's file say until the household's case is closed."""

    engine: Engine
    folder: Path
    number: int
    boundary: Boundary
    key: str

    def __post_init__(self) -> None:
        self.home = f"h{self.number}"
        self.clock_file = self.folder / f"{self.home}.clock"
        self.outside = Outside(self.folder / f"{self.home}.lines", self.boundary)
        own = ResponseSettings(lease_seconds=LEASE_S)
        self.desk = desk_of(self.engine, own, "Asia/Seoul")
        self.post = Post(
            self.desk, own, Vault([self.key]), self.outside, self.outside, self.outside, False,
            f"p{self.number}", self.now,
        )  # fmt: skip

    def now(self) -> datetime:
        """The clock, which outlives the process."""
        text = self.clock_file.read_text() if self.clock_file.exists() else ""
        return datetime.fromisoformat(text) if text else BEGIN

    async def run(self) -> None:
        """Until it is closed and the stream knows."""
        event.listen(self.engine, "after_cursor_execute", self.boundary.wrote)
        event.listen(self.engine, "commit", self.boundary.commits)
        event.listen(self.engine.pool, "checkin", self.boundary.committed)
        follower = Follower(self.desk, Counter())
        for topic, record in ((HOUSEHOLDS, _household(self.home)), (ALERTS, _alert(self.home))):
            begin = follower.begin(topic, self.number) or 0
            follower.take(topic, self.number, [r for r in [record] if r.offset >= begin], self.now())
        while not self.over():
            busy = self.desk.due(self.now()) + outbox.expired(self.desk, self.now())
            busy += await self.post.messages() + await self.post.calls()
            await asyncio.gather(*self.post.running)
            busy += await self.post.tell_stream()
            self.officer()
            if not busy:
                self.clock_file.write_text(self.next().isoformat())

    def next(self) -> datetime:
        """When something happens next: a step, a lease that runs out, what was held for an undoing."""
        c, o = tables.cases.c, tables.outbox.c
        mine = select(c.case_id).where(c.household_id == self.home)
        with self.engine.connect() as conn:
            step = conn.execute(select(func.min(c.next_step_at)).where(c.household_id == self.home)).scalar_one()
            lease = conn.execute(select(func.min(o.lease_until)).where(o.case_id.in_(mine))).scalar_one()
            held = conn.execute(
                select(func.min(o.not_before)).where(o.case_id.in_(mine), o.state == "waiting", o.kind != "call")
            ).scalar_one()
        moments = [at + timedelta(seconds=1) for at in (step, lease, held) if at is not None]
        return max(self.now() + timedelta(seconds=1), min(moments, default=self.now()))

    def officer(self) -> None:
        """The first of the staff that hears of it takes it, and closes it two rounds later."""
        heard = {line["to"] for line in lines(self.outside.file) if line["kind"] == "message"} & set(STAFF)
        with self.engine.connect() as conn:
            c = tables.cases.c
            query = select(c.case_id).where(c.household_id == self.home, c.closed_at.is_(None))
            case_id = conn.execute(query).scalar_one_or_none()
            owner = log.load(conn, case_id).owner if case_id is not None else None
        if case_id is None or not heard:
            return
        if owner is not None:
            self.desk.close(case_id, owner, OutcomeCode.safe_visited, self.now())
        else:
            self.desk.acknowledge(case_id, min(heard), self.now())

    def over(self) -> bool:
        """Closed, and nothing of it waits."""
        with self.engine.connect() as conn:
            c, o = tables.cases.c, tables.outbox.c
            open_ = select(func.count()).where(c.household_id == self.home, c.closed_at.is_(None))
            mine = select(c.case_id).where(c.household_id == self.home)
            waits = select(func.count()).where(o.case_id.in_(mine), o.state.in_(("waiting", "leased")))
            return not conn.execute(open_).scalar_one() and not conn.execute(waits).scalar_one()


def lines(file: Path) -> list[dict[str, str]]:
    """What has happened outside."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _household(home: str) -> Record:
    return Record(0, home.encode(), msgspec.json.encode(Household(home, BEGIN - timedelta(days=60), "a1", "d1")))


def _alert(home: str) -> Record:
    alert = Alert(
        "raised", f"alert-{home}", home, "silence", "caution", "resident", BEGIN, BEGIN - timedelta(hours=12), None,
        100.0, (ReasonCode("silent", {"hours": 16.0, "usual_hours": 7.0}),), "조용합니다.", "Silent.", "a1", "d1",
    )  # fmt: skip
    return Record(0, home.encode(), msgspec.json.encode(alert))


def live(url: str, folder: Path, number: int, last: int, key: str) -> tuple[int, int]:
    """One process's life in a fork: its exit status, and how many boundaries it passed (0 where it was killed)."""
    count = folder / "passed"
    child = os.fork()
    if child == 0:
        try:
            boundary = Boundary(last)
            engine = database.engine(url, pool_size=1)
            asyncio.run(Life(engine, folder, number, boundary, key).run())
            count.write_text(str(boundary.passed))
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(3)
    _, status = os.waitpid(child, 0)
    return status, int(count.read_text()) if status == 0 else 0


def main() -> None:
    """Arguments: database, folder, key. Prints the story without a kill, and that of every boundary, as JSON."""
    url, folder, key = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    status, boundaries = live(url, folder, 0, -1, key)
    assert status == 0, "the story does not end even without a kill"
    told: dict[str, Any] = {"0": lines(folder / "h0.lines")}
    for number in range(1, boundaries + 1):
        killed, _ = live(url, folder, number, number, key)
        assert killed == signal.SIGKILL, f"not killed at boundary {number}"
        status, _ = live(url, folder, number, -1, key)
        assert status == 0, f"the story does not end after a kill at boundary {number}"
        told[str(number)] = lines(folder / f"h{number}.lines")
    print(json.dumps(told))


if __name__ == "__main__":
    main()

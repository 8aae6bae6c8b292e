"""A household whose consent is withdrawn and given anew, for the tests: what its record says, what is left of it."""

from collections import Counter
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace
from sqlalchemy import insert, select

from response import comments, tables
from response.follow import Follower
from response.vault import Vault
from stream.records import HOUSEHOLDS, Household
from tests.response.people import KEY, add_person
from tests.response.test_follow import Record
from tests.response.town import Town, at

VAULT = Vault([KEY])
NOW = at("2026-03-04 10:00")
HOME = Household("h1", NOW - timedelta(days=60), "a1", "d1")
DAY = timedelta(hours=24)
SECRETS = ("김영자", "010-1234-5678", "별빛로", "김아들")


class Topic:
    """Records of h1 as they come on the topic, each heard at the town's now."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.follower = Follower(town.desk, Counter())
        self.records: list[Household | None] = []

    def says(self, record: Household | None) -> None:
        """The next record; None: it is deleted."""
        self.records.append(record)
        self.follower.take(HOUSEHOLDS, 0, [self._record(len(self.records) - 1, self.town.now)], self.town.now)
        self.town.gather()

    def leaves(self, withdrawn: datetime | None = None) -> None:
        """Consent is withdrawn now."""
        self.says(replace(HOME, withdrawn=withdrawn or self.town.now))

    def anew(self) -> None:
        """Consent is given anew now."""
        self.says(replace(HOME, since=self.town.now))

    def counted(self, what: str) -> int:
        """Records that were taken, old, dead."""
        return self.follower.counted[HOUSEHOLDS, what]

    def again(self) -> None:
        """The topic is read again from its beginning, as after `anbu response --from-beginning`."""
        records = [self._record(n, NOW) for n in range(len(self.records))]
        self.follower.take(HOUSEHOLDS, 1, records, self.town.now)
        self.town.gather()

    def _record(self, offset: int, told: datetime) -> Record:
        found = self.records[offset]
        value = None if found is None else msgspec.json.encode(found)
        return Record(offset, value, b"h1", timestamp=int(told.timestamp() * 1000))


def settle(town: Town) -> Topic:
    """h1 with a resident, a guardian on leave, an officer and an operator; its record is on the topic."""
    topic = Topic(town)
    topic.says(HOME)
    with town.engine.begin() as conn:
        of = {"household_id": "h1", "dong": "d1"}
        add_person(
            conn, "resi-h1", "resident", VAULT, name="김영자", phone="010-1234-5678", address="별빛로 12",
            channels=["sms", "email"], consent_guardian=True, **of,
        )  # fmt: skip
        add_person(conn, "guar-h1", "guardian", VAULT, name="김아들", phone="010-1234-5679", **of)
        add_person(conn, "offi", "officer", VAULT, dong="d1", name="박지은")
        conn.execute(insert(tables.leaves).values(person_id="guar-h1", from_at=NOW, until_at=NOW + DAY))
    return topic


def note(town: Town, text: str = "아들 김아들과 통화") -> None:
    """The officer writes a comment to the latest case."""
    number = town.case().case_id
    town.desk.note(number, "offi", comments.seal(VAULT, number, text), town.now)


def people(town: Town) -> list[str]:
    """Who is in the registry."""
    with town.engine.connect() as conn:
        return list(conn.scalars(select(tables.people.c.person_id).order_by(tables.people.c.person_id)))


def everything(town: Town) -> str:
    """All that the database holds, as text; bytes in hexadecimal."""
    found = []
    with town.engine.connect() as conn:
        for table in tables.metadata.sorted_tables:
            for row in conn.execute(select(table)).all():
                found += [value.hex() if isinstance(value, bytes) else str(value) for value in row]
    return "\n".join(found)

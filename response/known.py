"""Which events of alerts are known, and which of them wait for the stream to catch up (`response.past`).

An event is known by its alert, what it says and its time, for as long as the topic keeps it: whatever is read again, by
us or because the workers judged the same past again, changes nothing. Always within somebody's transaction.
"""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from response import tables
from response.past import Past
from stream.records import Alert

k, s, h = tables.alert_events.c, tables.offsets.c, tables.households.c
KEPT_DAYS = 430
"""As long as the topic keeps alerts (400 days), and a month for whoever keeps them a little longer."""


class Waits(msgspec.Struct, frozen=True):
    """Whose alerts wait: a household's, or one alert of an area or a feed. ``level``: the highest of them."""

    subject: str
    drill: bool
    act_at: datetime
    level: str


def subject(alert: Alert) -> str:
    """Whom an alert's events belong to, in their order."""
    return alert.household_id if alert.to != "operator" else alert.alert_id


def area(alert: Alert) -> str:
    """The area or the feed that an alert for operators is of; empty for a household's."""
    feed = next((str(reason.values["feed"]) for reason in alert.reasons if "feed" in reason.values), "")
    return (alert.area or feed) if alert.to == "operator" else ""


def note(conn: Connection, alert: Alert, now: datetime) -> bool:
    """Note an alert's event; False where it was known.

    One that comes again is news only where it undoes what the same moment had said last, as when a clock stands still
    and an absence is registered, lifted and registered again.
    """
    of_alert = select(k.event, k.level, k.at).where(k.alert_id == alert.alert_id)
    last = conn.execute(of_alert.order_by(k.at.desc(), k.seq.desc()).limit(1)).one_or_none()
    undone = last is not None and last.at == alert.at and (last.event, last.level) != (alert.event, alert.level)
    row = {
        "alert_id": alert.alert_id, "event": alert.event, "at": alert.at, "level": alert.level, "kind": alert.kind,
        "subject": subject(alert), "area": area(alert), "drill": alert.drill, "recorded_at": now,
    }  # fmt: skip
    new, key = insert(tables.alert_events).values(row), ["alert_id", "event", "at"]
    if undone:
        changes = {"level": new.excluded.level, "recorded_at": now, "seq": new.excluded.seq}
        new = new.on_conflict_do_update(index_elements=key, set_=changes)
    else:
        new = new.on_conflict_do_nothing(index_elements=key)
    return conn.execute(new.returning(k.seq)).one_or_none() is not None


def overtaken(conn: Connection, alert: Alert) -> bool:
    """Whether something later than ``alert`` is known of the same alert: it comes out of its order."""
    return conn.execute(select(k.seq).where(k.alert_id == alert.alert_id, k.at > alert.at).limit(1)).first() is not None


def wait(conn: Connection, alert: Alert) -> None:
    """Let a noted event wait. Its picture of the last week is left out: no case needs it."""
    held = msgspec.to_builtins(msgspec.structs.replace(alert, strip=None))
    conn.execute(
        update(tables.alert_events)
        .where(k.alert_id == alert.alert_id, k.event == alert.event, k.at == alert.at).values(waiting=held)
    )  # fmt: skip


def waiting(conn: Connection, of: str, drill: bool) -> list[Alert]:
    """Events of one subject that wait, in the order they came, held until the transaction ends."""
    rows = conn.execute(
        select(k.waiting).where(k.subject == of, k.drill == drill, k.waiting.is_not(None))
        .order_by(k.seq).with_for_update()
    )  # fmt: skip
    return [msgspec.convert(row.waiting, Alert) for row in rows]


def done(conn: Connection, of: str, drill: bool) -> None:
    """Nothing of a subject waits any more."""
    conn.execute(
        update(tables.alert_events).where(k.subject == of, k.drill == drill, k.waiting.is_not(None))
        .values(waiting=None)
    )  # fmt: skip


def forget(conn: Connection, household_id: str) -> None:
    """Consent has ended: nothing of the household waits any more, real or of a drill."""
    for drill in (False, True):
        done(conn, household_id, drill)


def held(conn: Connection, past: Past) -> list[Waits]:
    """Everything that waits, the most urgent and then the oldest first."""
    leapt = conn.execute(select(func.max(s.leapt_at))).scalar_one()
    left = select(h.household_id).where(h.withdrawn_at.is_not(None))  # theirs wait until that is undone, or deleted
    first, serious = func.min(k.recorded_at), func.bool_or(k.level == "serious")
    rows = conn.execute(
        select(k.subject, k.drill, first.label("first"), func.max(k.recorded_at).label("last"), serious.label("high"))
        .where(k.waiting.is_not(None), k.subject.not_in(left)).group_by(k.subject, k.drill)
        .order_by(serious.desc(), func.min(k.at))
    )  # fmt: skip
    return [
        Waits(row.subject, row.drill, past.act_at(row.first, row.last, leapt), "serious" if row.high else "caution")
        for row in rows
    ]


def count(conn: Connection) -> int:
    """Of how many homes, areas and feeds alerts wait."""
    whose = select(k.subject, k.drill).where(k.waiting.is_not(None)).distinct().subquery()
    return int(conn.execute(select(func.count()).select_from(whose)).scalar_one())


class Seen(msgspec.Struct, frozen=True):
    """One event of the past as a list shows it. ``area``: of which area or feed, where it is not a household's;
    ``waits``: whether it waits for the stream to catch up."""

    at: datetime
    recorded_at: datetime
    subject: str
    area: str
    kind: str
    event: str
    level: str
    drill: bool
    waits: bool


def of_the_past(conn: Connection, past: Past, since: datetime, most: int = 500) -> list[Seen]:
    """Events that were of the past when they were recorded, the newest record first, since a time; all that wait."""
    old = (k.recorded_at >= since) & (k.at < k.recorded_at - past.after)
    query = select(tables.alert_events).where(old | k.waiting.is_not(None)).order_by(k.seq.desc()).limit(most)
    return [
        Seen(r.at, r.recorded_at, r.subject, r.area, r.kind, r.event, r.level, r.drill, r.waiting is not None)
        for r in conn.execute(query)
    ]


def sweep(conn: Connection, now: datetime) -> int:
    """Forget events that no topic holds any more; how many."""
    old = k.recorded_at < now - timedelta(days=KEPT_DAYS)
    return conn.execute(delete(tables.alert_events).where(old, k.waiting.is_(None))).rowcount

"""What is no case: an area without power, a feed that stopped, consents withdrawn. Operators hear of each beginning and
end once.

Whoever was told of a beginning hears of its end, nobody else does; what is over before anybody was told, nobody hears.
"""

from datetime import datetime, timedelta, tzinfo

from sqlalchemy import Connection, select, update

from response import known, log, tables, withdrawals
from response.draft import Send
from response.records import Circle, NotSent
from stream.records import Alert

URGENCY = 5
GATHER = timedelta(minutes=5)
"""Consents withdrawn are told together, so long after the first of them."""
TEMPLATES = {"area_outage": "area_outage", "feed_stalled": "feed_stalled"}
o = tables.outbox.c


def tell(conn: Connection, alert: Alert, circle: Circle, tz: tzinfo, now: datetime) -> None:
    """The operators on duty hear of a beginning, whoever was told of it hears of its end."""
    if alert.kind not in TEMPLATES or alert.event == "level_changed":
        return
    if alert.event == "cleared":
        _over(conn, alert, tz, now)
        return
    operators = [operator.person_id for operator in circle.of("operator")]
    for person_id in operators:
        log.enqueue_once(conn, _send(alert, person_id, tz), alert.drill, now)
    if not operators:
        send = Send(f"a{alert.alert_id}-{alert.event}", "message", {"template": alert.kind}, role="operator")
        log.not_sent(conn, send, None, alert.drill, NotSent.nobody_on_duty, now)


def tell_of_withdrawals(conn: Connection, circle: Circle, now: datetime) -> int:
    """The operators on duty hear of consents withdrawn lately, all in one, while they can still be undone; of how many.
    Which they are, nobody is told by message."""
    left = withdrawals.untold(conn, now - GATHER)
    if not left:
        return 0
    hours = max(int((left[0].delete_at - now).total_seconds() // 3600), 0)
    values = {"count": str(len(left)), "left": str(hours)}
    what = {"template": "withdrawals", "means": "message", "values": values}
    key = f"w{int(left[0].heard_at.timestamp())}-{len(left)}"
    operators = [operator.person_id for operator in circle.of("operator")]
    for person_id in operators:
        log.enqueue_once(conn, Send(f"{key}-{person_id}", "message", what, person_id, "operator", URGENCY), False, now)
    if not operators:
        log.not_sent(conn, Send(key, "message", what, role="operator"), None, False, NotSent.nobody_on_duty, now)
    withdrawals.told(conn, [one.household_id for one in left], now)
    return len(left)


def _over(conn: Connection, alert: Alert, tz: tzinfo, now: datetime) -> None:
    """It is over: what of its beginning still waits is not sent; all others to whom it went are told."""
    mine = o.key.startswith(f"a{alert.alert_id}-raised-", autoescape=True)
    conn.execute(
        update(tables.outbox).where(mine, o.state == "waiting")
        .values(state="cancelled", reason=NotSent.cancelled, done_at=now)
    )  # fmt: skip
    told = select(o.key, o.person_id).where(mine, o.state.in_(("leased", "done"))).order_by(o.key)
    for row in conn.execute(told).all():
        log.enqueue_once(conn, _send(alert, row.person_id, tz, after=row.key), alert.drill, now)


def _send(alert: Alert, person_id: str, tz: tzinfo, after: str = "") -> Send:
    """Its key is of the alert alone. ``after``: the message that has to be out before."""
    values = {
        "area": known.area(alert), "dong": alert.dong, "level": alert.level, "reason_ko": alert.text_ko,
        "reason_en": alert.text_en, "over": "1" if alert.event == "cleared" else "",
        "at": f"{alert.at.astimezone(tz):%Y-%m-%d %H:%M}", "since": f"{alert.onset.astimezone(tz):%Y-%m-%d %H:%M}",
    }  # fmt: skip
    what = {"template": TEMPLATES[alert.kind], "means": "message", "values": values, "after": after}
    return Send(f"a{alert.alert_id}-{alert.event}-{person_id}", "message", what, person_id, "operator", URGENCY)

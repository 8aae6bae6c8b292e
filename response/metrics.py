"""Every Prometheus metric of the response, typed, in one place; ``docs/operations.md`` says what each means.

Labels take few values, never a household or a person. Counters are of one process and follow the events of cases;
gauges are of the database, the same in every process. ``drill``: yes or no.
"""

# ruff: noqa: RUF009 -- counter() and its like return dataclass fields with a factory, one metric to each instance

import collections
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy import case as whichever

from response import known, outbox, streams, tables, untold, withdrawals
from response.case import Case
from response.events import (
    Acknowledged,
    AlertSeen,
    CallDone,
    Closed,
    DeadlinePassed,
    Entry,
    HelpAsked,
    MessageDone,
    NotTold,
    Opened,
    RangBack,
    Reopened,
    Undone,
    What,
)
from response.hours import Hours
from response.records import CallOutcome, NotSent
from stream.metrics import counter, gauge, histogram, of_process
from stream.records import ALERTS, HOUSEHOLDS

c, o = tables.cases.c, tables.outbox.c
LEVELS = ("caution", "serious")
AGES = ("0-1h", "1-6h", "6-24h", "24h+")
"""How long an open case has been open."""
AGE_HOURS = (1, 6, 24)
KINDS = ("call", "message", "record")
DRILL = ("no", "yes")
TOPICS = (HOUSEHOLDS, ALERTS)
FOLLOWED = ("taken", "repeated", "old", "dead")
PARTS = (
    "follow", "tick", "calls", "messages", "records", "audit", "count", "sweep", "page",
)  # fmt: skip
"""Rounds of the process `anbu response`."""
DUTY = ("officer", "deputy", "centre", "operator")
OVERDUE_S = 60.0
"""A step this much later than its time is overdue: the tick comes every second."""
NONE = "none"
BUCKETS = (
    5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0, 259200.0,
)  # fmt: skip
"""Seconds: the target is a call dialled within 5 minutes of its alert; a case may take days."""


@dataclass(frozen=True)
class ResponseMetrics:
    """The metrics of one process, registered in ``registry``. Counters get their ``_total`` when they are scraped.

    ``hours``: where given, a call that waits for calling hours is not old by that.
    """

    registry: CollectorRegistry
    now: Callable[[], float] = time.time
    hours: Hours | None = None
    taken: collections.Counter[tuple[str, str]] = field(
        default_factory=lambda: collections.Counter(dict.fromkeys(product((HOUSEHOLDS, ALERTS), FOLLOWED), 0))
    )
    """Records followed by (topic, one of FOLLOWED); whoever follows counts here."""

    # How things stand, by SQL.
    open_cases: Gauge = gauge("anbu_open_cases", "Open cases by level and age", "level", "age", "drill")
    overdue: Gauge = gauge("anbu_ladder_steps_overdue", "Open cases whose next step is over a minute late")
    past_deadline: Gauge = gauge(
        "anbu_cases_past_deadline", "Acknowledged cases whose deadline has passed and that are not open again yet"
    )
    outbox_age: Gauge = gauge("anbu_outbox_age_seconds", "How long the oldest waiting row is over its time", "kind")
    leased: Gauge = gauge("anbu_outbox_leased", "Rows that a sender is at", "kind")
    untold: Gauge = gauge("anbu_cases_untold", "Open cases whose ladder is at its end and reaches nobody there")
    not_out: Gauge = gauge(
        "anbu_staff_messages_not_out", "Messages to staff within the hour that did not go out", "role", "result"
    )
    missing: Gauge = gauge(
        "anbu_stream_missing_records", "How much shorter a topic is than what was read of it", "topic"
    )
    refused: Gauge = gauge("anbu_outcomes_refused", "Outcomes set aside, because the stream would refuse them")
    withdrawals: Gauge = gauge(
        "anbu_withdrawals_pending", "Households whose consent was withdrawn and whose data are not deleted yet"
    )
    withdrawn_lately: Gauge = gauge(
        "anbu_withdrawals_last_hour", "Withdrawals of consent heard of within the hour, undone ones too"
    )
    of_the_past: Gauge = gauge(
        "anbu_alerts_of_the_past", "Homes and areas whose alerts of the past wait until the stream has caught up"
    )

    # What happened.
    alerts: Counter = counter("anbu_alerts_taken", "Alert events that reached a case", "kind", "event")
    opened: Counter = counter("anbu_cases_opened", "Cases opened, by the level of their first alert", "level", "drill")
    closed: Counter = counter("anbu_cases_closed", "Cases closed, by outcome and cause", "code", "how", "drill")
    taken_back: Counter = counter(
        "anbu_cases_taken_back", "Takings and closings undone within the minute, closed cases reopened", "kind", "drill"
    )
    calls: Counter = counter("anbu_calls", "Calls that ended", "outcome", "drill")
    rang_back: Counter = counter("anbu_rang_back", "Residents who rang us while a case was open", "drill")
    came_in: Counter = counter("anbu_calls_in", "Calls to our number, by how they went and whose number it was",
                               "how", "kind")  # fmt: skip
    unstored: Gauge = gauge("anbu_inbound_unstored", "Keys and ends of calls that the database does not have yet")
    help: Counter = counter("anbu_help_asked", "Residents who asked for help", "drill")
    messages: Counter = counter(
        "anbu_messages", "Messages of cases that went out or did not", "channel", "result", "reason", "drill"
    )
    not_told: Counter = counter("anbu_not_told", "Somebody's turn, and why nobody was told", "role", "reason", "drill")
    deadlines: Counter = counter("anbu_deadlines_passed", "Acknowledgements without an outcome in time", "drill")
    faults: Counter = counter("anbu_faults", "Rounds of a part that failed; it goes on", "part")

    # How long it took, from when the alert reached us.
    until_dialled: Histogram = histogram(
        "anbu_alert_to_dialled_seconds", "From a call's planning (the first: its alert) to dialling", BUCKETS, "drill"
    )
    until_reached: Histogram = histogram(
        "anbu_alert_to_reached_seconds", "From the alert to a key, a call-back or an acknowledgement", BUCKETS, "drill"
    )
    until_acknowledged: Histogram = histogram(
        "anbu_alert_to_acknowledged_seconds", "From the alert to the first acknowledgement", BUCKETS, "drill"
    )
    until_closed: Histogram = histogram("anbu_alert_to_closed_seconds", "From the alert to the end", BUCKETS, "drill")

    # The process.
    http_refused: Counter = counter("anbu_http_refused", "Connections and requests refused", "listener", "reason")
    gateway_real: Gauge = gauge("anbu_gateway_real", "1: telephones ring; 0: residents are simulated", "name", "drill")
    audit_ok: Gauge = gauge("anbu_audit_ok", "1: the auditor found nothing wrong at its last look")
    audited_at: Gauge = gauge("anbu_audited_timestamp_seconds", "Wall clock of the auditor's last look")

    def __post_init__(self) -> None:
        """Register all of them, with the process's own, and show the known labels as 0: ``rate()`` needs a start."""
        for f in fields(self)[4:]:
            self.registry.register(getattr(self, f.name))
        self.registry.register(_Followed(self.taken))
        of_process(self.registry)
        for drill in DRILL:
            for metric in (self.rang_back, self.help, self.deadlines, self.until_dialled, self.until_reached,
                           self.until_acknowledged, self.until_closed):  # fmt: skip
                metric.labels(drill)
            for outcome in CallOutcome:
                self.calls.labels(outcome.value, drill)
            for level in LEVELS:
                self.opened.labels(level, drill)
            for role in DUTY:
                self.not_told.labels(role, NotSent.nobody_on_duty.value, drill)
        for part in PARTS:
            self.faults.labels(part)

    def happened(self, case: Case, entries: Sequence[Entry]) -> None:
        """Count new events of a case, which is as after them. For ``Desk.watch``."""
        drill = _drill(case.drill)
        for entry in entries:
            self._count(entry.what, _level(case, entries), drill)
        if case.opened_at is not None:
            for metric, at in _firsts(self, case, entries):
                metric.labels(drill).observe((at - case.opened_at).total_seconds())

    def dialled(self, seconds: float, drill: bool = False) -> None:
        """A call is being dialled, so long after it was planned."""
        self.until_dialled.labels(_drill(drill)).observe(seconds)

    def fault(self, part: str) -> None:
        """A round of a part failed."""
        self.faults.labels(part).inc()

    def audited(self, well: bool) -> None:
        """The auditor has looked."""
        self.audit_ok.set(well)
        self.audited_at.set(self.now())

    def gateway(self, name: str, real: bool, drill: bool) -> None:
        """What calls are made with."""
        self.gateway_real.labels(name, _drill(drill)).set(real)

    def look(self, engine: Engine, now: datetime) -> None:
        """Set the gauges to what the database holds. Raises what a database raises; the gauges stay as they were."""
        with engine.connect() as conn:
            open_, late, past = open_cases(conn, now), overdue(conn, now), past_deadline(conn, now)
            ages, leases, waits = outbox.age(conn, now), leased(conn), known.count(conn)
            short = streams.missing(conn)
            alone, lost = untold.cases(conn), untold.messages(conn, now)
            aside = len(outbox.refused(conn, now))
            left, left_lately = withdrawals.counts(conn, now)
        for labels in product(LEVELS, AGES, DRILL):
            self.open_cases.labels(*labels).set(open_.get(labels, 0))
        self.overdue.set(late)
        self.of_the_past.set(waits)
        self.refused.set(aside)
        self.withdrawals.set(left)
        self.withdrawn_lately.set(left_lately)
        for topic in TOPICS:
            self.missing.labels(topic).set(short.get(topic, 0))
        self.past_deadline.set(past)
        self.untold.set(alone)
        for whom in product(DUTY, untold.NOT_OUT):
            self.not_out.labels(*whom).set(lost.get(whom, 0))
        for kind in KINDS:
            age = ages.get(kind, 0.0)
            self.outbox_age.labels(kind).set(_in_hours(age, now, self.hours) if kind == "call" else age)
            self.leased.labels(kind).set(leases.get(kind, 0))

    def _count(self, what: What, level: str, drill: str) -> None:
        match what:
            case Opened():
                self.opened.labels(level, drill).inc()
            case AlertSeen():
                self.alerts.labels(what.kind, what.change).inc()
            case CallDone():
                self.calls.labels(str(what.outcome), drill).inc()
            case RangBack():
                self.rang_back.labels(drill).inc()
            case HelpAsked():
                self.help.labels(drill).inc()
            case MessageDone():
                reason = str(what.reason or NONE)
                self.messages.labels(what.channel or NONE, str(what.result), reason, drill).inc()
            case NotTold():
                self.not_told.labels(what.role, str(what.reason), drill).inc()
            case DeadlinePassed():
                self.deadlines.labels(drill).inc()
            case Undone():
                self.taken_back.labels(what.act, drill).inc()
            case Reopened():
                self.taken_back.labels("reopen", drill).inc()
            case Closed():
                self.closed.labels(str(what.code or NONE), what.how, drill).inc()


class _Followed(Collector):
    """Shows the records followed, as they are counted elsewhere."""

    def __init__(self, taken: collections.Counter[tuple[str, str]]) -> None:
        self._taken = taken

    def collect(self) -> Iterable[CounterMetricFamily]:
        """One counter."""
        family = CounterMetricFamily(
            "anbu_records_followed", "Records read from the topics", labels=("topic", "outcome")
        )
        for labels, count in list(self._taken.items()):
            family.add_metric(labels, count)
        yield family


def _firsts(metrics: ResponseMetrics, case: Case, entries: Sequence[Entry]) -> Iterable[tuple[Histogram, datetime]]:
    """What these entries did for the first time in their case, and when."""
    ended = [entry.at for entry in entries if isinstance(entry.what, Closed)]
    if case.closed is not None and not ended:
        return  # a late result of a case that was over
    reached = [entry.at for entry in entries if _reaches(entry.what)]
    if reached and not _reached_before(case, entries):
        yield metrics.until_reached, reached[0]
    taken = [entry.at for entry in entries if isinstance(entry.what, Acknowledged)]
    if taken and case.acknowledged_at == taken[0]:
        yield metrics.until_acknowledged, taken[0]
    for at in ended:
        yield metrics.until_closed, at


def _reaches(what: What) -> bool:
    """Whether a person was reached by this: the resident by a key, or somebody who took the case."""
    answered = isinstance(what, RangBack) and what.answer is not None
    return answered or isinstance(what, Acknowledged) or _key(what)


def _key(what: What) -> bool:
    return isinstance(what, CallDone) and what.outcome is CallOutcome.answered_key and not (what.shared or what.late)


def _reached_before(case: Case, entries: Sequence[Entry]) -> bool:
    """Whether somebody had been reached before these entries. Who rang back ended the case or asked for help."""
    new = {entry.what.key for entry in entries if isinstance(entry.what, CallDone)}
    if any(outcome is CallOutcome.answered_key for key, outcome in case.calls.items() if key not in new):
        return True
    if case.help and not any(isinstance(entry.what, HelpAsked) for entry in entries):
        return True
    return case.acknowledged_at is not None and case.acknowledged_at < entries[0].at


def _level(case: Case, entries: Sequence[Entry]) -> str:
    """The level of the alert that these entries begin with; of a resident's own asking for help, the case's."""
    return next((entry.what.level for entry in entries if isinstance(entry.what, AlertSeen)), case.level)


def _drill(drill: bool) -> str:
    return DRILL[drill]


def _in_hours(age: float, now: datetime, hours: Hours | None) -> float:
    """How long a call has waited since it might have been dialled; outside calling hours nothing is late."""
    if hours is None or age <= 0:
        return age
    if not hours.open("calling", now):
        return 0.0
    return (now - hours.next_open("calling", now - timedelta(seconds=age))).total_seconds()


def open_cases(conn: Connection, now: datetime) -> dict[tuple[str, str, str], int]:
    """How many cases are open by (level, one of AGES, one of DRILL)."""
    bounds = [(c.opened_at > now - timedelta(hours=hours), age) for hours, age in zip(AGE_HOURS, AGES, strict=False)]
    age = whichever(*bounds, else_=AGES[-1])
    query = select(c.level, age.label("age"), c.drill, func.count().label("n")).where(c.closed_at.is_(None))
    rows = conn.execute(query.group_by(c.level, age, c.drill))
    return {(row.level, row.age, _drill(row.drill)): row.n for row in rows}


def overdue(conn: Connection, now: datetime) -> int:
    """How many open cases have a step that is overdue."""
    late = now - timedelta(seconds=OVERDUE_S)
    query = select(func.count()).where(c.closed_at.is_(None), c.next_step_at < late)
    return int(conn.execute(query).scalar_one())


def past_deadline(conn: Connection, now: datetime) -> int:
    """How many acknowledged cases are past their deadline: the tick has them open again within seconds."""
    query = select(func.count()).where(c.phase == "acknowledged", c.next_step_at <= now)
    return int(conn.execute(query).scalar_one())


def leased(conn: Connection) -> dict[str, int]:
    """How many rows of the outbox are leased, by kind."""
    query = select(o.kind, func.count().label("n")).where(o.state == "leased").group_by(o.kind)
    return {row.kind: row.n for row in conn.execute(query)}

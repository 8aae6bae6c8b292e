"""docs/topics.md: what travels on each topic, for whoever sends to anbu or reads from it."""

# ruff: noqa: E501 -- a row of a Markdown table is one line

from datetime import UTC, datetime
from typing import Any

import msgspec

from anbu import docs_rights
from stream.kinds import PROOFS
from stream.records import (
    ALERTS,
    ARROW,
    DEAD_LETTERS,
    HOUSEHOLDS,
    JSON,
    METER,
    PHONE,
    QUALITIES,
    SCHEMA_VERSION,
    STATE,
    WIDE,
    WIDE_STATE,
    Absence,
    Alert,
    AreaWarning,
    DeadLetter,
    Household,
    Kind,
    MeterReading,
    Outcome,
    OutcomeCode,
    PhoneEvent,
    Reason,
    ReasonCode,
)
from stream.settings import Settings
from stream.topics import Topic, wanted

GENERATED = "<!-- Written by `python -m anbu.docs` from the types in the code: change those, not this. -->"

_DEAD, _COUNTED = "dead letter", "counted, never kept"
REASONS: dict[Reason, tuple[str, str]] = {
    Reason.unknown_schema: (_DEAD, "the `schema` header is missing or of a version this reader does not know"),
    Reason.unknown_content_type: (_DEAD, "the `content-type` header is missing or neither Arrow nor JSON"),
    Reason.truncated: (_DEAD, "the message is damaged: send it again"),
    Reason.empty: (_DEAD, "no rows and no `complete-until`: there is nothing to do"),
    Reason.wrong_type: (_DEAD, "a column or field is missing, unknown or of another type"),
    Reason.bad_household: (
        _DEAD,
        "the id is empty, longer than 64, or has other characters than `A-Z a-z 0-9 . _ : -`",
    ),
    Reason.bad_energy: (_DEAD, "negative, not a number, or more than a home can draw (Wh sent as kWh?)"),
    Reason.bad_interval: (_DEAD, "the interval is not 15, 30 or 60 minutes"),
    Reason.bad_quality: (_DEAD, "an unknown quality, or a number: it is a name"),
    Reason.bad_kind: (_DEAD, "an unknown kind of phone event, or a number: everybody's table of numbers is another"),
    Reason.bad_duration: (_DEAD, "a negative or absurd duration, or none of a `call_answered`"),
    Reason.bad_time: (_DEAD, "a time without zone, not at the start of an interval, or before 2000"),
    Reason.future: (_DEAD, "the time (`withdrawn` too) lies ahead of our clock by more than the skew of clocks: see the sender's"),
    Reason.before_enrolment: (_COUNTED, "from before the household's `since`: there was no consent to use it"),
    Reason.too_late: (_COUNTED, "older than the 7 days that are kept: it can mend nothing any more"),
    Reason.not_enrolled: (_COUNTED, "no enrolment, or consent withdrawn: never stored, not even as a dead letter"),
    Reason.foreign_feed: (
        "counted, one dead letter for all, without values",
        "the home's record names another feed for this signal, or none: only its own speaks for it",
    ),
    Reason.duplicate: (_COUNTED, "this slot is known with this value: writing it twice is writing it once"),
    Reason.wrong_partition: ("passed on, counted", "sent to another partition than the id's: it is moved and used"),
    Reason.withdrawn: (
        _DEAD,
        "a household's record of before its consent was withdrawn: it brings nobody back, and the withdrawal is said again",
    ),
    Reason.refused: (_DEAD, "an alert of ours that the broker does not take for its size or time; `sample` holds it"),
    Reason.too_large: (_DEAD, "more rows, bytes or columns than are read of one message: left unread; send it in parts"),
    Reason.compressed: (_DEAD, "compressed within the frame: left unread; send Arrow without compression"),
    Reason.worker_died: (_DEAD, "a worker ended twice while it was at this message: left unread; look at the message"),
}
"""What becomes of a row or message of each reason, and what it means."""

KINDS_ARE: dict[Kind, str] = {
    Kind.call_out: "the resident called; no leg that a forwarding makes",
    Kind.call_in: "a call came in and was connected, with whom is not known: voice mail it may be",
    Kind.call_missed: "it rang, nobody answered",
    Kind.sms_out: "the resident wrote; no receipt and no automatic answer",
    Kind.sms_in: "a message came in",
    Kind.data: "data was used, by whom is not known: phones do so by themselves",
    Kind.call_answered: "the carrier says that a person answered on the own handset; needs its `duration_s`",
    Kind.call_voicemail: "voice mail took it",
    Kind.call_forwarded: "it was forwarded to another number",
    Kind.call_rejected: "it was rejected, by a key or by the phone",
    Kind.call_blocked: "phone or network blocked it: it never rang",
    Kind.call_answered_elsewhere: "it was answered on another device",
}
"""What each kind is, for who sends it."""

_T = datetime(2026, 11, 2, 0, 15, tzinfo=UTC)
_ID = "h-7f3a91c2"
EXAMPLES: dict[str, msgspec.Struct] = {
    METER: MeterReading(_ID, _T, 0.042, 15),
    PHONE: PhoneEvent(_ID, _T.replace(minute=21), Kind.call_out, 95.0),
    HOUSEHOLDS: Household(
        _ID,
        since=datetime(2026, 9, 1, tzinfo=UTC),
        area="feeder-0412",
        dong="1168010100",
        risk="elevated",
        risk_since=datetime(2026, 10, 1, tzinfo=UTC),
        absences=(Absence(datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 27, tzinfo=UTC), "family"),),
        outcomes=(
            Outcome(datetime(2026, 10, 8, 1, 40, tzinfo=UTC), OutcomeCode.safe_answered),
            Outcome(
                datetime(2026, 10, 20, 2, 15, tzinfo=UTC), OutcomeCode.hospital,
                datetime(2026, 10, 19, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC),
            ),
        ),
    ),
    ALERTS: Alert(
        event="raised",
        alert_id="5c1d8a0be2f34796",
        household_id=_ID,
        kind="silence",
        level="caution",
        to="resident",
        at=datetime(2026, 11, 2, 9, 0, tzinfo=UTC),
        onset=datetime(2026, 11, 1, 21, 30, tzinfo=UTC),
        last_life=datetime(2026, 11, 1, 21, 15, tzinfo=UTC),
        return_period_days=112.0,
        reasons=(ReasonCode("quiet_hours", {"hours": 11.5, "usual_hours": 7.0}),),
        text_ko="평소 이 시간에는 전기와 전화를 쓰시는데, 11시간 30분째 사용이 없습니다.",
        text_en="Usually electricity and phone are in use at this hour; nothing has been used for 11 h 30 min.",
        area="feeder-0412",
        dong="1168010100",
        expected_hours=14.0,
    ),
    DEAD_LETTERS: DeadLetter(METER, 3, 1841207, Reason.bad_energy, "kwh is 42.0: send kWh per 15 minutes, 0 to 7.5"),
}
WARNING = AreaWarning(
    "feeder-0412", "heat", 2, datetime(2026, 7, 30, 1, tzinfo=UTC), datetime(2026, 8, 2, 12, tzinfo=UTC)
)
"""The other record on the topic of households."""

_ABOUT = {
    METER: """Energy used per interval. **Key**: `household_id` of a single record; none for a frame of many households.
A value that is not known is sent as null with quality `missing`, never as 0: a missing slot is not a silent one.
Schema: [meter_reading.json](schemas/meter_reading.json).""",
    PHONE: """Uses of the phone: times, kinds and seconds; never the other number, never content. **Key**: as above.
What each kind proves is in [the table of kinds](#kinds-of-phone-events).
Schema: [phone_event.json](schemas/phone_event.json).""",
    HOUSEHOLDS: """Who is enrolled, with all that is known of the household in every record. **Key**: `household_id`. The
newest record of a key holds. An empty value (tombstone) or `withdrawn` deletes everything kept of the household at
once. Limits and absences hold from the time each names; an absence always has an end. `feeds` names who speaks for this
home, `meter` and `phone` where it is left out, nobody where it is null: rows of any other feed are dropped from the
moment at which the record is read (`foreign_feed`).
Schema: [household.json](schemas/household.json).""",
    ALERTS: """What happened to an alert. **Key**: `household_id` (the area or the feed, where it is of no one household).
An alert on silence says what its home can tell at all: `expected_hours` to `caution` when its life stops, and in the
reasons why so many, or that it cannot be judged and by which fixed limit it is watched.
Written in the same transaction as the state that gave rise to it: read with `isolation.level=read_committed`.
Schema: [alert.json](schemas/alert.json).""",
    DEAD_LETTERS: """What could not be used, with its origin and its reason. **Key**: none. `sample` holds the rows
themselves, so this topic is as confidential as the readings. Schema: [dead_letter.json](schemas/dead_letter.json).""",
    STATE: "Internal: the blocks' changelog, from which a worker takes partitions over. Do not write, do not read.",
    WIDE: "Internal: what partitions tell the one judge of whole areas.",
    WIDE_STATE: "Internal: that judge's own changelog.",
}

_TERMS = """### Outcomes

How a case was closed, `at` which time, in `outcomes` of the household's record (at most 100: leave those of more than some
weeks ago out). `from` is `at` where it is not given. One that comes late mends the past as late data does.

| `code` | What it does to judging | `until` |
|---|---|---|
| `safe_answered`, `safe_visited`, `refused`, `needs_service` | a proof of life at `at`: an alert ends, silence begins anew; not learned as a use of the phone | - |
| `away_registered`, `away_unregistered`, `hospital` | an absence in [`from`, `until`): raises nothing, is not learned | required |
| `phone_problem` | the phone is not listened to in that time: neither its silence nor a use of it is evidence, nor is it learned | required |
| `data_problem` | readings of that time are as none at all; `data_gap` goes on as without them | required |
| `emergency_119` | an absence, where `until` is given | optional |
| `unreachable` | nothing is known: the alert stays, the home is watched on | - |
| `moved`, `deceased` | not judged any more from then on; `withdrawn` deletes | - |

### Warnings of heat and cold

A warning for an area shortens the limits of its homes by a factor (`limits.warning_factor` at level 1, 주의보;
`limits.alert_factor` at level 2, 경보) in the slots of [`from`, `until`). **Key**: `area/NAME/KIND`, `/` being no part of any
household's id. **It is sent to every partition**, as an area's homes are in all of them; `anbu warn`, `anbu ingest` and
`FrameProducer.send_warning` do. From its `from` on a record replaces what was said before of the area and kind, and what was
said of the time before stays: so a level that changes is a new record, and `until` = `from` lifts the warning. An empty value
says that none of it was true. At most 31 days long. Heat and cold at once: the smaller factor holds. Schema:
[area_warning.json](schemas/area_warning.json).

It travels here and not on a topic of its own so that a partition reads it in one order and under one offset with its
enrolments, and a worker of an older version beside a newer one is still given the same partitions.

```json
{warning}
```
"""

_HEADERS = f"""## Headers

On `{METER}`, `{PHONE}` and `{HOUSEHOLDS}`; all values are UTF-8 text.

| Header | Value | |
|---|---|---|
| `schema` | `{SCHEMA_VERSION}` | required; any other version is refused, not guessed |
| `content-type` | `{ARROW}` or `{JSON}` | required; `{HOUSEHOLDS}` is JSON only |
| `feed` | name of the source, such as `kepco` or `kt` | optional: `meter` or `phone`; speaks for the homes that name it; has its own watermark and settings |
| `complete-until` | RFC 3339, such as `2026-11-02T00:30:00Z` | optional: this feed has sent all it will send of this partition up to then |

**Watermark.** A slot is judged when its feeds are complete. With `complete-until` the feed says so itself, and a message
of 0 rows that has it is a heartbeat: for a small pilot's phone feed there is no other way to show that silence is
silence. Without it, a time counts as complete when the feed's own data is `feeds.<feed>.lateness_minutes` past it. Rows
that come later still mend the past for 7 days.

**Partition** = murmur2(`household_id`) mod partitions, as Kafka's own clients in Java and Python do by default when the
id is the key; `{METER}`, `{PHONE}` and `{HOUSEHOLDS}` have the same count. A frame holds rows of one partition. A row in
the wrong one (librdkafka's default partitioner differs) is passed on to the right one and counted.

**Again, late, shuffled.** A reading only ever writes the slot it speaks of. Send again whatever you are not sure of.
"""

_ARROW_COLUMNS = f"""## Arrow frames

One message = one Arrow IPC stream of up to 10,000 rows, not compressed: the fast way, the engine's cost being per message.
Columns by name, in any order; quality and duration may be left out (`measured`, 0).

| `{METER}` | Type | |
|---|---|---|
| `household_id` | utf8, or dictionary of utf8 | |
| `start` | timestamp[s, UTC] (finer units are rounded) | start of the interval |
| `kwh` | float32 | energy in the interval; null is `missing` |
| `minutes` | uint8 | 15, 30 or 60 |
| `quality` | utf8, or dictionary of utf8 | {", ".join(f"`{q}`" for q in QUALITIES)} |

| `{PHONE}` | Type | |
|---|---|---|
| `household_id` | utf8, or dictionary of utf8 | |
| `at` | timestamp[s, UTC] | |
| `kind` | utf8, or dictionary of utf8 | one of [the kinds](#kinds-of-phone-events), never a number |
| `duration_s` | float32 | seconds; 0 where there is none |

## JSON

One record, or an array of them, in one message. Times are RFC 3339 with a zone. A bad record of an array is
dead-lettered alone; the others are used.
"""

_LIFE = """## The life of an alert

`raised` → any number of `level_changed` (up or down) → `cleared`. All events of one alert share `alert_id`, a function of
household, kind and onset: the same input gives the same id, so a replay or a repair writes the same events again and a
reader keeps one of each (`alert_id`, `event`, `level`, `at`). Data that comes late and proves life clears an alert it should have
prevented, and its reasons say so. `drill: true` never reaches a real phone.

| Kind | Said of | Goes up to |
|---|---|---|
| `silence` | one household without signs of life | `serious`; one silent source alone at most `caution` |
| `data_gap` | one household without valid data | a person, after 24 h |
| `decline` | one household whose use, regularity or phone contacts drift down over weeks; at most one a month | `attention` |
| `reversal` | one household whose nights become its days; at most one a month | `attention` |
| `area_outage` | a large part of an area silent in one slot; its households are inhibited meanwhile | one event |
| `feed_stalled` | a feed that stopped; no household alert comes of it | operators |

`to` says whom it is for: `dashboard`, `resident` (the contact ladder), `person` (somebody is to look), `operator`. `strip`
has the last 7 days in 168 hourly columns with the person's own band; it is left out (null) of the example above.
"""


def page() -> str:
    """docs/topics.md."""
    topics = wanted(Settings.model_construct())
    rights = docs_rights.section(Settings.model_construct())
    parts = [f"# Topics\n\n{GENERATED}\n", _overview(topics), rights, _HEADERS, _ARROW_COLUMNS]
    parts += [_kinds(), *(_topic(topic) for topic in topics)]
    return "\n".join([*parts, _LIFE, _reasons()])


def _overview(topics: list[Topic]) -> str:
    lines = [
        "Names can have a prefix (`topic_prefix`). `anbu topics` makes them, and says what is wrong with those there are.",
        "",
        "| Topic | Partitions | Kept |",
        "|---|---|---|",
    ]
    for topic in topics:
        count = "1" if topic.partitions == 1 else "`partitions`"
        lines.append(f"| [`{topic.name}`](#{topic.name.replace('.', '')}) | {count} | {_kept(topic)} |")
    return "\n".join(lines) + "\n"


def _kinds() -> str:
    lines = [
        "## Kinds of phone events",
        "",
        "Only an outgoing use of the own phone, and a call of which the carrier says that a person answered it on that",
        "phone, prove that the resident lives. All else is a note at most, whatever its duration.",
        "",
        "| `kind` | Proves life | What it is |",
        "|---|---|---|",
    ]
    lines += [f"| `{kind}` | {'yes' if kind in PROOFS else 'no'} | {KINDS_ARE[kind]} |" for kind in Kind]
    return "\n".join(lines) + "\n"


def _kept(topic: Topic) -> str:
    if topic.config["cleanup.policy"] == "compact":
        return "the newest of each key (compacted), for ever"
    return f"{int(topic.config['retention.ms']) // 86_400_000} days"


def _topic(topic: Topic) -> str:
    text = f"## {topic.name}\n\n{_ABOUT[topic.name]}\n"
    if (example := EXAMPLES.get(topic.name)) is not None:
        text += f"\n```json\n{_pretty(example)}\n```\n"
    if topic.name == HOUSEHOLDS:
        text += "\n" + _TERMS.replace("{warning}", _pretty(WARNING))
    return text


def _pretty(record: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(record), indent=2).decode()


def _reasons() -> str:
    lines = ["## Reasons", "", "| Reason | What becomes of it | Why |", "|---|---|---|"]
    lines += [f"| `{reason.value}` | {fate} | {why} |" for reason, (fate, why) in REASONS.items()]
    return "\n".join(lines) + "\n"

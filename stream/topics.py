"""The topics: which there are and why they are kept as they are; making them, and checking those that exist."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError, for_code

from stream.kafka import BrokerUnreachableError, admin
from stream.records import ALERTS, DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, WIDE, WIDE_STATE
from stream.settings import Settings

_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
_MIB = 1024 * 1024
_ALTERED_S = 5.0
BROKERS_TIME = "LogAppendTime"
"""A record's time is the broker's: of a sender whose clock runs ahead it would refuse all that he sends."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be: plain name (without prefix), number of partitions, configuration."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A topic that is not as it should be: a sentence with the value found and what to mend, in both languages."""

    topic: str
    text_ko: str
    text_en: str

    def __str__(self) -> str:
        return f"{self.text_ko} · {self.text_en}"


def wanted(settings: Settings) -> list[Topic]:
    """All topics of these settings."""
    n = settings.partitions
    copies = {"min.insync.replicas": str(settings.broker.min_insync_replicas)}
    kinds = [
        # Two weeks: late data mends the past for 7 days, and a week is left for a worker that was down.
        (METER, n, _kept(days=14)),
        (PHONE, n, _kept(days=14)),
        (HOUSEHOLDS, n, _HOUSEHOLDS),
        # Alerts are few, and the record of what was said and when: a year, and the same season of the next.
        (ALERTS, n, _kept(days=400)),
        (DEAD_LETTERS, n, _kept(days=30)),
        (STATE, n, _CHANGELOG),
        # One partition, because one judge sees all areas.
        (WIDE, 1, _kept(days=14)),
        (WIDE_STATE, 1, _CHANGELOG),
    ]
    return [Topic(name, partitions, {**config, **copies}) for name, partitions, config in kinds]


def _kept(days: int) -> dict[str, str]:
    """A topic whose records are kept for some days. The time of a record is when it came to the broker, never when the
    reading was taken: a replay of old readings would otherwise be deleted on arrival."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * _DAY_MS),
        "message.timestamp.type": BROKERS_TIME,
        "max.message.bytes": str(4 * _MIB),
    }


_HOUSEHOLDS = {
    "cleanup.policy": "compact",
    "message.timestamp.type": BROKERS_TIME,
    "max.message.bytes": str(4 * _MIB),
    # A reader that was down for as long as the inputs are kept still learns that a household was deleted.
    "delete.retention.ms": str(14 * _DAY_MS),
    # Enrolments are few and small: without this the last of them would stay uncompacted in the open segment.
    "segment.ms": str(_DAY_MS),
}

_CHANGELOG = {
    # Compact only, never delete: the last row of a block is its state, however old it is.
    "cleanup.policy": "compact",
    "message.timestamp.type": BROKERS_TIME,
    "max.message.bytes": str(8 * _MIB),
    # Rows of some 1.5 KB are rewritten every few minutes, so nearly all of the log is outdated, and a worker that takes
    # a partition over reads all of it. What it reads is at most the live rows / (1 - dirty ratio) and the open
    # segment, which is never cleaned: so small segments, closed by time too (a quiet partition), and cleaning when
    # 30 % is outdated, which costs about three writes per row.
    "segment.bytes": str(32 * _MIB),
    "segment.ms": str(10 * _MINUTE_MS),
    "min.cleanable.dirty.ratio": "0.3",
    # However little is written: outdated rows, and those of a household whose consent ended, are gone in an hour.
    "max.compaction.lag.ms": str(60 * _MINUTE_MS),
    # Restoring takes a minute at most, so deletions and transaction markers need not be kept for the default day.
    "delete.retention.ms": str(10 * _MINUTE_MS),
}


def ensure(settings: Settings, timeout_s: float = 15.0) -> list[Problem]:
    """Make the topics that are missing, wait until they can be used, and say what is wrong with those that existed.

    Of what exists only the kind of time stamp is altered, which costs nothing and loses nothing. Safe to run again
    and by several processes at once.

    Raises:
        BrokerUnreachableError: when no broker answers, or it refuses to make a topic.
    """
    with admin(settings, timeout_s) as client:
        names = [settings.topic(topic.name) for topic in wanted(settings)]
        there = set(_partitions(client, names))
        new = {
            settings.topic(topic.name): {
                "num_partitions": topic.partitions,
                "replication_factor": settings.broker.replication_factor,
                "configs": dict(topic.config),
            }
            for topic in wanted(settings)
            if settings.topic(topic.name) not in there
        }
        if new:
            _create(client, new)
            client.wait_for_topics(names, timeout_ms=int(timeout_s * 1000))
        _stamp_by_broker(client, there)
        return _problems(client, settings)


def check(settings: Settings, timeout_s: float = 15.0) -> list[Problem]:
    """What is wrong with the topics; empty when all is well. Changes nothing.

    Raises:
        BrokerUnreachableError: when no broker answers.
    """
    with admin(settings, timeout_s) as client:
        return _problems(client, settings)


def _create(client: KafkaAdminClient, new: dict[str, Any]) -> None:
    for answer in client.create_topics(new, raise_errors=False)["topics"]:
        error = for_code(answer["error_code"])
        if answer["error_code"] and error is not TopicAlreadyExistsError:  # another process was faster: as well
            why = answer.get("error_message") or error.__name__
            raise BrokerUnreachableError(
                f"the broker does not make the topic {answer['name']} ({why}): mend the setting it names, "
                "give this user the right to create topics, or have them made by `anbu topics` with one that has it"
            )


def _stamp_by_broker(client: KafkaAdminClient, names: Iterable[str]) -> None:
    """Have the broker stamp the records of topics that an earlier version made; who may not do so is told by check."""
    key = "message.timestamp.type"
    found = _configs(client, names)
    wrong = [name for name in names if found.get(name, {}).get(key) not in (None, BROKERS_TIME)]
    if wrong:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, {key: BROKERS_TIME}) for name in wrong]
        client.alter_configs(resources, raise_on_unknown=False)
        until = time.monotonic() + _ALTERED_S  # the broker takes a moment to show it
        while time.monotonic() < until:
            if all(values[key] == BROKERS_TIME for values in _configs(client, wrong).values()):
                break
            time.sleep(0.1)


def _configs(client: KafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """Topic name -> its configuration."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = client.describe_configs(resources, config_filter="all").get("topic", {}) if resources else {}
    return {name: {key: entry["value"] for key, entry in values.items()} for name, values in found.items()}


def _partitions(client: KafkaAdminClient, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Topic name -> its partitions, for those of the names that exist."""
    return {t["name"]: t["partitions"] for t in client.describe_topics(names) if t["error_code"] == 0}


def _problems(client: KafkaAdminClient, settings: Settings) -> list[Problem]:
    names = [settings.topic(topic.name) for topic in wanted(settings)]
    there = _partitions(client, names)
    configs = _configs(client, there)
    problems: list[Problem] = []
    for topic in wanted(settings):
        name = settings.topic(topic.name)
        if name not in there:
            problems.append(_missing(name))
            continue
        copies = min((len(p["replica_nodes"]) for p in there[name]), default=0)
        config, wanted_copies = configs.get(name, {}), settings.broker.replication_factor
        problems += judge(topic, name, len(there[name]), copies, config, wanted_copies)
    return problems


def judge(
    topic: Topic, name: str, partitions: int, copies: int, config: Mapping[str, str | None], wanted_copies: int
) -> list[Problem]:
    """What is wrong with an existing topic of this name, given how it is. Only what would lose or stop something:
    a longer retention or other segments are the operator's to choose."""
    found = []
    if partitions != topic.partitions:
        found.append(_wrong_partitions(topic, name, partitions))
    if copies < wanted_copies:
        found.append(_wrong_copies(name, copies, wanted_copies))
    found += [
        _wrong_config(name, key, config[key], topic.config[key])
        for key in ("cleanup.policy", "message.timestamp.type")
        if key in config and config[key] != topic.config[key]
    ]
    largest = config.get("max.message.bytes")
    if largest is not None and int(largest) < int(topic.config["max.message.bytes"]):
        found.append(_wrong_config(name, "max.message.bytes", largest, topic.config["max.message.bytes"]))
    return found


def _missing(name: str) -> Problem:
    return Problem(
        name,
        f"토픽 {name}이(가) 없습니다: `anbu topics`로 만드십시오",
        f"topic {name} does not exist: make it with `anbu topics`",
    )


def _wrong_partitions(topic: Topic, name: str, found: int) -> Problem:
    if topic.partitions == 1:
        ko = "토픽을 지우고 `anbu topics`로 다시 만드십시오"
        en = "delete the topic and make it again with `anbu topics`"
    else:
        ko = f"모두 그렇다면 ANBU_PARTITIONS={found}, 아니면 입력을 멈추고 토픽을 지운 뒤 `anbu topics`로 만드십시오"
        en = (
            f"set ANBU_PARTITIONS={found} if all topics have so many, or stop all inputs, delete the topics and make "
            "them again with `anbu topics` (adding partitions would move households away from their state)"
        )
    return Problem(
        name,
        f"토픽 {name}의 파티션이 {found}개입니다 ({topic.partitions}개여야 합니다): {ko}",
        f"topic {name} has {found} partitions, not {topic.partitions}: {en}",
    )


def _wrong_copies(name: str, found: int, wanted_copies: int) -> Problem:
    return Problem(
        name,
        f"토픽 {name}의 복제본이 {found}개입니다 ({wanted_copies}개여야 합니다): 파티션 재할당으로 늘리십시오",
        f"topic {name} has {found} copies, not {wanted_copies}: add some with kafka-reassign-partitions",
    )


def _wrong_config(name: str, key: str, found: str | None, should: str) -> Problem:
    command = f"kafka-configs --alter --topic {name} --add-config {key}={should}"
    return Problem(
        name,
        f"토픽 {name}의 {key} 값이 {found}입니다 ({should}이어야 합니다): `{command}`",
        f"topic {name} has {key}={found}, not {should}: `{command}`",
    )

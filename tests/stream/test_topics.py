"""Which topics there are, and what counts as wrong with one: no broker needed."""

from dataclasses import replace

import pytest

from stream.records import ALERTS, DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, WIDE, WIDE_STATE
from stream.settings import Settings
from stream.topics import Topic, judge, wanted

DAY_MS = 86_400_000


def _topics(**values: object) -> dict[str, Topic]:
    return {topic.name: topic for topic in wanted(Settings(**values))}  # type: ignore[arg-type]


def test_everything_of_a_household_has_one_partition_count() -> None:
    """Inputs, state, alerts and dead letters agree; the judge of whole areas has one partition."""
    topics = _topics(partitions=16)
    assert {n: topics[n].partitions for n in topics} == {
        **dict.fromkeys((METER, PHONE, HOUSEHOLDS, ALERTS, DEAD_LETTERS, STATE), 16),
        WIDE: 1,
        WIDE_STATE: 1,
    }


def test_inputs_are_kept_longer_than_late_data_may_be() -> None:
    """Readings are never compacted away, and stay for twice the 7 days in which they may still mend the past."""
    for name in (METER, PHONE):
        config = _topics()[name].config
        assert config["cleanup.policy"] == "delete"
        assert int(config["retention.ms"]) == 14 * DAY_MS


def test_state_is_never_deleted() -> None:
    """Changelogs are compacted only: an old row is still somebody's state."""
    for name in (STATE, WIDE_STATE, HOUSEHOLDS):
        assert _topics()[name].config["cleanup.policy"] == "compact"
        assert "retention.ms" not in _topics()[name].config


METER_TOPIC = Topic(METER, 8, {**_topics()[METER].config})


def test_a_topic_as_wanted_is_no_problem() -> None:
    """Exactly what we asked for is right."""
    assert judge(METER_TOPIC, METER, 8, 1, METER_TOPIC.config, 1) == []


def test_longer_retention_is_the_operators_to_choose() -> None:
    """What only costs disk is not a problem."""
    config = {**METER_TOPIC.config, "retention.ms": str(90 * DAY_MS), "max.message.bytes": str(16 << 20)}
    assert judge(METER_TOPIC, METER, 8, 3, config, 1) == []


@pytest.mark.parametrize(
    ("partitions", "copies", "changed", "says"),
    [
        (6, 3, {}, "has 6 partitions, not 8: set ANBU_PARTITIONS=6"),
        (8, 1, {}, "has 1 copies, not 3"),
        (8, 3, {"cleanup.policy": "compact"}, "cleanup.policy=compact, not delete"),
        (8, 3, {"message.timestamp.type": "CreateTime"}, "message.timestamp.type=CreateTime, not LogAppendTime"),
        (8, 3, {"max.message.bytes": "1048588"}, "max.message.bytes=1048588, not 4194304"),
    ],
)
def test_what_would_lose_or_stop_something_is_a_problem(
    partitions: int, copies: int, changed: dict[str, str], says: str
) -> None:
    """Each is told with the value found and the value it should have."""
    problems = judge(METER_TOPIC, "p.meter.readings", partitions, copies, {**METER_TOPIC.config, **changed}, 3)
    assert [problem.topic for problem in problems] == ["p.meter.readings"]
    assert says in problems[0].text_en


def test_one_partition_too_many_is_not_mended_by_a_setting() -> None:
    """The wide topic's single partition does not depend on ANBU_PARTITIONS, so the advice does not name it."""
    wide = replace(_topics()[WIDE])
    (problem,) = judge(wide, WIDE, 8, 1, wide.config, 1)
    assert "ANBU_PARTITIONS" not in problem.text_en

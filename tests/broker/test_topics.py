"""Topics on a real broker."""

from collections.abc import Callable

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.kafka.broker import LocalBroker
from stream import topics
from stream.kafka import BrokerUnreachableError, admin
from stream.records import HOUSEHOLDS, METER, STATE, WIDE
from stream.settings import BrokerSettings, Settings

pytestmark = pytest.mark.broker


def test_ensure_makes_every_topic_so_that_check_is_content(settings: Settings) -> None:
    """After ensure there is nothing to mend."""
    assert topics.check(settings) == []


def test_ensure_again_changes_nothing(settings: Settings) -> None:
    """Running it a second time finds no problem and raises nothing."""
    assert topics.ensure(settings) == []


def test_check_names_every_missing_topic(broker: LocalBroker, make_settings: Callable[..., Settings]) -> None:
    """Before ensure, check names each topic, and makes none."""
    settings = make_settings(broker)
    for _ in range(2):
        assert [p.topic for p in topics.check(settings)] == [settings.topic(t.name) for t in topics.wanted(settings)]


def test_a_wrong_partition_count_is_found_and_left_alone(
    broker: LocalBroker, make_settings: Callable[..., Settings]
) -> None:
    """A topic with another partition count is a problem that names both counts; it keeps its partitions."""
    settings = make_settings(broker, partitions=4)
    name = settings.topic(METER)
    with admin(settings) as client:
        client.create_topics({name: {"num_partitions": 3, "replication_factor": 1}})
        problems = [p for p in topics.ensure(settings) if "partitions" in p.text_en]
        assert [p.topic for p in problems] == [name]
        assert "has 3 partitions, not 4" in problems[0].text_en
        assert len(client.describe_topics([name])[0]["partitions"]) == 3


def test_a_compacted_input_is_found(broker: LocalBroker, make_settings: Callable[..., Settings]) -> None:
    """An input topic that somebody made compacted would lose readings: ensure says so."""
    settings = make_settings(broker)
    name = settings.topic(METER)
    new = {name: {"num_partitions": 4, "replication_factor": 1, "configs": {"cleanup.policy": "compact"}}}
    with admin(settings) as client:
        client.create_topics(new)
    problems = topics.ensure(settings)
    assert [p.topic for p in problems if "cleanup.policy=compact, not delete" in p.text_en] == [name]


def test_the_broker_keeps_the_configuration_asked_for(settings: Settings) -> None:
    """State is compacted only, households too; the wide topic has one partition."""
    names = [settings.topic(n) for n in (STATE, HOUSEHOLDS, WIDE)]
    with admin(settings) as client:
        resources = [ConfigResource(ConfigResourceType.TOPIC, n) for n in names]
        configs = client.describe_configs(resources, config_filter="all")["topic"]
        policies = [configs[n]["cleanup.policy"]["value"] for n in names]
        counts = [len(client.describe_topics([n])[0]["partitions"]) for n in names]
    assert policies == ["compact", "compact", "delete"]
    assert counts == [4, 4, 1]


def test_no_broker_is_one_clear_line(make_settings: Callable[..., Settings], broker: LocalBroker) -> None:
    """Where nobody listens, the error names the address and the setting."""
    settings = make_settings(broker)
    nobody = settings.model_copy(update={"broker": BrokerSettings(bootstrap="127.0.0.1:19")})
    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:19.*ANBU_BROKER__BOOTSTRAP"):
        topics.check(nobody, timeout_s=1)

"""Each user of the broker at work and at mischief: what the table gives goes, and nothing else does."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from kafka import TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError as AdminError

from deploy.kafka.broker import LocalBroker
from stream import acls, rights, topics
from stream.kafka import admin, client_options
from stream.producer import FrameProducer
from stream.records import ALERTS, DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE, WIDE, WIDE_STATE, Household
from stream.rights import TOPICS, Role
from stream.settings import BrokerSettings, Settings
from tests.broker import rawlogin
from tests.broker.onbroker import records

pytestmark = pytest.mark.broker
ALL = (METER, PHONE, HOUSEHOLDS, ALERTS, DEAD_LETTERS, STATE, WIDE, WIDE_STATE)
ROLES: tuple[Role, ...] = ("worker", "http", "response", "operator")
LIMIT_S = 20
NOT_AUTHORIZED = 29
FORGED = Household("h1", datetime(2026, 1, 1, tzinfo=UTC), withdrawn=True)


@pytest.fixture
def acting(broker: LocalBroker, settings: Settings) -> Callable[[Role], Settings]:
    """The settings of a role on the shared broker, in this test's topics."""

    def given(role: Role) -> Settings:
        return settings.model_copy(update={"broker": BrokerSettings(**broker.login(role))})  # type: ignore[arg-type]

    return given


async def writes(settings: Settings, topic: str) -> bool:
    """Whether a record is taken."""
    async with AIOKafkaProducer(**client_options(settings), acks="all") as producer:
        try:
            await asyncio.wait_for(producer.send_and_wait(topic, b"x", b"k", partition=0), LIMIT_S)
            return True
        except TopicAuthorizationFailedError:
            return False


def fetched(broker: LocalBroker, role: Role, topic: str) -> int:
    """Error with which a role is answered that wants to read a topic."""
    login = broker.login(role)
    return rawlogin.fetched(broker.port, login["sasl_username"], login["sasl_password"], topic)


@pytest.mark.parametrize("role", ROLES)
async def test_a_user_reads_and_writes_what_the_table_says(
    role: Role, acting: Callable[[Role], Settings], broker: LocalBroker, settings: Settings
) -> None:
    """Every topic tried both ways, on the broker itself."""
    names = {topic: settings.topic(topic) for topic in ALL}
    mine, may = acting(role), TOPICS[role]
    written = {topic for topic, name in names.items() if await writes(mine, name)}
    read = {topic for topic, name in names.items() if not fetched(broker, role, name)}
    assert written == {topic for topic, operations in may.items() if "WRITE" in operations}
    assert read == {topic for topic, operations in may.items() if "READ" in operations}


async def test_the_ingest_endpoint_forges_no_withdrawal(
    acting: Callable[[Role], Settings], settings: Settings
) -> None:
    """The user of what is reached from outside: the record that deleted a person is refused, its readings are taken."""
    async with FrameProducer(acting("http"), answer_s=LIMIT_S) as producer:
        with pytest.raises(KafkaError):
            await producer.send_household(FORGED)
        with pytest.raises(KafkaError):
            await producer.send_household("h1")
        assert await producer.heartbeat("meter", "kepco", 1_790_000_000) == settings.partitions
    assert await records(settings, HOUSEHOLDS) == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("topic", ["__consumer_offsets", "__transaction_state", "__cluster_metadata"])
async def test_nobody_reads_or_writes_the_brokers_own_topics(
    role: Role, topic: str, broker: LocalBroker, acting: Callable[[Role], Settings]
) -> None:
    """Where groups are, which transactions stand, and who may what."""
    mine = acting(role)
    assert fetched(broker, role, topic) == NOT_AUTHORIZED
    with pytest.raises((KafkaError, TimeoutError)):
        async with AIOKafkaProducer(**client_options(mine), request_timeout_ms=2000) as producer:
            await asyncio.wait_for(producer.send_and_wait(topic, b"x", b"k"), 4)


@pytest.mark.parametrize("role", ["http", "response", "operator"])
async def test_nobody_fences_a_worker(role: Role, acting: Callable[[Role], Settings], settings: Settings) -> None:
    """Who may not begin its transactions cannot end them either; nor with an id that only begins like a worker's."""
    for name in ("0", "wide", "0-and-more"):
        thief = AIOKafkaProducer(
            **client_options(acting(role)), transactional_id=f"{rights.transactions(settings)}{name}"
        )
        with pytest.raises(KafkaError, match=r"(?i)transactional|auth"):
            await asyncio.wait_for(thief.start(), LIMIT_S)
        await thief.stop()


@pytest.mark.parametrize("role", ["http", "response", "operator"])
async def test_nobody_joins_the_workers_group(
    role: Role, acting: Callable[[Role], Settings], settings: Settings
) -> None:
    """A member that reads nothing would be given partitions, which nobody would judge any more."""
    topic = settings.topic(METER)
    thief = AIOKafkaConsumer(topic, **client_options(acting(role)), group_id=rights.group(settings))
    with pytest.raises(KafkaError, match="Authorization"):
        await asyncio.wait_for(_join(thief), LIMIT_S)
    await asyncio.wait_for(thief.stop(), LIMIT_S)


async def _join(consumer: AIOKafkaConsumer) -> None:
    await consumer.start()
    await consumer.getone()


@contextmanager
def refused(other: str = "") -> Iterator[None]:
    """By an error, not by silence."""
    with pytest.raises(AdminError, match=f"(?i)auth{other}"):
        yield


@pytest.mark.parametrize("role", ROLES)
def test_nobody_but_the_admin_changes_anything(
    role: Role, acting: Callable[[Role], Settings], settings: Settings
) -> None:
    """Topics made, deleted, emptied, altered; groups deleted; rights given and looked at; passwords changed."""
    mine, name = acting(role), settings.topic(HOUSEHOLDS)
    with admin(mine) as client:
        with refused():
            client.create_topics({f"{settings.topic_prefix}new": {"num_partitions": 1, "replication_factor": 1}})
        with refused():
            client.delete_topics([name])
        assert "uthoriz" in _shortened(client, name)
        with refused("|not known"):  # of a topic of which one may know nothing
            client.delete_records({TopicPartition(name, 0): 0})
        deleted = _deleted(client, rights.group(settings))  # the workers' own, which may not have formed yet
        assert re.search("(?i)auth|coordinator", deleted), deleted
        with pytest.raises(acls.NotToldError, match="Describe on the cluster"):
            acls.check(mine)
        mighty = ResourcePattern(ResourceType.TOPIC, name)
        right = ACL(f"User:anbu-{role}", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, mighty)
        assert client.create_acls([right])["failed"]
        stolen = UserScramCredentialUpsertion("anbu-admin", ScramMechanism.SCRAM_SHA_512, "known")
        assert "needs ALTER" in str(client.alter_user_scram_credentials([stolen])["anbu-admin"])
    assert topics.check(settings) == []
    assert acls.check(settings) == []


def _deleted(client: KafkaAdminClient, group: str) -> str:
    try:
        return str(client.delete_groups([group]))
    except AdminError as e:
        return f"{type(e).__name__}: {e}"


def _shortened(client: KafkaAdminClient, name: str) -> str:
    shorter = ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "100"})
    return str(client.alter_configs([shorter], raise_on_unknown=False))


def test_rights_are_made_once_and_what_is_too_wide_is_taken_back(
    broker: LocalBroker, make_settings: Callable[..., Settings]
) -> None:
    """Missing ones are named and made; a second time changes nothing; a right beyond the table is named, and on our own
    broker taken away again, of nobody but our users."""
    settings = make_settings(broker)
    topics.ensure(settings)
    assert len(acls.check(settings)) == len(rights.rights(settings))
    assert acls.ensure(settings) == []
    assert acls.ensure(settings) == []
    pattern = ResourcePattern(ResourceType.TOPIC, settings.topic(HOUSEHOLDS))
    wide = [ACL(f"User:{who}", "*", ACLOperation.WRITE, ACLPermissionType.ALLOW, pattern) for who in ("anbu-http", "x")]
    with admin(settings) as client:
        client.create_acls(wide)
    assert [p.topic for p in acls.ensure(settings)] == [pattern.resource_name] * 2
    (left,) = acls.ensure(settings, narrow=True)
    assert "User:x may do too much" in left.text_en
    assert len(acls.check(settings)) == 1

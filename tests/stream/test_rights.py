"""Who may do what: the table holds its promises, and what a cluster has is judged by it."""

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from stream import acls, rights
from stream.brokers import BrokerSettings, UserSettings
from stream.records import ALERTS, DEAD_LETTERS, HOUSEHOLDS, METER, PHONE, STATE
from stream.rights import Right
from stream.settings import Settings

PLAIN = Settings()
CITY = Settings(topic_prefix="city.", broker=BrokerSettings(users=UserSettings(worker="CN=w,O=c")))


def acl(
    user: str, operation: str, kind: str, name: str, how: str = "LITERAL", allow: str = "ALLOW", host: str = "*"
) -> ACL:
    """An ACL as a broker tells it."""
    pattern = ResourcePattern(ResourceType[kind], name, ACLResourcePatternType[how])
    return ACL(f"User:{user}", host, ACLOperation[operation], ACLPermissionType[allow], pattern)


def given(settings: Settings) -> list[ACL]:
    """The rights as they should be."""
    return [
        acl(r.user, r.operation, r.kind, r.name, "PREFIXED" if r.prefixed else "LITERAL")
        for r in rights.rights(settings)
    ]


def who(operation: str, topic: str) -> set[str]:
    """Users who may do this on a topic."""
    return {r.user for r in rights.rights(PLAIN) if (r.operation, r.name) == (operation, topic)}


def test_what_is_reached_from_outside_sends_and_does_nothing_else() -> None:
    """The ingest endpoint writes its two inputs; of people it neither knows nor deletes anybody."""
    assert {(r.operation, r.name) for r in rights.rights(PLAIN) if r.user == "anbu-http"} == {
        ("WRITE", METER), ("WRITE", PHONE),
    }  # fmt: skip


def test_nobody_but_these_writes_and_reads_what_is_of_people() -> None:
    """Each of these is a sentence of docs/security.md."""
    assert who("WRITE", HOUSEHOLDS) == {"anbu-worker", "anbu-response", "anbu-operator"}
    assert who("WRITE", ALERTS) == who("WRITE", STATE) == {"anbu-worker"}
    assert who("READ", STATE) == who("READ", METER) == {"anbu-worker"}
    assert who("READ", ALERTS) == {"anbu-response", "anbu-operator"}
    assert who("READ", DEAD_LETTERS) == {"anbu-operator"}
    others = [r for r in rights.rights(PLAIN) if r.kind != "TOPIC"]
    assert {r.user for r in others} == {"anbu-worker"}
    assert not [r for r in rights.rights(PLAIN) if r.user == "anbu-admin"]


def test_names_and_users_are_those_of_the_settings() -> None:
    """A prefix for topics, group and transactions; a certificate's name for a user."""
    assert Right("CN=w,O=c", "TOPIC", "city.state", "WRITE") in rights.rights(CITY)
    assert Right("CN=w,O=c", "GROUP", "city.anbu", "READ") in rights.rights(CITY)
    assert Right("CN=w,O=c", "TRANSACTIONAL_ID", "city.anbu-", "WRITE", prefixed=True) in rights.rights(CITY)
    assert all(r.name.startswith("city.") for r in rights.rights(CITY))


@pytest.mark.parametrize("settings", [PLAIN, CITY])
def test_as_it_should_be_nothing_is_missing_or_too_wide(settings: Settings) -> None:
    """And with nothing at all, everything is missing."""
    assert acls.problems(given(settings), settings) == []
    assert acls.missing_of([], settings) == rights.rights(settings)


def test_a_right_that_is_missing_is_named() -> None:
    """User, what, on which topic, and the command, in both languages."""
    lacking = [a for a in given(PLAIN) if not (a.principal == "User:anbu-response" and a.operation.name == "WRITE"
               and a.resource_pattern.resource_name == HOUSEHOLDS)]  # fmt: skip
    (found,) = acls.problems(lacking, PLAIN)
    assert "anbu-response" in found.text_en
    assert "WRITE · topic households" in found.text_en
    assert "`anbu topics`" in found.text_ko


def test_a_wider_pattern_gives_as_much_but_is_told_of_our_users() -> None:
    """All topics of a prefix, all operations, one address alone: the right is there; what is beyond it is too much."""
    meter = [a for a in given(CITY) if a.principal == "User:anbu-http"]
    rest = [a for a in given(CITY) if a not in meter]
    for wider in (acl("anbu-http", "WRITE", "TOPIC", "city.", "PREFIXED"), acl("anbu-http", "WRITE", "TOPIC", "*"),
                  acl("anbu-http", "ALL", "TOPIC", "city.", "PREFIXED")):  # fmt: skip
        assert acls.missing_of([*rest, wider], CITY) == []
        assert acls.wide_of([*rest, wider], CITY) == [wider]
    at_home = acl("anbu-http", "WRITE", "TOPIC", "city." + METER, host="10.0.0.1")
    assert acls.wide_of([*given(CITY), at_home], CITY) == []


@pytest.mark.parametrize(
    "wide",
    [
        acl("*", "READ", "TOPIC", ALERTS),
        acl("*", "WRITE", "TOPIC", METER),
        acl("*", "READ", "TOPIC", "*"),
        acl("*", "ALTER", "CLUSTER", "kafka-cluster"),
        acl("*", "READ", "GROUP", "*"),
        acl("anbu-http", "WRITE", "TOPIC", HOUSEHOLDS),
        acl("anbu-http", "READ", "TOPIC", "m", "PREFIXED"),
        acl("anbu-response", "WRITE", "TOPIC", METER),
        acl("anbu-worker", "CREATE", "CLUSTER", "kafka-cluster"),
        acl("anbu-worker", "DELETE", "TOPIC", STATE),
        acl("anbu-operator", "ALL", "TRANSACTIONAL_ID", "*"),
        acl("somebody", "WRITE", "TOPIC", HOUSEHOLDS),
        acl("somebody", "ALL", "TOPIC", "house", "PREFIXED"),
        acl("somebody", "ALTER_CONFIGS", "TOPIC", ALERTS),
        acl("somebody", "WRITE", "TOPIC", "*"),
        acl("somebody", "READ", "GROUP", "anbu"),
        acl("somebody", "WRITE", "TRANSACTIONAL_ID", "anbu-3"),
        acl("somebody", "WRITE", "TRANSACTIONAL_ID", "a", "PREFIXED"),
    ],
    ids=str,
)
def test_what_is_too_wide_is_found(wide: ACL) -> None:
    """Given to anybody; to a user of ours beyond the table; to somebody else who could forge, fence or take over."""
    assert acls.wide_of([*given(PLAIN), wide], PLAIN) == [wide]


@pytest.mark.parametrize(
    "well",
    [
        acl("meter-company", "WRITE", "TOPIC", METER),
        acl("dashboard", "READ", "TOPIC", ALERTS),
        acl("somebody", "ALL", "TOPIC", "orders"),
        acl("somebody", "READ", "GROUP", "another"),
        acl("somebody", "ALL", "TRANSACTIONAL_ID", "orders-", "PREFIXED"),
        acl("anbu-worker", "DESCRIBE", "TOPIC", STATE),
        acl("anbu-worker", "IDEMPOTENT_WRITE", "CLUSTER", "kafka-cluster"),
        acl("anbu-http", "WRITE", "TOPIC", HOUSEHOLDS, allow="DENY"),
        acl("anbu-admin", "ALL", "TOPIC", "*"),
        acl("anbu-admin", "ALTER", "CLUSTER", "kafka-cluster"),
    ],
    ids=str,
)
def test_what_is_an_operators_to_choose_is_not(well: ACL) -> None:
    """A sender on its input, a reader of alerts, other people's topics, what our table implies, the admin."""
    assert acls.wide_of([*given(PLAIN), well], PLAIN) == []


def test_one_user_for_all_roles_has_what_all_may() -> None:
    """A cluster that knows one user: nothing is missing, and nothing that any role may do is too much."""
    one = UserSettings(worker="anbu", http="anbu", response="anbu", operator="anbu", admin="anbu")
    settings = Settings(broker=BrokerSettings(users=one))
    assert acls.problems(given(settings), settings) == []

"""The rights of ``stream/rights.py`` at the broker, as its ACLs: made where they are missing, and looked at."""

import time
from collections.abc import Collection, Iterable

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import ClusterAuthorizationFailedError, SecurityDisabledError

from stream import rights
from stream.kafka import admin
from stream.rights import OURS_TO_WRITE, TOPICS, Right
from stream.settings import Settings
from stream.topics import Problem, wanted

_MADE_S = 5.0
_ANYBODY = "User:*"
_HARMLESS = {ACLOperation.DESCRIBE, ACLOperation.IDEMPOTENT_WRITE}
"""At the cluster: neither reads nor changes anything."""
_LOOKS = {ACLOperation.READ, ACLOperation.DESCRIBE, ACLOperation.DESCRIBE_CONFIGS}
_IMPLIES = {ACLOperation.READ: ACLOperation.DESCRIBE, ACLOperation.WRITE: ACLOperation.DESCRIBE}


class NoAuthorizerError(Exception):
    """The cluster asks nobody for rights: whoever reaches it may do everything."""


class NotToldError(Exception):
    """This user may not look at the rights, or not give any."""


def ensure(settings: Settings, narrow: bool = False, timeout_s: float = 15.0) -> list[Problem]:
    """Give the rights that are missing, and say which are too wide; ``narrow``: of our own users take those away. Safe
    to run again and by several at once.

    Raises:
        BrokerUnreachableError, NoAuthorizerError, NotToldError.
    """
    with admin(settings, timeout_s) as client:
        found = _found(client)
        missing = missing_of(found, settings)
        if missing and client.create_acls([_acl(right) for right in missing])["failed"]:
            raise NotToldError("this user may not give rights (Alter on the cluster)")
        if narrow and (wide := [acl for acl in wide_of(found, settings) if acl.principal in _users(settings)]):
            client.delete_acls([_only(acl) for acl in wide])
        until = time.monotonic() + _MADE_S  # the broker takes a moment to show it
        while missing and missing_of(found := _found(client), settings) and time.monotonic() < until:
            time.sleep(0.05)
        return problems(found if not narrow else _found(client), settings)


def check(settings: Settings, timeout_s: float = 15.0) -> list[Problem]:
    """Which rights are missing or too wide; changes nothing. Raises as ``ensure``."""
    with admin(settings, timeout_s) as client:
        return problems(_found(client), settings)


def problems(found: Collection[ACL], settings: Settings) -> list[Problem]:
    """What is wrong with the rights of a cluster, one sentence for each."""
    told = [_missing(right) for right in missing_of(found, settings)]
    return told + [_wide(acl) for acl in wide_of(found, settings)]


def missing_of(found: Collection[ACL], settings: Settings) -> list[Right]:
    """Rights that nothing found gives, be it by a wider pattern."""
    return [right for right in rights.rights(settings) if not any(_gives(acl, right) for acl in found)]


def wide_of(found: Iterable[ACL], settings: Settings) -> list[ACL]:
    """What is found on our topics, group and transactions, or at the cluster, that is given to anybody, to a user of
    ours beyond our table, or to somebody else who could write what is ours to write."""
    should, ours = set(map(_acl_key, map(_acl, rights.rights(settings)))), _users(settings)
    return [
        acl
        for acl in found
        if acl.permission_type == ACLPermissionType.ALLOW and _acl_key(acl) not in should
        and acl.principal != _principal(settings.broker.users.admin) and _too_wide(acl, acl.principal in ours, settings)
    ]  # fmt: skip


def _too_wide(acl: ACL, our_user: bool, settings: Settings) -> bool:
    pattern = acl.resource_pattern
    if pattern.resource_type == ResourceType.CLUSTER:
        return (our_user or acl.principal == _ANYBODY) and acl.operation not in _HARMLESS
    touched = [name for name in _names(pattern.resource_type, settings) if _covers(pattern, name)]
    if not touched:
        return False
    if our_user:
        return not _is_implied(acl, settings)
    if acl.principal == _ANYBODY or pattern.resource_type != ResourceType.TOPIC:
        return True
    written = {settings.topic(topic) for topic in OURS_TO_WRITE}
    return acl.operation not in _LOOKS and any(name in written for name in touched)


def _is_implied(acl: ACL, settings: Settings) -> bool:
    """Whether it gives no more than what the table implies, such as to describe what one may read."""
    return acl.resource_pattern.pattern_type == ACLResourcePatternType.LITERAL and any(
        _principal(right.user) == acl.principal and right.name == acl.resource_pattern.resource_name
        and ResourceType[right.kind] == acl.resource_pattern.resource_type
        and acl.operation in (ACLOperation[right.operation], _IMPLIES.get(ACLOperation[right.operation]))
        for right in rights.rights(settings)
    )  # fmt: skip


def _names(kind: ResourceType, settings: Settings) -> list[str]:
    """Our resources of a kind, by full name."""
    if kind == ResourceType.TOPIC:
        return [settings.topic(topic.name) for topic in wanted(settings)]
    if kind == ResourceType.GROUP:
        return [rights.group(settings)]
    return [rights.transactions(settings)] if kind == ResourceType.TRANSACTIONAL_ID else []


def _covers(pattern: ResourcePattern, name: str) -> bool:
    if pattern.pattern_type == ACLResourcePatternType.PREFIXED:
        return name.startswith(pattern.resource_name)
    if pattern.resource_type == ResourceType.TRANSACTIONAL_ID and pattern.resource_name.startswith(name):
        return True  # one of our transactions
    return pattern.resource_name in (name, "*")


def _gives(acl: ACL, right: Right) -> bool:
    return (
        acl.permission_type == ACLPermissionType.ALLOW
        and acl.principal in (_principal(right.user), _ANYBODY)
        and acl.operation in (ACLOperation[right.operation], ACLOperation.ALL)
        and acl.resource_pattern.resource_type == ResourceType[right.kind]
        and (acl.resource_pattern == _acl(right).resource_pattern or _covers_all(acl.resource_pattern, right))
    )


def _covers_all(pattern: ResourcePattern, right: Right) -> bool:
    """Whether a pattern covers all that a right is for: of a prefixed one, every name that begins so."""
    if pattern.resource_name == "*":
        return pattern.pattern_type == ACLResourcePatternType.LITERAL
    if right.prefixed or pattern.pattern_type == ACLResourcePatternType.PREFIXED:
        return pattern.pattern_type == ACLResourcePatternType.PREFIXED and right.name.startswith(pattern.resource_name)
    return bool(pattern.resource_name == right.name)


def _found(client: KafkaAdminClient) -> list[ACL]:
    anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    try:
        return list(client.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, anything))[0])
    except SecurityDisabledError as e:
        raise NoAuthorizerError("the cluster has no authorizer: whoever reaches it may do everything") from e
    except ClusterAuthorizationFailedError as e:
        raise NotToldError("this user may not see rights (Describe on the cluster)") from e


def _acl(right: Right) -> ACL:
    how = ACLResourcePatternType.PREFIXED if right.prefixed else ACLResourcePatternType.LITERAL
    pattern = ResourcePattern(ResourceType[right.kind], right.name, how)
    return ACL(_principal(right.user), "*", ACLOperation[right.operation], ACLPermissionType.ALLOW, pattern)


def _acl_key(acl: ACL) -> tuple[object, ...]:
    """What it gives to whom, from wherever he comes."""
    pattern = acl.resource_pattern
    return acl.principal, acl.operation, pattern.resource_type, pattern.resource_name, pattern.pattern_type


def _only(acl: ACL) -> ACLFilter:
    """What matches this one alone."""
    p = acl.resource_pattern
    pattern = ResourcePatternFilter(p.resource_type, p.resource_name, p.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, pattern)


def _principal(user: str) -> str:
    return f"User:{user}"


def _users(settings: Settings) -> set[str]:
    return {_principal(rights.user_of(role, settings)) for role in TOPICS}


def _missing(right: Right) -> Problem:
    what = f"{right.operation} · {right.kind.lower()} {right.name}{'*' * right.prefixed}"
    return Problem(
        right.name,
        f"사용자 {right.user}에게 권한이 없습니다 ({what}): `anbu topics`로 주십시오",
        f"user {right.user} lacks a right ({what}): give it with `anbu topics`",
    )


def _wide(acl: ACL) -> Problem:
    pattern = acl.resource_pattern
    prefixed = "*" * (pattern.pattern_type == ACLResourcePatternType.PREFIXED)
    what = f"{acl.operation.name} · {pattern.resource_type.name.lower()} {pattern.resource_name}{prefixed}"
    return Problem(
        pattern.resource_name,
        f"{acl.principal}의 권한이 너무 넓습니다 ({what}): `kafka-acls --remove`로 거두십시오",
        f"{acl.principal} may do too much ({what}): take it away with `kafka-acls --remove`",
    )

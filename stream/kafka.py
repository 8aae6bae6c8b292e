"""Reaching the broker: options for both clients from one place, and which partition a household is in."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.partitioner import murmur2
from numpy.typing import NDArray

from stream.settings import BrokerSettings, Settings


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of aiokafka's consumer, producer and client: address, TLS, SASL."""
    return {**_common(settings.broker), "ssl_context": _ssl_context(settings.broker)}


def admin_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of kafka-python's clients: address, TLS, SASL."""
    return client_options(settings)


class BrokerUnreachableError(Exception):
    """No broker answers, or it does not let us in: one line with the address and what to do."""


class BrokerSettingsError(ValueError):
    """The settings of the broker cannot be used: one line with what to do."""


@contextmanager
def admin(settings: Settings, timeout_s: float = 15.0) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end.

    Raises:
        BrokerUnreachableError: when no broker answers within ``timeout_s`` seconds, or refuses us.
    """
    limits = {"bootstrap_timeout_ms": int(timeout_s * 1000), "request_timeout_ms": int(max(timeout_s, 5) * 1000)}
    try:
        client = KafkaAdminClient(**admin_options(settings), **limits)
    except KafkaError as e:
        raise BrokerUnreachableError(
            f"no broker answers at {settings.broker.bootstrap} by {settings.broker.security_protocol} "
            f"({type(e).__name__}): start it, or set ANBU_BROKER__BOOTSTRAP and the security settings"
        ) from e
    try:
        yield client
    finally:
        client.close()


_LOOPBACK = ("127.0.0.1", "localhost")


def local_port(broker: BrokerSettings) -> int | None:
    """Port of the broker that `anbu up` starts on this machine; None where the settings name another one."""
    host, _, port = broker.bootstrap.rpartition(":")
    return int(port) if broker.security_protocol == "LOCAL" and host in _LOOPBACK and port.isdecimal() else None


def _common(broker: BrokerSettings) -> dict[str, Any]:
    """LOCAL is without a login here, and our own broker lets in nobody so: who may in was given one, or found it."""
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in broker.bootstrap.split(",") if server.strip()],
        "security_protocol": "PLAINTEXT" if broker.security_protocol == "LOCAL" else broker.security_protocol,
    }
    if broker.security_protocol.startswith("SASL_"):
        if broker.sasl_username is None or broker.sasl_password is None:
            raise BrokerSettingsError(
                f"security_protocol {broker.security_protocol} needs a user and a password: "
                "set ANBU_BROKER__SASL_USERNAME and ANBU_BROKER__SASL_PASSWORD"
            )
        options |= {
            "sasl_mechanism": broker.sasl_mechanism,
            "sasl_plain_username": broker.sasl_username,
            "sasl_plain_password": broker.sasl_password.get_secret_value(),
        }
    return options


def _ssl_context(broker: BrokerSettings) -> ssl.SSLContext | None:
    """TLS that checks the broker's certificate and name; None where the transport is plain."""
    if not broker.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ssl_cafile)
        if broker.ssl_certfile is not None:
            context.load_cert_chain(broker.ssl_certfile, broker.ssl_keyfile)
    except (OSError, ssl.SSLError) as e:
        files = [str(f) for f in (broker.ssl_cafile, broker.ssl_certfile, broker.ssl_keyfile) if f]
        raise BrokerSettingsError(f"TLS files of the broker cannot be used ({', '.join(files)}): {e}") from e
    return context


_SEED = 0x9747B28C
_M = np.uint32(0x5BD1E995)
_WIDEST = 256
"""Bytes; ids are at most 64 characters."""
_POSITIVE = np.uint32(0x7FFFFFFF)


@lru_cache(maxsize=65_536)
def partition_of(household_id: str, partitions: int) -> int:
    """Partition of a household: Kafka's default for its id as key, so that every client agrees."""
    return int(murmur2(household_id.encode()) & 0x7FFFFFFF) % partitions


def partitions_of(ids: "pa.Array | list[str]", partitions: int) -> NDArray[np.int32]:
    """Partition of each of n household ids, int32 (n,): Kafka's default partitioner (murmur2 of the UTF-8 bytes).

    The ids are laid out as rows of equal width, padded with zeros, and hashed column by column.
    """
    array = (ids if isinstance(ids, pa.Array) else pa.array(ids, pa.string())).cast(pa.large_binary())
    if array.null_count:
        raise ValueError(f"{array.null_count} of {len(array)} household ids are null: a household needs an id")
    if len(array) == 0:
        return np.empty(0, np.int32)
    long = np.asarray(pc.greater(pc.binary_length(array), _WIDEST))
    if long.any():  # never a valid id; one of them must not make every row as wide as itself
        array = pc.if_else(pa.array(long), pa.scalar(b"", pa.large_binary()), array)
        hashes = _murmur2(array)
        hashes[long] = [murmur2(_bytes(ids[int(i)])) & 0xFFFFFFFF for i in np.flatnonzero(long)]
    else:
        hashes = _murmur2(array)
    return ((hashes & _POSITIVE) % np.uint32(partitions)).astype(np.int32)


def _bytes(value: object) -> bytes:
    text = value.as_py() if isinstance(value, pa.Scalar) else value
    return text if isinstance(text, bytes) else str(text).encode()


def _padded(array: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes of each value as rows (n, width), width a multiple of 4, padded with zeros; and lengths (n,)."""
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets)
    width = -(-int(lengths.max()) // 4) * 4 or 4
    data = np.frombuffer(array.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    inside = np.arange(width) < lengths[:, None]
    rows = np.zeros((len(lengths), width), np.uint8)
    rows[inside] = data
    return rows, lengths


def _murmur2(array: pa.Array) -> NDArray[np.uint32]:
    """MurmurHash2 with Kafka's seed, as ``org.apache.kafka.common.utils.Utils.murmur2`` (wraps around in uint32)."""
    rows, lengths = _padded(array)
    words = rows.view("<u4")
    whole, rest = lengths // 4, lengths % 4
    h = np.uint32(_SEED) ^ lengths.astype(np.uint32)
    for column in range(words.shape[1]):
        k = words[:, column] * _M
        k ^= k >> np.uint32(24)
        h = np.where(column < whole, (h * _M) ^ (k * _M), h)
    # The last 1-3 bytes: in a padded row they are the word after the whole ones, taken as it is.
    last = words[np.arange(len(h)), np.minimum(whole, words.shape[1] - 1)]
    h = np.where(rest > 0, (h ^ last) * _M, h)
    h = (h ^ (h >> np.uint32(13))) * _M
    return np.asarray(h ^ (h >> np.uint32(15)), np.uint32)

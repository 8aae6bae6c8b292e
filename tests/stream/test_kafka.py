"""Which partition a household is in, and the options with which we reach the broker."""

import ssl
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st
from kafka.admin import KafkaAdminClient
from kafka.partitioner import murmur2 as kafka_python_murmur2

from stream.kafka import admin_options, client_options, partition_of, partitions_of
from stream.settings import BrokerSettings, Settings

IDS = st.lists(st.text(max_size=80), max_size=30)


@given(ids=IDS, partitions=st.integers(1, 1024))
def test_partitions_are_those_of_both_clients(ids: list[str], partitions: int) -> None:
    """Many at once and one by one give what aiokafka and kafka-python give for the same key."""
    keys = [i.encode() for i in ids]
    of_aiokafka = [(aiokafka_murmur2(key) & 0x7FFFFFFF) % partitions for key in keys]
    of_kafka_python = [(kafka_python_murmur2(key) & 0x7FFFFFFF) % partitions for key in keys]
    assert partitions_of(ids, partitions).tolist() == of_aiokafka == of_kafka_python
    assert [partition_of(i, partitions) for i in ids] == of_aiokafka


@given(ids=IDS.filter(lambda ids: len(ids) > 2))
def test_a_slice_of_an_arrow_array_is_hashed_as_itself(ids: list[str]) -> None:
    """Slices share their buffers with the whole: the offset must be honoured."""
    part = pa.array(ids, pa.string())[1:-1]
    assert partitions_of(part, 64).tolist() == partitions_of(ids, 64)[1:-1].tolist()


def test_a_huge_id_does_not_widen_the_others() -> None:
    """An id far beyond what is valid is hashed by itself, like any key."""
    ids = ["a", "b" * 100_000, "c" * 257]
    assert partitions_of(ids, 1000).tolist() == [partition_of(i, 1000) for i in ids]


def test_households_are_spread_evenly() -> None:
    """No partition of 8 gets more than a tenth above its share of 100,000 households."""
    counts = np.bincount(partitions_of([f"h{i:07d}" for i in range(100_000)], 8), minlength=8)
    assert counts.max() < 1.1 * 100_000 / 8


def test_a_null_id_is_refused() -> None:
    """A null has no partition; the error says how many there are."""
    with pytest.raises(ValueError, match="1 of 2 household ids are null"):
        partitions_of(pa.array(["a", None]), 8)


def _with(**broker: object) -> Settings:
    return Settings(broker=BrokerSettings(**broker))  # type: ignore[arg-type]


def test_plain_options_name_every_broker() -> None:
    """Brokers are separated by commas; no TLS, no SASL."""
    options = client_options(_with(bootstrap="a:1, b:2", allow_plain=True))
    assert options == {"bootstrap_servers": ["a:1", "b:2"], "security_protocol": "PLAINTEXT", "ssl_context": None}


def test_sasl_ssl_options_check_the_certificate_and_hold_the_password() -> None:
    """The TLS context demands the broker's certificate and its name; user and password are passed on."""
    options = client_options(_with(security_protocol="SASL_SSL", sasl_username="u", sasl_password="p"))
    assert (options["sasl_mechanism"], options["sasl_plain_username"]) == ("SCRAM-SHA-512", "u")
    assert options["sasl_plain_password"] == "p"
    assert options["ssl_context"].verify_mode == ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname


def test_both_clients_know_the_options() -> None:
    """Every option is one that kafka-python's and aiokafka's clients take."""
    settings = _with(security_protocol="SASL_SSL", sasl_username="u", sasl_password="p")
    assert set(admin_options(settings)) <= set(KafkaAdminClient.DEFAULT_CONFIG)
    names = AIOKafkaConsumer.__init__.__code__.co_varnames
    assert set(client_options(settings)) <= set(names)


def test_sasl_without_a_user_is_refused() -> None:
    """The error names the settings that are missing."""
    with pytest.raises(ValueError, match="ANBU_BROKER__SASL_USERNAME and ANBU_BROKER__SASL_PASSWORD"):
        client_options(_with(security_protocol="SASL_PLAINTEXT"))


def test_a_missing_certificate_file_is_named(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(ValueError, match=r"TLS files .*none\.pem"):
        client_options(_with(security_protocol="SSL", ssl_cafile=tmp_path / "none.pem"))

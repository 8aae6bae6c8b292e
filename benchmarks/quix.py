"""Quix Streams with durable state: RocksDB and a changelog, one reading a message. Started by throughput.py.

Settings: messages, keys and state as bytes (msgspec, no JSON of its own for the state), a checkpoint every 5 s
(longer ones gained nothing), librdkafka's producer with 50 ms linger, at least once or exactly once.
"""

import os
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from quixstreams import Application
from quixstreams.kafka import ConnectionConfig

from benchmarks.per_reading import decode, encode, update


def main(bootstrap: str, partitions: int, folder: str, how: str) -> None:
    """Run until told to stop. ``how``: the processing guarantee."""
    app = Application(
        broker_address=ConnectionConfig(
            bootstrap_servers=bootstrap, security_protocol="sasl_plaintext", sasl_mechanism="SCRAM-SHA-512",
            sasl_username=os.environ["BENCH_USER"], sasl_password=SecretStr(os.environ["BENCH_PASSWORD"]),
        ),
        consumer_group=f"bench-quix-{how}",
        auto_offset_reset="earliest",
        state_dir=Path(folder),
        commit_interval=5.0,
        processing_guarantee=how,  # type: ignore[arg-type]
        loglevel="WARNING",
        auto_create_topics=True,
        producer_extra_config={"linger.ms": 50, "batch.size": 1024 * 1024, "queue.buffering.max.messages": 500_000},
        consumer_extra_config={"fetch.max.bytes": 32 * 1024 * 1024, "queued.min.messages": 100_000},
    )
    source = app.topic("single", key_deserializer="bytes", value_deserializer="bytes")
    alerts = app.topic("single.alerts", key_serializer="bytes", value_serializer="bytes")

    def judge(value: bytes, state: Any) -> bytes | None:
        reading = decode(value)
        kept, level = update(state.get_bytes("home"), reading)
        state.set_bytes("home", kept)
        return None if level is None else encode([reading.household_id, level])

    frame = app.dataframe(source)
    frame = frame.apply(judge, stateful=True)
    frame = frame[frame.apply(lambda out: out is not None)]
    frame.to_topic(alerts)
    app.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])

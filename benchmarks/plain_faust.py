"""Plain Faust: an agent, one reading a message, a table with a changelog. Started by throughput.py as a process.

Settings: uvloop, Cython, messages and table values as bytes (msgspec, not faust.Record), store in memory (RocksDB only
adds work), no standby, at least once, commits every 3 s, producer batches of 1 MB with 50 ms linger and acks=all.
`take` hands 1,000 messages over at once and writes the table by the partitioner (a table cannot be written inside
`take` otherwise); `events` goes one by one. throughput.py reports the faster of both.
"""

import os
import sys
from pathlib import Path
from typing import Any

import faust
import uvloop
from faust import Worker
from faust.auth import SASLCredentials

from benchmarks.per_reading import decode, encode, update


def main(bootstrap: str, partitions: int, folder: str, how: str) -> None:
    """Run until told to stop."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    loop = uvloop.new_event_loop()
    app = faust.App(
        f"bench-faust-{how}",
        broker=f"kafka://{bootstrap}",
        broker_credentials=SASLCredentials(
            username=os.environ["BENCH_USER"], password=os.environ["BENCH_PASSWORD"], mechanism="SCRAM-SHA-512"
        ),
        store="memory://",
        processing_guarantee="at_least_once",
        table_standby_replicas=0,
        topic_partitions=partitions,
        topic_disable_leader=True,
        stream_buffer_maxsize=65_536,
        stream_wait_empty=False,
        broker_commit_interval=3.0,
        broker_max_poll_records=5000,
        consumer_max_fetch_size=4 * 1024 * 1024,
        consumer_auto_offset_reset="earliest",
        producer_linger=0.05,
        producer_linger_ms=50,
        producer_max_batch_size=1024 * 1024,
        producer_acks=-1,
        cython_optimizations=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        datadir=folder,
    )
    source = app.topic("single", value_type=bytes, value_serializer="raw", key_serializer="raw")
    alerts = app.topic("single.alerts", value_serializer="raw", key_serializer="raw")
    homes = app.Table(
        "homes", partitions=partitions, key_type=bytes, value_type=bytes, use_partitioner=how == "take"
    )

    async def taking(stream: Any) -> None:
        async for values in stream.take(1000, within=0.1):
            for value in values:
                reading = decode(value)
                key = reading.household_id.encode()
                homes[key], level = update(homes.get(key), reading)
                if level is not None:
                    await alerts.send(key=key, value=encode([reading.household_id, level]))

    async def by_one(stream: Any) -> None:
        async for key, value in stream.items():
            homes[key], level = update(homes.get(key), decode(value))
            if level is not None:
                await alerts.send(key=key, value=encode([key.decode(), level]))

    app.agent(source)(taking if how == "take" else by_one)
    app.finalize()
    Worker(app, loop=loop, loglevel="WARN", override_logging=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])

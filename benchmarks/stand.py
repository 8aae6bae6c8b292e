"""What every benchmark stands on: a broker, topics, workers as processes, bulk loading, and what they use.

Everything lives in a directory of its own that is deleted at the end, and every process started is ended.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import confluent_kafka
import psutil

from anbu import holdings
from anbu.holdings import LEAN
from benchmarks.homes import Crowd, Lived, state_rows
from deploy.kafka.broker import LocalBroker, free_port
from stream import topics
from stream.records import STATE
from stream.settings import BrokerSettings, Settings

ROOT = Path(__file__).resolve().parent.parent
LEAST_MEMORY = 2**30


def machine() -> str:
    """The machine and the day, in a line."""
    model = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{date.today()}, {os.cpu_count()} cores ({model}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


class Usage:
    """CPU seconds and memory of a process since ``mark``."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.mark()

    def mark(self) -> None:
        """Begin to count here."""
        self._began = self._cpu()
        self.most = self.rss()

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system

    def cpu(self) -> float:
        """CPU seconds since the mark."""
        return self._cpu() - self._began

    def rss(self) -> int:
        """Resident bytes now."""
        return int(self._process.memory_info().rss)

    def look(self) -> None:
        """Take note of the memory in use."""
        with suppress(psutil.NoSuchProcess):
            self.most = max(self.most, self.rss())


class Stand:
    """A broker with anbu's topics, and workers on it."""

    def __init__(self, where: Path | None = None, heap_mb: int = 512, **settings: object) -> None:
        (where or Path()).mkdir(parents=True, exist_ok=True)
        self.dir = Path(tempfile.mkdtemp(prefix="anbu-bench-", dir=where))
        self.broker = LocalBroker(self.dir / "kafka", 0, heap_mb=heap_mb)
        self._wanted = settings
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self.metrics_port = free_port()

    def __enter__(self) -> Self:
        try:
            self.broker.start()
            self.settings = Settings(
                broker=BrokerSettings(**self.broker.login("admin")),  # type: ignore[arg-type]
                data_dir=self.dir / "anbu",
                metrics_port=self.metrics_port,
                **self._wanted,  # type: ignore[arg-type]
            )
            topics.ensure(self.settings)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        for index in list(self._workers):
            self.end(index)
        self.broker.kill()
        if e is not None:
            for log in sorted(self.dir.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}", file=sys.stderr)
        shutil.rmtree(self.dir, ignore_errors=True)

    def worker(self, index: int = 0) -> psutil.Process:
        """Start a worker process."""
        env = holdings.environment("worker", self.settings, {"PYTHONPATH": str(ROOT)})
        code = f"from stream.settings import Settings; from stream.worker import main; main(Settings(), {index})"
        with open(self.dir / f"worker-{index}.log", "ab") as log:
            started = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=log, stderr=log)
        self._workers[index] = started
        return psutil.Process(started.pid)

    def environment(self) -> dict[str, str]:
        """The environment in which this checkout is imported, with the memory settings of workers."""
        return {**LEAN, **os.environ, "PYTHONPATH": str(ROOT)}

    def alive(self) -> None:
        """Raise RuntimeError when a worker has ended, or memory runs out: better this run than other people's."""
        if psutil.virtual_memory().available < LEAST_MEMORY:
            raise RuntimeError("less than 1 GiB of memory is left on this machine: run it with fewer households")
        for index, worker in self._workers.items():
            if worker.poll() is not None:
                raise RuntimeError(f"worker {index} ended with {worker.returncode}; its log follows")

    def kill(self, index: int) -> None:
        """End a worker with -9."""
        worker = self._workers.pop(index)
        worker.kill()
        worker.wait()

    def end(self, index: int, limit_s: float = 20) -> None:
        """End a worker as a supervisor would: SIGTERM, and SIGKILL after a while."""
        worker = self._workers.pop(index)
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(limit_s)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()

    def ready(self, index: int = 0, limit_s: float = 300) -> float:
        """Wait until a worker has restored its partitions; seconds waited."""
        began = time.monotonic()
        while time.monotonic() - began < limit_s:
            self.alive()
            with suppress(OSError), self._page(index, "readyz") as answer:
                if answer.status == 200:
                    return time.monotonic() - began
            time.sleep(0.1)
        raise TimeoutError(f"worker {index} is not ready after {limit_s:.0f} s")

    def metrics(self, index: int = 0) -> dict[str, float]:
        """The worker's metrics: name with labels -> value."""
        with self._page(index, "metrics") as answer:
            lines = answer.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def _page(self, index: int, name: str) -> Any:
        return urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port + index}/{name}", timeout=30)

    def login(self) -> dict[str, object]:
        """How librdkafka reaches the broker."""
        login = self.broker.login("admin")
        return {
            "bootstrap.servers": login["bootstrap"], "security.protocol": login["security_protocol"],
            "sasl.mechanisms": login["sasl_mechanism"], "sasl.username": login["sasl_username"],
            "sasl.password": login["sasl_password"],
        }  # fmt: skip

    def producer(self, **options: object) -> confluent_kafka.Producer:
        """A producer for bulk loading: librdkafka, because the loading is not what is measured."""
        return confluent_kafka.Producer(
            {
                **self.login(),
                "enable.idempotence": True,
                "linger.ms": 5,
                "batch.size": 1024 * 1024,
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 256 * 1024,
                "message.max.bytes": 4 * 1024 * 1024,
                **options,
            }
        )

    def preload(self, everyone: Crowd, lived: Lived) -> int:
        """Write everyone's state to the state topic, in one transaction a partition; bytes written."""
        total, offsets = 0, {"meter.readings": 0, "phone.events": 0, "households": 0}
        producer = self.producer(**{"transactional.id": "bench-preload", "transaction.timeout.ms": 300_000})
        producer.init_transactions()
        for partition in range(len(everyone.ids)):
            producer.begin_transaction()
            for rows in state_rows(everyone, partition, lived, offsets):
                for key, value in rows:
                    total += len(key) + len(value)
                    send(producer, self.settings.topic(STATE), partition, value, key)
            producer.commit_transaction()
        return total


def send(
    producer: confluent_kafka.Producer,
    topic: str,
    partition: int,
    value: bytes,
    key: bytes | None = None,
    headers: Iterable[tuple[str, bytes]] | None = None,
) -> None:
    """Hand a record over, waiting while the producer's queue is full."""
    while True:
        try:
            producer.produce(topic, value, key, partition, headers=list(headers) if headers else None)
            producer.poll(0)
        except BufferError:
            producer.poll(0.1)
        else:
            return


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table, aligned."""
    lines = [head, *rows]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    out = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, width, strict=True)) + " |" for line in lines]
    return "\n".join([out[0], "|" + "|".join("-" * (w + 2) for w in width) + "|", *out[1:]])

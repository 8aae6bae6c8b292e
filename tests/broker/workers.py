"""Worker processes for the tests: started, killed, frozen, woken, and started again when they end, as in operation."""

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from anbu import holdings
from stream.settings import Settings

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 60.0
_MAIN = (
    "import sys; from stream.settings import Settings; from stream.worker import main; "
    "main(Settings(), int(sys.argv[1]))"
)
_LOOK_EVERY_S = 0.05

Labels = frozenset[tuple[str, str]]


async def until(condition: Callable[[], object], what: str, limit_s: float = LIMIT_S) -> None:
    """Wait for a condition; fail with what was awaited when it does not come."""
    end, asked = time.monotonic() + limit_s, time.process_time()
    while not condition():
        assert time.monotonic() < end, f"did not come within {limit_s:.0f} s: {what}"
        await asyncio.sleep(pause_after(asked))
        asked = time.process_time()


async def until_async(condition: Callable[[], Awaitable[object]], what: str, limit_s: float = LIMIT_S) -> None:
    """As ``until``, for a condition that asks the broker."""
    end, asked = time.monotonic() + limit_s, time.process_time()
    while not await condition():
        assert time.monotonic() < end, f"did not come within {limit_s:.0f} s: {what}"
        await asyncio.sleep(pause_after(asked))
        asked = time.process_time()


def pause_after(asked: float) -> float:
    """Seconds until one asks again, for the CPU time at which one asked: who waits takes no more than a fifth of a core
    from those that are waited for."""
    return max(_LOOK_EVERY_S, 4 * (time.process_time() - asked))


class Worker:
    """One worker process. Its output goes to ``log``, JSON lines."""

    def __init__(self, settings: Settings, index: int, folder: Path, main: str = _MAIN) -> None:
        self.index = index
        self._base = ""
        self.log = folder / f"worker-{index}-{time.monotonic_ns()}.log"
        settings = settings.model_copy(update={"metrics_port": 0, "log_format": "json"})
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", main, str(index)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder,
                env=holdings.environment("worker", settings, {"PYTHONPATH": str(ROOT)}),
            )  # fmt: skip

    @property
    def code(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.log.read_text(errors="replace")

    def said(self, event: str) -> list[dict[str, object]]:
        """Its log records of this event."""
        found = []
        for line in self.text.splitlines():
            with suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict) and record.get("event") == event:
                    found.append(record)
        return found

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of /metrics, /healthz or /readyz; (0, "") while it does not answer."""
        if not self._base:
            started = self.said("worker started")
            if not started:
                return 0, ""
            self._base = str(started[0]["metrics"]).removesuffix("/metrics")
        try:
            with urllib.request.urlopen(self._base + path, timeout=2) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError:
            return 0, ""

    def metrics(self, name: str) -> dict[Labels, float]:
        """Samples of this name: labels -> value; {} while it does not answer."""
        _, text = self.get("/metrics")
        ours = "".join(f"{line}\n" for line in text.splitlines() if line.startswith((name + "{", name + " ")))
        return {
            frozenset(s.labels.items()): s.value
            for family in text_string_to_metric_families(ours)
            for s in family.samples
        }

    def metric(self, name: str, **labels: str) -> float:
        """One sample; 0 where there is none yet."""
        return self.metrics(name).get(frozenset(labels.items()), 0.0)

    def total(self, name: str, **labels: str) -> float:
        """Sum of the samples that have these labels among theirs."""
        wanted = set(labels.items())
        return sum(v for found, v in self.metrics(name).items() if wanted <= found)

    def owns(self) -> set[int]:
        """Partitions it says it judges."""
        owned = self.metrics("anbu_partition_owned")
        return {int(dict(labels)["partition"]) for labels, value in owned.items() if value}

    def kill(self) -> None:
        """End it at once (-9)."""
        self.process.kill()

    def freeze(self) -> None:
        """Stop it in its tracks, as an overloaded machine or a suspended virtual one does."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let a frozen one go on."""
        self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Whatever its state: leave nothing of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Workers:
    """``count`` workers; those that end are started again while the ``async with`` lasts.

    ``ended``: (index, exit code) of each that ended by itself or by a signal, in order.
    """

    def __init__(
        self, settings: Settings, folder: Path, count: int = 1, restart: bool = True, main: str = _MAIN
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.restart = restart
        self.main = main
        self.ended: list[tuple[int, int]] = []
        self.past: list[Worker] = []
        self._count = count
        self._workers: dict[int, Worker] = {}
        self._tending: asyncio.Task[None] | None = None

    def __getitem__(self, index: int) -> Worker:
        return self._workers[index]

    def owners(self) -> dict[int, list[int]]:
        """Partition -> the workers that say they judge it."""
        found: dict[int, list[int]] = {}
        for index, worker in self._workers.items():
            for partition in worker.owns():
                found.setdefault(partition, []).append(index)
        return found

    def all_owned(self) -> bool:
        """Whether each partition has exactly one owner."""
        owners = self.owners()
        return len(owners) == self.settings.partitions and all(len(o) == 1 for o in owners.values())

    async def __aenter__(self) -> Self:
        self._workers = {i: Worker(self.settings, i, self.folder, self.main) for i in range(self._count)}
        self._tending = asyncio.create_task(self._tend())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tending is not None:
            self._tending.cancel()
        for worker in self._workers.values():
            worker.end()
        if kind is not None:
            for worker in [*self.past, *self._workers.values()]:
                print(f"--- worker {worker.index}, exit code {worker.code}\n{worker.text[-4000:]}")

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for index, worker in list(self._workers.items()):
                if worker.code is not None and worker not in self.past:
                    self.ended.append((index, worker.code))
                    self.past.append(worker)
                    if self.restart:
                        self._workers[index] = Worker(self.settings, index, self.folder, self.main)

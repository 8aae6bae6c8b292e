"""``anbu ingest FILE...``: files to the topics; bad rows are told by line and reason, the good ones go on."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from stream import files
from stream.columns import BadRow
from stream.files import Batch, FileError
from stream.frames import Columns, Signal
from stream.producer import FrameProducer
from stream.records import AreaWarning, Household
from stream.settings import Settings

EXAMPLES = 3
ANSWER_S = 120.0
"""Seconds without an answer of the broker after which a file counts as not sent."""
ENROL_AT_ONCE = 500
_FIRST = ("households", "warnings")
"""Kinds of files that are sent before readings, in this order."""

Progress = Callable[[Path, int], None]
"""Called with a file and how many more of its rows the broker has."""
Report = Callable[[Path, int, BadRow], None]
"""Called with each bad row: file, line, fault."""


@dataclass(slots=True)
class IngestReport:
    """What became of the files: rows sent by kind, bad rows by reason with the first of each, files that failed."""

    sent: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: all sent; 1: all but bad rows; 2: a file could not be used or not be sent."""
        return 2 if self.failed else 1 if self.bad else 0

    def add_bad(self, path: Path, line: int, fault: BadRow) -> None:
        """Count a bad row and keep the first few of each reason."""
        self.bad[fault.reason.value] += 1
        examples = self.examples.setdefault(fault.reason.value, [])
        if len(examples) < EXAMPLES:
            examples.append(f"{path}:{line}: {fault.detail}")


async def run(
    paths: Sequence[Path],
    settings: Settings,
    feed: str | None = None,
    progress: Progress = lambda path, rows: None,
    report: Report = lambda path, line, fault: None,
    *,
    tz: str | None = None,
    complete_until: int | None = None,
    now: int | None = None,
) -> IngestReport:
    """Send files to the topics, each kind told by its columns, enrolments before readings.

    ``feed``: name of the source ("meter" or "phone" by default). ``tz``: zone of naive times (default: settings.tz).
    ``complete_until`` (UTC seconds): said on every partition of the signals sent, after the last file, if all were.
    ``now`` (UTC seconds) bounds times from above. Raises aiokafka's ``KafkaConnectionError`` where no broker answers
    at the start, and TimeoutError where it does not take ``complete_until``.
    """
    result = IngestReport()
    kinds = _kinds(paths, result)
    if not kinds:
        return result
    async with FrameProducer(settings, answer_s=ANSWER_S, client_id="anbu-ingest") as producer:
        for path, kind in sorted(kinds.items(), key=lambda item: [*_FIRST, item[1]].index(item[1])):
            one = _File(path, producer, result, progress, report)
            try:
                if kind == "households":
                    await one.enrol()
                elif kind == "warnings":
                    await one.warn()
                else:
                    await one.send(kind, feed, tz or settings.tz, now)
            except FileError as e:
                result.failed.append(str(e))
            except (KafkaError, TimeoutError) as e:
                result.failed.append(f"{path}: the broker did not take all of it ({type(e).__name__}): send it again")
        if complete_until is not None and not result.failed:  # a file that did not arrive leaves the promise untrue
            for signal in sorted(set(kinds.values()) - set(_FIRST)):
                await producer.heartbeat(signal, feed, complete_until)
    return result


async def warn(warnings: Sequence[AreaWarning], settings: Settings) -> None:
    """Send warnings of heat and cold. Raises ``KafkaConnectionError`` or TimeoutError where no broker takes them."""
    async with FrameProducer(settings, answer_s=ANSWER_S, client_id="anbu-warn") as producer:
        for warning in warnings:
            await producer.send_warning(warning)


def _kinds(paths: Sequence[Path], result: IngestReport) -> dict[Path, Any]:
    """What each usable file holds; the others are noted as failed."""
    kinds = {}
    for path in paths:
        try:
            kinds[path] = files.signal_of(path)
        except FileError as e:
            result.failed.append(str(e))
    return kinds


@dataclass(frozen=True, slots=True)
class _File:
    """One file on its way."""

    path: Path
    producer: FrameProducer
    result: IngestReport
    progress: Progress
    report: Report

    async def send(self, signal: Signal, feed: str | None, tz: str, now: int | None) -> None:
        """Read a batch while the broker takes the one before."""
        read = files.read_meter if signal == "meter" else files.read_phone
        batches: Iterator[Batch[Any]] = read(self.path, tz, now=now)
        waiting: asyncio.Task[None] | None = None
        try:
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                if waiting is not None:
                    await waiting
                for line, fault in batch.bad:
                    self._bad(line, fault)
                waiting = asyncio.create_task(self._send(signal, batch.columns, feed))
            if waiting is not None:
                await waiting
        finally:
            if waiting is not None:
                await asyncio.wait([waiting])

    async def enrol(self) -> None:
        """Send enrolments, some hundreds at a time."""
        pending: list[Coroutine[Any, Any, None]] = []
        for line, found in files.read_households(self.path):
            if isinstance(found, Household):
                pending.append(self.producer.send_household(found))
            else:
                self._bad(line, found)
            if len(pending) == ENROL_AT_ONCE:
                await self._enrolled(pending)
                pending = []
        await self._enrolled(pending)

    async def warn(self) -> None:
        """Send warnings one after the other: a later line replaces an earlier one."""
        for line, found in files.read_warnings(self.path):
            if isinstance(found, AreaWarning):
                await self.producer.send_warning(found)
                self._sent("warnings", 1)
            else:
                self._bad(line, found)

    async def _enrolled(self, pending: list[Coroutine[Any, Any, None]]) -> None:
        await asyncio.gather(*pending)
        self._sent("households", len(pending))

    async def _send(self, signal: Signal, columns: Columns, feed: str | None) -> None:
        if len(columns):
            await self.producer.send(signal, columns, feed)
            self._sent(signal, len(columns))

    def _sent(self, kind: str, rows: int) -> None:
        self.result.sent[kind] += rows
        self.progress(self.path, rows)

    def _bad(self, line: int, fault: BadRow) -> None:
        self.result.add_bad(self.path, line, fault)
        self.report(self.path, line, fault)

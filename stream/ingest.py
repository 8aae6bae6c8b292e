"""``anbu ingest FILE...``: files to the topics; bad rows are told by line and reason, the good ones go on."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from stream import files, frames, recordlines
from stream.badrows import BadRow, BadRows
from stream.files import Batch, FileError, How
from stream.frames import Columns, Signal
from stream.kinds import PhoneKinds
from stream.producer import FrameProducer
from stream.records import AreaWarning, Household
from stream.settings import Settings
from stream.suspicion.told import Suspicion

EXAMPLES = 3
ANSWER_S = 120.0
"""Seconds without an answer of the broker after which a file counts as not sent."""
ENROL_AT_ONCE = 500
TOLD = 1_000
"""Bad rows of a piece of a file that are told one by one; all are counted."""
SEND_ROWS = 65_536
_FIRST = ("households", "warnings")
"""Kinds of files that are sent before readings, in this order."""

Progress = Callable[[Path, int], None]
"""Called with a file and how many more of its rows the broker has."""
Report = Callable[[Path, int, BadRow], None]
"""Called with bad rows, of very many the first ones: file, line, fault."""


@dataclass(slots=True)
class IngestReport:
    """What became of the files: rows sent by kind, bad rows by reason with the first of each, what is suspected of
    which file, rows held back because of it, files that failed."""

    sent: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    suspicions: list[tuple[Path, Suspicion]] = field(default_factory=list)
    held: int = 0
    blinded: bool = False
    """Whether something was suspected that would blind the detector, and nobody forced it."""
    failed: list[str] = field(default_factory=list)
    named: dict[str, set[str]] = field(default_factory=lambda: {"meter": set(), "phone": set()})
    """Feeds by signal that the enrolments among the files name."""
    foreign: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """Signal and feed of rows that were sent while all these homes name other feeds: their rows are dropped."""

    @property
    def exit_code(self) -> int:
        """0: all sent; 1: all but bad rows and what was held back, or it will be dropped as of another feed; 2: a file
        could not be used or not be sent."""
        return 2 if self.failed else 1 if self.bad or self.blinded or self.foreign else 0

    def look_whose(self, signals: Iterable[Signal], feed: str | None) -> None:
        """Note signals that were sent by a feed that is not one of those that the homes name."""
        for signal in signals:
            if self.named[signal] and (feed or signal) not in self.named[signal]:
                self.foreign.append((signal, feed or signal, sorted(self.named[signal])))

    def add_bad(self, path: Path, line: int, fault: BadRow) -> None:
        """Count a bad row and keep the first few of each reason."""
        self.bad[fault.reason.value] += 1
        examples = self.examples.setdefault(fault.reason.value, [])
        if len(examples) < EXAMPLES:
            examples.append(f"{path}:{line}: {fault.detail}")

    def add_all(self, path: Path, faults: BadRows) -> None:
        """Count bad rows and keep the first few of each reason."""
        for reason, many in faults.counts().items():
            examples = self.examples.setdefault(reason.value, [])
            first = faults.of_reason(reason, EXAMPLES - len(examples))
            examples += [f"{path}:{fault.row}: {fault.detail}" for fault in first]
            self.bad[reason.value] += many

    def suspect(self, path: Path, batch: Batch, force: bool) -> None:
        """Keep what is suspected of a piece of a file: each thing of a household once a file."""
        known = {suspicion.key for of, suspicion in self.suspicions if of == path}
        self.suspicions += [(path, suspicion) for suspicion in batch.suspicions if suspicion.key not in known]
        self.held += batch.held
        self.blinded |= not force and any(suspicion.blinds for suspicion in batch.suspicions)


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
    ends: bool = False,
    force: bool = False,
    phone_kinds: PhoneKinds = "names",
) -> IngestReport:
    """Send files to the topics, each kind told by its columns, enrolments before readings.

    ``feed``: name of the source ("meter" or "phone" by default). ``tz``: zone of naive times (default: settings.tz).
    ``complete_until`` (UTC seconds): said on every partition of the signals sent, after the last file, if all were.
    ``now`` (UTC seconds) bounds times from above. ``ends``: times are the ends of intervals. ``force``: send what is
    suspected of blinding the detector as well. ``phone_kinds``: whose kinds the events have. Raises aiokafka's
    ``KafkaConnectionError`` where no broker answers at the start, and TimeoutError where it does not take
    ``complete_until``.
    """
    result = IngestReport()
    kinds = _kinds(paths, result)
    how = How(tz or settings.tz, now, ends, force, phone_kinds)
    if not kinds:
        return result
    async with FrameProducer(settings, answer_s=ANSWER_S, client_id="anbu-ingest") as producer:
        for path, kind in sorted(kinds.items(), key=lambda item: [*_FIRST, item[1]].index(item[1])):
            one = _File(path, producer, result, progress, report)
            try:
                if kind == "households":
                    await one.enrol(now)
                elif kind == "warnings":
                    await one.warn(now)
                else:
                    await one.send(kind, feed, how)
            except FileError as e:
                result.failed.append(str(e))
            except (KafkaError, TimeoutError) as e:
                result.failed.append(f"{path}: the broker did not take all of it ({type(e).__name__}): send it again")
        result.look_whose(sorted(set(kinds.values()) - set(_FIRST)), feed)
        if complete_until is not None and not (result.failed or result.blinded):  # the promise would be untrue
            for signal in sorted(set(kinds.values()) - set(_FIRST)):
                await producer.heartbeat(signal, feed, complete_until)
    return result


async def enrol(households: Sequence[Household], settings: Settings) -> None:
    """Send records of households. Raises ``KafkaConnectionError`` or TimeoutError where no broker takes them."""
    if households:
        async with FrameProducer(settings, answer_s=ANSWER_S, client_id="anbu-enrol") as producer:
            await asyncio.gather(*(producer.send_household(household) for household in households))


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

    async def send(self, signal: Signal, feed: str | None, how: How) -> None:
        """Read a piece while the broker takes the one before."""
        batches: Iterator[Batch] = files.read(self.path, signal, how)
        waiting: asyncio.Task[None] | None = None
        try:
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                if waiting is not None:
                    await waiting
                self.result.add_all(self.path, batch.bad)
                for fault in batch.bad[:TOLD]:
                    self.report(self.path, fault.row, fault)
                self.result.suspect(self.path, batch, how.force)
                waiting = asyncio.create_task(self._send(signal, batch.columns, feed))
            if waiting is not None:
                await waiting
        finally:
            if waiting is not None:
                await asyncio.wait([waiting])

    async def enrol(self, now: float | None) -> None:
        """Send enrolments, some hundreds at a time."""
        pending: list[Coroutine[Any, Any, None]] = []
        for line, found in recordlines.read_households(self.path, now):
            if isinstance(found, Household):
                pending.append(self.producer.send_household(found))
                for signal, name in (("meter", found.feeds.meter), ("phone", found.feeds.phone)):
                    self.result.named[signal] |= {name} if name is not None and found.withdrawn is None else set()
            else:
                self._bad(line, found)
            if len(pending) == ENROL_AT_ONCE:
                await self._enrolled(pending)
                pending = []
        await self._enrolled(pending)

    async def warn(self, now: float | None) -> None:
        """Send warnings one after the other: a later line replaces an earlier one."""
        for line, found in recordlines.read_warnings(self.path, now):
            if isinstance(found, AreaWarning):
                await self.producer.send_warning(found)
                self._sent("warnings", 1)
            else:
                self._bad(line, found)

    async def _enrolled(self, pending: list[Coroutine[Any, Any, None]]) -> None:
        await asyncio.gather(*pending)
        self._sent("households", len(pending))

    async def _send(self, signal: Signal, columns: Columns, feed: str | None) -> None:
        for at in range(0, len(columns), SEND_ROWS):
            some = frames.take(columns, slice(at, at + SEND_ROWS))
            await self.producer.send(signal, some, feed)
            self._sent(signal, len(some))

    def _sent(self, kind: str, rows: int) -> None:
        self.result.sent[kind] += rows
        self.progress(self.path, rows)

    def _bad(self, line: int, fault: BadRow) -> None:
        self.result.add_bad(self.path, line, fault)
        self.report(self.path, line, fault)

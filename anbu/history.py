"""Files of the past for `backtest` and `replay`: read, and what came of them written and summed up."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from anbu.console import LEVELS, bad_rows, out
from anbu.report import page
from simulators.backtest import enrol_unknown
from simulators.review import Review
from stream import files, frames
from stream.columns import BadRow, MeterColumns, PhoneColumns
from stream.records import Alert, AreaWarning, Household
from stream.rules import Rules
from stream.settings import Settings

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class History:
    """What the files hold; ``bad`` counts rows not used by reason, ``examples`` has the first of each."""

    meter: MeterColumns
    phone: PhoneColumns
    households: list[Household]
    bad: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[AreaWarning] = field(default_factory=list)


def load(
    meter: Path, phone: Path | None, households: Path | None, tz: str, warnings: Path | None = None
) -> History:
    """Read the files; households without an enrolment get one with defaults. Raises FileError."""
    bad: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    warned = [] if warnings is None else files.load_warnings(warnings)
    known = [] if households is None else files.load_households(households)
    readings, faults = files.load_meter(meter, tz)
    _count(meter, faults, bad, examples)
    events = frames.empty("phone")
    if phone is not None:
        events, faults = files.load_phone(phone, tz)
        _count(phone, faults, bad, examples)
    assert isinstance(events, PhoneColumns)
    return History(readings, events, [*known, *enrol_unknown(readings, events, known)], bad, examples, warned)


def _count(
    path: Path, faults: list[tuple[int, BadRow]], bad: Counter[str], examples: dict[str, list[str]]
) -> None:
    for line, fault in faults:
        bad[fault.reason.value] += 1
        if bad[fault.reason.value] <= EXAMPLES:
            examples.setdefault(fault.reason.value, []).append(f"{path}:{line}: {fault.detail}")


@dataclass(slots=True)
class AlertWriter:
    """Writes alerts as JSON lines and counts them by kind, event and level."""

    file: BinaryIO
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _encoder: msgspec.json.Encoder = field(default_factory=msgspec.json.Encoder)

    def __call__(self, alert: Alert) -> None:
        """Write one."""
        self.file.write(self._encoder.encode(alert) + b"\n")
        self.counts[alert.kind, alert.event, alert.level] += 1


@contextmanager
def alerts_file(path: Path) -> Iterator[AlertWriter]:
    """A file of alerts that appears only when it is whole; a device or a pipe is written as it goes."""
    with whole_file(path) as file:
        yield AlertWriter(file)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears only when it is whole; a device or a pipe is written as it goes."""
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def save_report(found: Review, past: History, settings: Settings, path: Path) -> None:
    """The page of what came of a history."""
    model = Rules.of(settings).model
    name = "shipped" if settings.model is None else settings.model.name
    page.save(page.page(found, sum(past.bad.values()), name, getattr(model, "about", {})), path)


def report(past: History, counts: Counter[tuple[str, str, str]], path: Path) -> None:
    """What was read and what came of it."""
    bad_rows(past.bad, past.examples)
    out.print(
        f"{len(past.meter):,} readings, {len(past.phone):,} phone events, {len(past.households):,} households "
        f"→ {sum(counts.values()):,} events in {path}", soft_wrap=True,
    )  # fmt: skip
    for (kind, event, level), count in sorted(counts.items()):
        if event == "raised":
            korean, colour = LEVELS[level]
            out.print(f"  {kind} raised, [{colour}]{korean} {level}[/]: {count:,}")

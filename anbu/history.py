"""Files of the past for `backtest` and `replay`: read, and what came of them written and summed up."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import typer
from rich.markup import escape

from anbu.console import LEVELS, bad_rows, err, out, suspicions
from anbu.files import whole_file
from anbu.report import page
from simulators.backtest import enrol_unknown
from simulators.review import Review
from stream import files, frames, recordlines
from stream.badrows import BadRows
from stream.columns import MeterColumns, PhoneColumns
from stream.files import How
from stream.kinds import PhoneKinds
from stream.plain import plain
from stream.records import Alert, AreaWarning, Household
from stream.rules import Rules
from stream.settings import Settings
from stream.suspicion.told import Suspicion

EXAMPLES = 3


@dataclass(slots=True)
class History:
    """What the files hold; ``bad`` counts rows not used by reason, ``examples`` has the first of each.

    ``suspicions``: what is suspected of which file; ``blinded``: whether rows are left out because of it.
    """

    meter: MeterColumns
    phone: PhoneColumns
    households: list[Household]
    bad: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[AreaWarning] = field(default_factory=list)
    suspicions: list[tuple[Path, Suspicion]] = field(default_factory=list)
    blinded: bool = False

    @property
    def exit_code(self) -> int:
        """0, or 1 where a part of the files was not judged because it would blind the detector."""
        return 1 if self.blinded else 0


def load(
    meter: Path, phone: Path | None, households: Path | None, tz: str, warnings: Path | None = None, *,
    ends: bool = False, force: bool = False, phone_kinds: PhoneKinds = "names",
) -> History:  # fmt: skip
    """Read the files; households without an enrolment get one with defaults. Raises FileError, and typer.Exit (1)
    where no reading is left. ``ends``: times of readings are the ends of intervals; ``force``: use what is suspected;
    ``phone_kinds``: whose kinds the phone's events have.
    """
    warned = [] if warnings is None else recordlines.load_warnings(warnings)
    known = [] if households is None else recordlines.load_households(households)
    read = [(meter, files.load(meter, "meter", How(tz, ends=ends, force=force)))]
    if phone is not None:
        read.append((phone, files.load(phone, "phone", How(tz, force=force, kinds=phone_kinds))))
    readings = read[0][1].columns
    events: Any = read[1][1].columns if phone is not None else frames.empty("phone")
    enrolled = [*known, *enrol_unknown(readings, events, known)]
    past = History(
        readings, events, enrolled, warnings=warned,
        suspicions=[(path, suspicion) for path, batch in read for suspicion in batch.suspicions],
        blinded=not force and any(suspicion.blinds for _, batch in read for suspicion in batch.suspicions),
    )  # fmt: skip
    for path, batch in read:
        _count(path, batch.bad, past)
    suspicions(past.suspicions, force)
    if phone is not None and not len(events) and read[1][1].bad:
        nothing = "쓸 수 있는 기록이 없습니다 · no event of it can be used: judged without the phone"
        err.print(f"[red]✗[/] {escape(plain(str(phone)))}: {nothing}", soft_wrap=True)
        past.blinded = True
    if not len(readings):
        bad_rows(past.bad, past.examples)
        nothing = "쓸 수 있는 값이 없습니다 · no reading of it can be used: nothing was judged"
        err.print(f"[red]✗[/] {escape(plain(str(meter)))}: {nothing}", soft_wrap=True)
        raise typer.Exit(1)
    return past


def _count(path: Path, faults: BadRows, past: History) -> None:
    for reason, many in faults.counts().items():
        past.bad[reason.value] += many
        examples = past.examples.setdefault(reason.value, [])
        first = faults.of_reason(reason, EXAMPLES - len(examples))
        examples += [f"{path}:{fault.row}: {fault.detail}" for fault in first]


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


def save_report(found: Review, past: History, settings: Settings, path: Path) -> None:
    """The page of what came of a history."""
    model = Rules.of(settings).model
    name = "shipped" if settings.model is None else settings.model.name
    with whole_file(path) as file:
        file.write(page.page(found, sum(past.bad.values()), name, getattr(model, "about", {})).encode())


def report(past: History, counts: Counter[tuple[str, str, str]], path: Path) -> None:
    """What was read and what came of it."""
    bad_rows(past.bad, past.examples)
    out.print(
        f"{len(past.meter):,} readings, {len(past.phone):,} phone events, {len(past.households):,} households "
        f"→ {sum(counts.values()):,} events in {escape(plain(str(path)))}", soft_wrap=True,
    )  # fmt: skip
    for (kind, event, level), count in sorted(counts.items()):
        if event == "raised":
            korean, colour = LEVELS[level]
            out.print(f"  {kind} raised, [{colour}]{korean} {level}[/]: {count:,}")

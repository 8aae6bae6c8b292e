"""The terminal: one console for words, one for progress, and a progress bar that is quiet where nobody watches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table

from stream.plain import plain
from stream.suspicion.told import Suspicion

SUSPICIONS = 20
"""Suspicions of one kind that are shown one by one."""


class Terminal(Console):
    """A console on which nothing that is printed acts: only rich's own styles move, colour or hide anything."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich does, with every text made harmless; line breaks stay."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else "\n".join(map(plain, text.split("\n"))), style, control)


out = Terminal(highlight=False)
err = Terminal(stderr=True, highlight=False)

LEVELS = {"attention": ("관심", "cyan"), "caution": ("주의", "yellow"), "serious": ("심각", "bold red")}
"""Level -> its Korean name and the colour it is shown in."""


def bar(console: Console = err, *, counts: bool = False, transient: bool = False) -> Progress:
    """A progress bar on ``console``; ``counts`` shows how many of how many, ``transient``: gone when done."""
    numbers = MofNCompleteColumn() if counts else TextColumn("{task.percentage:>3.0f} %")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), numbers, TimeElapsedColumn())
    return Progress(*columns, console=console, transient=transient)


def sheet(*heads: str, **look: Any) -> Table:
    """A table whose cells keep every letter: rich otherwise cuts lines of wide letters short (`알 …`). ``look``: of
    `rich.table.Table`."""
    made = Table(**look)
    for head in heads:
        made.add_column(head, overflow="fold")
    return made


def bad_rows(counts: Mapping[str, int], examples: Mapping[str, Sequence[str]], console: Console = err) -> None:
    """How many rows could not be used, by reason, with the first of each."""
    total = sum(counts.values())
    if not total:
        return
    console.print(f"[yellow]쓸 수 없는 행 {total:,}개 · {total:,} rows could not be used[/]")
    for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
        console.print(f"  {escape(reason)}: {count:,}")
        for example in examples.get(reason, ()):
            console.print(f"    [dim]{escape(plain(example))}[/]", soft_wrap=True)


def suspicions(found: Sequence[tuple[object, Suspicion]], force: bool, console: Console = err) -> None:
    """What is suspected of files (file, what), the worst first, each kind with the first of its households."""
    kinds: dict[tuple[bool, str], list[str]] = {}
    for file, one in found:
        lines = kinds.setdefault((one.blinds, one.what), [])
        lines.append(f"{file}: {one}" + (f" [{one.held:,} rows held back]" if one.held else ""))
    for (blinds, _), lines in sorted(kinds.items(), key=lambda item: not item[0][0]):
        mark = "[red]✗[/]" if blinds and not force else "[yellow]![/]"
        for line in lines[:SUSPICIONS]:
            console.print(f"{mark} {escape(plain(line))}", soft_wrap=True)
        if len(lines) > SUSPICIONS:
            console.print(f"{mark} {len(lines) - SUSPICIONS:,} 가구 더 · more households of this kind")
    if not force and any(blinds for blinds, _ in kinds):
        console.print(
            "[red]감지를 막을 자료입니다: 고쳐서 다시 보내거나, 맞는 자료이면 --force · "
            "such data would blind the detector: mend and send it again, or use it as it is with --force[/]",
            soft_wrap=True,
        )  # fmt: skip

"""The terminal: one console for words, one for progress, and a progress bar that is quiet where nobody watches."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

LEVELS = {"attention": ("관심", "cyan"), "caution": ("주의", "yellow"), "serious": ("심각", "bold red")}
"""Level -> its Korean name and the colour it is shown in."""


def bar(console: Console = err, *, counts: bool = False, transient: bool = False) -> Progress:
    """A progress bar on ``console``; ``counts`` shows how many of how many, ``transient``: gone when done."""
    numbers = MofNCompleteColumn() if counts else TextColumn("{task.percentage:>3.0f} %")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), numbers, TimeElapsedColumn())
    return Progress(*columns, console=console, transient=transient)


def bad_rows(counts: Mapping[str, int], examples: Mapping[str, Sequence[str]], console: Console = err) -> None:
    """How many rows could not be used, by reason, with the first of each."""
    total = sum(counts.values())
    if not total:
        return
    console.print(f"[yellow]쓸 수 없는 행 {total:,}개 · {total:,} rows could not be used; the others went on[/]")
    for reason, count in sorted(counts.items(), key=lambda item: -item[1]):
        console.print(f"  {reason}: {count:,}")
        for example in examples.get(reason, ()):
            console.print(f"    [dim]{escape(example)}[/]", soft_wrap=True)

"""Cells of a CSV file that a person may open in a spreadsheet: none of them is a formula there.

A cell that a spreadsheet would calculate gets an apostrophe in front; `read` takes away exactly those that `cell` put
there, so that what is exported is imported unchanged. Every cell is quoted, whatever it holds: a spreadsheet of another
country divides lines at the semicolon.
"""

import csv
import re
from typing import Any, TextIO

_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠﹢﹣﹦﹫\t\r\n]")


def cell(value: Any) -> Any:
    """A cell as it goes into a file; numbers stay as they are."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def read(text: str) -> str:
    """A cell of a file as it was before `cell`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text, 1) else text


class Writer:
    """Writes lines of cells as CSV, into a file opened with ``newline=""``."""

    def __init__(self, file: TextIO, lineterminator: str = "\r\n") -> None:
        self._writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator=lineterminator)

    def row(self, cells: Any) -> None:
        """One line."""
        self._writer.writerow([cell(value) for value in cells])

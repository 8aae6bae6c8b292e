"""Folders for servers that run as another account than the tests do."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_folder() -> Iterator[Path]:
    """A fresh folder, removed afterwards. Not among pytest's own: each run of pytest by root closes those of all runs
    to other accounts again, the server's too."""
    folder = Path(tempfile.mkdtemp(prefix="anbu-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

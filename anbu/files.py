"""Files that people ask for, of what is known of homes: whole or not there, and nobody's but their owner's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears only when it is whole, readable by this account alone; a device or a pipe is written as it
    goes. What is written to meanwhile has a name that nobody can foresee and lay a link at; a link at ``path`` is
    replaced, never followed."""
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    handle, partial = _beside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _beside(path: Path) -> tuple[int, Path]:
    """A new file in the same folder, open. Raises OSError, of the path that was asked for."""
    try:
        handle, name = mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".partial")
    except OSError as e:
        raise OSError(e.errno, e.strerror, str(path)) from e
    return handle, Path(name)

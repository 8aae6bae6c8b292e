"""Room on the disk for a server of our own, in one line where there is none."""

import errno
import shutil
from pathlib import Path

_LEAST_FREE_MB = 100


def short_of_room(folder: Path) -> str | None:
    """What to do where a folder's disk is (nearly) full; None where it is not. A server that fills the disk ends with a
    stack of errors, or, with no room for its log, without a word."""
    free = shutil.disk_usage(folder).free >> 20
    if free >= _LEAST_FREE_MB:
        return None
    return (
        f"the disk of {folder} is full ({free} MB free): free at least {_LEAST_FREE_MB} MB, "
        "or set ANBU_DATA_DIR to another folder"
    )


def cannot_use(e: OSError, folder: Path, server: str) -> str:
    """Why a folder cannot be used for ``server``, and what to do."""
    if e.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {folder} is full: free some space and run again"
    return f"cannot use {folder} for {server} ({e.strerror or e}): mend it, or set ANBU_DATA_DIR to another folder"

"""Files that other accounts of this machine cannot read, those of earlier versions too."""

import os
import stat
from pathlib import Path

from deploy.bare import NO_ACCESS_TO_OTHERS


class NotOursError(OSError):
    """A folder belongs to another account, which could read what is kept in it."""


def make(folder: Path) -> None:
    """Make a folder that is ours alone, and all that is in it already.

    Raises:
        NotOursError: it belongs to another account.
        OSError: it cannot be made or used.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise NotOursError(f"{folder} belongs to another account ({owner}): use a folder of this account")
    _close(folder)
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _close(Path(path, name))


def write(file: Path, text: str) -> None:
    """Write a file that is ours alone, all of it or nothing."""
    half = file.with_name(f".{file.name}.half")
    half.unlink(missing_ok=True)
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    os.replace(half, file)


def opener(path: str, flags: int) -> int:
    """For ``open``: the file is ours alone, one that was there before too."""
    fd = os.open(path, flags, 0o600)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        os.fchmod(fd, 0o600)
    return fd


def _close(path: Path) -> None:
    """Take the rights of group and others away. What a link points to is not ours to change."""
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & NO_ACCESS_TO_OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~NO_ACCESS_TO_OTHERS)
    except FileNotFoundError:  # a segment deleted meanwhile, by a broker that is being ended
        return

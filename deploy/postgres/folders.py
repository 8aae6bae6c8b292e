"""Folders and files of ours and of the server's account: for nobody else."""

import os
from pathlib import Path

from deploy.bare import NO_ACCESS_TO_OTHERS
from deploy.postgres.account import User
from deploy.postgres.errors import PostgresError


def private(folder: Path) -> None:
    """A folder of ours that other accounts may not enter, one of before too."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    of = folder.stat()
    if of.st_uid == os.geteuid() and of.st_mode & NO_ACCESS_TO_OTHERS:
        folder.chmod(0o700)


def own_folder(folder: Path, user: User | None) -> None:
    """A folder that only the server's account may enter; another's folder of this name is refused.

    Raises:
        PostgresError: another's.
    """
    owner = user[0] if user else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        there = folder.lstat()
        if there.st_uid != owner or not folder.is_dir() or folder.is_symlink():
            raise PostgresError(f"{folder} belongs to another account: remove it and run again") from None
        return
    if user is not None:
        os.chown(folder, *user)


def written(file: Path, text: str, user: User | None) -> None:
    """A file of the server's account, with this text. Put in its place whole: the folder is that account's, and what it
    may have put there under the name (a link to a file of ours) is not written through."""
    half = file.with_suffix(".anbu")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(handle, "w") as out:
        if user is not None:
            os.fchown(handle, *user)
        out.write(text)
    half.replace(file)

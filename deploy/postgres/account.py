"""PostgreSQL refuses to run as root: the account it runs as then, and what that account must be able to reach."""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from deploy.postgres.errors import PostgresError

NAME = "pgserver"
"""The account made where we are root and there is none yet: no password, no shell, no home."""


def account(data: Path) -> tuple[int, int] | None:
    """(uid, gid) the server is to run as; None: as we are, because we are not root.

    Whoever owns the data already stays their owner.

    Raises:
        PostgresError: when we are root and the account cannot be made.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _made()
    return entry.pw_uid, entry.pw_gid


def _made() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as e:
        try:  # another process may have made it this moment
            return pwd.getpwnam(NAME)
        except KeyError:
            said = " ".join((getattr(e, "stderr", "") or str(e)).split())
            raise PostgresError(
                f"PostgreSQL does not run as root, and the account {NAME} cannot be made ({said}): "
                "make it with useradd, or run anbu as another user"
            ) from e
    return pwd.getpwnam(NAME)


def let_through(path: Path) -> None:
    """Let other accounts pass through the folders above ``path`` (o+x: they cannot list them).

    Raises:
        PostgresError: when a folder cannot be changed.
    """
    for folder in path.absolute().parents:
        _allow(folder, stat.S_IXOTH)


def let_read(folder: Path, program: Path) -> None:
    """Let other accounts read the installed files below ``folder`` where ``program`` of it is not open to them."""
    let_through(folder)
    if _open(program):
        return
    for at, _, files in os.walk(folder):
        _allow(Path(at), stat.S_IROTH | stat.S_IXOTH)
        for name in files:
            file = Path(at) / name
            _allow(file, stat.S_IROTH | (stat.S_IXOTH if file.stat().st_mode & stat.S_IXUSR else 0))


def _open(program: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IROTH for path in (program, program.parent, program.parent.parent))


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits == bits:
        return
    try:
        path.chmod(stat.S_IMODE(mode) | bits)
    except OSError as e:
        raise PostgresError(
            f"the database's account {NAME} cannot reach {path} ({e.strerror}): open it (chmod o+x), "
            "or set ANBU_DATA_DIR to another folder"
        ) from e

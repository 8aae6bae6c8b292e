"""PostgreSQL refuses to run as root: the account it runs as then, and what that account can reach.

Nobody's folder is opened to it: the server finds its data by the folder that it is started in, whatever lies above.
"""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from deploy.bare import bare
from deploy.postgres.errors import PostgresError

NAME = "pgserver"
"""The account made where we are root and there is none yet: no password, no shell, no home."""
STARTED_IN = Path("/proc/self/cwd")
"""The folder that a process was started in, by a name that needs no right to the folders above it."""

User = tuple[int, int]
"""(uid, gid)"""


def account(data: Path) -> User | None:
    """The account the server is to run as; None: as we are, because we are not root.

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
        subprocess.run(command, check=True, capture_output=True, text=True, env=bare())
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


def folder_of(data: Path, user: User | None) -> Path:
    """How a server that is started in ``data`` is to call it.

    Raises:
        PostgresError: its account cannot get there.
    """
    if user is None or can_reach(data, user):
        return data
    if STARTED_IN.exists():
        return STARTED_IN
    raise PostgresError(
        f"the database's account {NAME} cannot reach {data}: set ANBU_DATA_DIR to a folder that it can reach "
        "(/var/lib/anbu), or run anbu as another user than root"
    )


def can_reach(path: Path, user: User) -> bool:
    """Whether an account may pass through all folders above ``path``."""
    return all(_may(folder.stat(), user, stat.S_IXOTH) for folder in path.absolute().parents)


def can_read(file: Path, user: User) -> bool:
    """Whether an account may read a file, wherever it is."""
    return can_reach(file, user) and _may(file.stat(), user, stat.S_IROTH)


def _may(of: os.stat_result, user: User, bit: int) -> bool:
    """``bit``: of the others; that of the owner or the group counts for them."""
    uid, gid = user
    return bool(of.st_mode & (bit << 6 if of.st_uid == uid else bit << 3 if of.st_gid == gid else bit))

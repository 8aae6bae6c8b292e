"""What a person sees when something goes wrong: one line that says what, with which value, and what to do."""

import errno
import os
from collections.abc import Sequence

from stream.plain import plain

OURS = {
    "UserError", "BrokerError", "BrokerUnreachableError", "StartError", "FileError", "ForestError",
    "PostgresError", "SchemaError", "VaultError", "ReasonNeededError", "PeopleFileError",
    "GatewayError", "BrokerSettingsError", "NoCaseError", "CommentError", "NoActorError",
}  # fmt: skip
"""Errors whose message is that line already, by name: importing them all would slow every start."""
NO_BROKER = {"KafkaConnectionError", "NoBrokersAvailable", "KafkaTimeoutError", "NodeNotReadyError"}


class UserError(Exception):
    """Something a person can mend; the message is one line, Korean and English."""


def line_of(error: BaseException) -> str | None:
    """The line for an error; None for one that nobody foresaw, which is a fault of ours."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & OURS:
        return _one(str(error))
    if names & NO_BROKER:
        return (
            f"브로커에 닿지 않습니다 · the broker cannot be reached ({_one(str(error))}): "
            "see `anbu doctor`, start it with `anbu up`, or set ANBU_BROKER__BOOTSTRAP"
        )
    if "KafkaError" in names:
        said = f"{type(error).__name__}: {_one(str(error))}"
        return f"브로커가 거절했습니다 · the broker refused ({said}): see `anbu doctor`"
    if "DBAPIError" in names:  # of SQLAlchemy; its first line has what the database said, and no value
        said = _one(str(error).splitlines()[0])
        return f"데이터베이스가 거절했습니다 · the database refused ({said}): see `anbu doctor`, and run again"
    if isinstance(error, TimeoutError) and not error.errno:
        return f"너무 오래 걸립니다 · it takes too long: {_one(str(error)) or 'no answer'}; see `anbu doctor`"
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, UnicodeEncodeError):
        return "글자가 아닌 것이 있습니다 · something given holds bytes that are no text: write it anew"
    return None


def settings_line(faults: Sequence[str]) -> str:
    """Settings that are wrong, each with its name, as one line."""
    return f"설정이 잘못되었습니다 · a setting is wrong: {_one('; '.join(faults))} (docs/settings.md)"


def _of_system(error: OSError) -> str:
    where = f" ({plain(str(error.filename))})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"디스크가 가득 찼습니다: 공간을 비우십시오 · the disk is full{where}: make room and run again"
    if error.errno == errno.EADDRINUSE:
        return f"포트를 다른 프로그램이 쓰고 있습니다 · a port is taken: {_one(error.strerror or str(error))}"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"파일이나 폴더가 없습니다 · no such file or folder{where}: check the path"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"권한이 없습니다 · not permitted{where}: use another path, or give this user the right"
    if error.errno == errno.EISDIR:
        return f"파일이 아니라 폴더입니다 · a folder, not a file{where}: name a file"
    return f"시스템 오류 · the system said: {_one(error.strerror or str(error))}{where}"


def debugging() -> bool:
    """Whether ANBU_DEBUG asks for tracebacks."""
    return os.environ.get("ANBU_DEBUG", "") not in ("", "0")


def _one(text: str) -> str:
    return plain(" ".join(text.split()))

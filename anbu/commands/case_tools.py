"""What the commands about cases share: the desk, names with their entry in the access log, times of day."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from anbu.configuration import Settings
    from response.access import Sight
    from response.desk import Desk
    from response.vault import Vault

WHY = "사례 명령 · anbu cases"
"""The reason under which a colleague's name is read."""


def load() -> "Settings":
    """The settings of this folder."""
    from anbu import configuration

    return configuration.load()


def one_of(option: str, value: str | None, known: Iterable[str]) -> None:
    """What nothing is called finds nothing, and nothing would look like calm. Raises UserError."""
    from difflib import get_close_matches

    from anbu.errors import UserError

    names = sorted(set(known))
    if value is not None and value not in names:
        near = get_close_matches(value, names, n=5, cutoff=0.3) or names[:5]
        raise UserError(f"모르는 값입니다 · {option} {value!r} is not known here: {', '.join(near)} ...")


def connected(settings: "Settings"):  # type: ignore[no-untyped-def]
    """Connections to the database of the settings."""
    from anbu.database import connected

    return connected(settings)


def looking(settings: "Settings"):  # type: ignore[no-untyped-def]
    """The same, with the way to look at people."""
    from anbu.database import looking

    return looking(settings)


def desk(engine: "Engine", settings: "Settings") -> "Desk":
    """The desk of the settings, for whoever sits here."""
    from anbu.viewer import viewer
    from response.desk import desk_of

    return desk_of(engine, settings.response, settings.tz, sits=viewer())


def vault(settings: "Settings") -> "Vault | None":
    """The vault, where there are keys."""
    from response.vault import Vault

    return Vault.of(settings.response.keys) if settings.response.keys else None


def shown(
    sight: "Sight", settings: "Settings", ids: "Iterable[str | None]", now: datetime, case_id: int | None = None,
    why: str = WHY, whole: bool = False,
) -> Callable[[str], str]:  # fmt: skip
    """What is shown of people: `response.who.shown` for whoever sits here. Raises ReasonNeededError."""
    from anbu.viewer import viewer
    from response import who

    return who.shown(sight, vault(settings), ids, viewer(), why, now, case_id, whole)


def sealed(settings: "Settings", number: int, comment: str) -> str:
    """A comment as the log keeps it. Raises CommentError."""
    from response import comments

    return comments.seal(vault(settings), number, comment)


def stamp(at: datetime, settings: "Settings") -> str:
    """A local time."""
    from response.sentences import stamp

    return stamp(at, ZoneInfo(settings.tz))


def moment(text: str, settings: "Settings", now: datetime) -> datetime:
    """A local time of the command line. Raises UserError."""
    from anbu.errors import UserError

    tz = ZoneInfo(settings.tz)
    try:
        if len(text) <= 5:
            return datetime.combine(now.astimezone(tz).date(), time.fromisoformat(text), tz).astimezone(UTC)
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), tz).astimezone(UTC)
        return datetime.fromisoformat(text).replace(tzinfo=tz).astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise UserError(f"시각을 읽을 수 없습니다 · {text!r} is no time: HH:MM, or YYYY-MM-DD HH:MM") from e


def age(age: timedelta) -> str:
    """How long: ``3d 4h``, ``2h 05m``."""
    minutes = int(age.total_seconds() // 60)
    return f"{minutes // 1440}d {minutes % 1440 // 60}h" if minutes >= 1440 else f"{minutes // 60}h {minutes % 60:02}m"


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)

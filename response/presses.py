"""What a press on the page does: one of the desk's acts, by whom the link was made for, from the fields of a form."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from response import comments, links, log
from response.acts import TWICE
from response.desk import Desk
from response.events import Noted
from response.links import Link
from response.log import NoCaseError
from response.names import Words
from response.openings import Opening
from response.refusals import RefusedError, SureError
from response.vault import Vault
from stream.records import OutcomeCode

HOURS = (1, 2, 4, 24)
"""How much time may be asked for when a case is taken."""
USES = frozenset({"acknowledge", "take-over", "close", "reopen"})
"""Acts that use a link up for everybody but whoever has the case by it."""
ACTIONS = USES | {"show", "ask", "note", "undo"}
Form = Mapping[str, str]
Shown = Callable[[Link, str], str]
"""What is shown of a person (id) to whom a link was made for."""


class SureWantedError(Exception):
    """The outcome in the form is to be asked once more."""


def press(
    desk: Desk, vault: Vault | None, opening: Opening, action: str, form: Form, now: datetime, shown: Shown
) -> Words:
    """Do it; empty words, or what is wrong in a sentence.

    Raises:
        SureWantedError: the outcome is asked once more.
    """
    link = opening.link
    if action == "show":
        return "", ""
    if not opening.may:
        return "다른 분이 맡았거나 끝난 사례입니다. 새 문자의 주소를 쓰십시오", (
            "somebody else has it, or it is closed: use the link of a newer message")  # fmt: skip
    try:
        _act(desk, vault, opening, action, form, now)
    except SureError as e:
        raise SureWantedError from e
    except RefusedError as e:
        return e.words(lambda person: shown(link, person))
    except _FormError as e:
        return e.words
    except (comments.CommentError, NoCaseError) as e:
        ko, _, en = str(e).partition(" · ")
        return ko, en or ko
    with desk.engine.begin() as conn:
        if action in USES:
            links.used(conn, link, now)
        elif action == "undo" and log.load(conn, link.case_id).owner != link.person_id:
            links.unused(conn, link)
    return "", ""


class _FormError(Exception):
    """A field of the form is not to be used."""

    def __init__(self, ko: str, en: str) -> None:
        self.words = ko, en
        super().__init__(en)


def _act(desk: Desk, vault: Vault | None, opening: Opening, action: str, form: Form, now: datetime) -> None:
    case_id, me = opening.link.case_id, opening.link.person_id
    sealed = comments.seal(vault, case_id, form.get("comment", ""))
    match action:
        case "acknowledge":
            desk.acknowledge(case_id, me, now, sealed, now + timedelta(hours=_hours(form)))
        case "take-over":
            desk.acknowledge(case_id, me, now, sealed, over=True)
        case "ask":
            desk.ask(case_id, me, now)
        case "note":
            if not _noted(opening, vault, form.get("comment", ""), now):
                desk.note(case_id, me, sealed, now)
        case "close":
            until = _until(form, desk.hours.tz)
            desk.close(case_id, me, _code(form), now, sealed, until=until, sure=form.get("sure") == "1")
        case "undo":
            desk.undo(case_id, me, now, _seq(form))
        case "reopen":
            desk.reopen(case_id, me, sealed, now)


def _noted(opening: Opening, vault: Vault | None, text: str, now: datetime) -> bool:
    """Whether they have just written the same: the press came twice. Nothing is no note."""
    said = {""}
    for entry in opening.entries:
        if isinstance(entry.what, Noted) and entry.by == opening.link.person_id and now - entry.at < TWICE:
            said.add(comments.opened(vault, opening.link.case_id, entry.what.comment))
    return comments.line(text) in said


def _seq(form: Form) -> int | None:
    """Which act is to be undone; one that nobody can mean is none that there is."""
    text = form.get("act", "")
    return None if not text else int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else -2


def _hours(form: Form) -> int:
    hours = form.get("hours", "2")
    if hours not in map(str, HOURS):
        raise _FormError("몇 시간인지 골라 주십시오", "choose how many hours")
    return int(hours)


def _code(form: Form) -> OutcomeCode:
    try:
        return OutcomeCode(form.get("code", ""))
    except ValueError as e:
        raise _FormError("결과를 골라 주십시오", "choose an outcome") from e


def _until(form: Form, tz: ZoneInfo) -> datetime | None:
    """The end of the day that was given."""
    if not form.get("until"):
        return None
    try:
        day = date.fromisoformat(form["until"])
        return datetime.combine(day, time(23, 59), tz).astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise _FormError("날짜를 2026-03-04처럼 적어 주십시오", "write the day as 2026-03-04") from e

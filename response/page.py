"""The page behind a one-time link: one case, plain, on an old phone. GET shows, POST acts; no script.

Whoever has the case sees name, number and address, and every such view is in the access log before it is shown.
"""

import hashlib
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from response import comments, links, log, names, registry, timeline
from response.access import viewing
from response.case import Case, fold
from response.channels.words import masked
from response.desk import Desk
from response.draft import facts
from response.links import Link
from response.log import NoCaseError
from response.records import Person
from response.settings import ResponseSettings
from response.vault import Vault
from stream.outcomes import MUST_END
from stream.records import OutcomeCode

MOST_BYTES = 20_000
WRONG_AT_MOST = 20
"""So many unknown links of one address within ``WRONG_WITHIN_S`` are looked up, then it has to wait."""
WRONG_WITHIN_S = 600.0
ADDRESSES = 10_000
_env = Environment(
    loader=PackageLoader("response", "templates/page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
STYLE = _env.loader.get_source(_env, "style.css")[0] if _env.loader else ""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(slots=True)
class Wrong:
    """Counts unknown links by address, so that nobody tries them all. A link that is right is never held up."""

    times: OrderedDict[str, list[datetime]] = field(default_factory=OrderedDict)

    def often(self, address: str, now: datetime) -> bool:
        """Note one more; whether there were too many."""
        since = now - timedelta(seconds=WRONG_WITHIN_S)
        kept = [at for at in self.times.pop(address, []) if at > since][-WRONG_AT_MOST:]
        self.times[address] = [*kept, now]
        while len(self.times) > ADDRESSES:
            self.times.popitem(last=False)
        return len(kept) >= WRONG_AT_MOST


@dataclass(slots=True)
class Page:
    """What the routes share."""

    desk: Desk
    vault: Vault | None
    settings: ResponseSettings
    now: Callable[[], datetime]
    wrong: Wrong = field(default_factory=Wrong)

    async def show(self, request: Request) -> Response:
        """The case of a link."""
        return await run_in_threadpool(self._show, request.path_params["token"], _address(request), {}, "")

    async def act(self, request: Request) -> Response:
        """Take it, write a note, close it; then the page again."""
        token, action = request.path_params["token"], request.path_params["action"]
        if action not in ("acknowledge", "note", "close"):
            return PlainTextResponse("no such page", 404)
        if int(request.headers.get("content-length") or 0) > MOST_BYTES:
            return PlainTextResponse("too long", 413)
        body = (await request.body())[:MOST_BYTES]
        form = {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}
        said = await run_in_threadpool(self._act, token, action, form)
        if said:
            return await run_in_threadpool(self._show, token, _address(request), form, said)
        return RedirectResponse(f"../{token}", 303, headers=HEADERS)

    def _act(self, token: str, action: str, form: dict[str, str]) -> str:
        """Do it; what is wrong, in a sentence, or nothing."""
        now = self.now()
        with self.desk.engine.connect() as conn:
            link = links.read(conn, token, now)
            case = log.load(conn, link.case_id) if isinstance(link, Link) else None
        if not isinstance(link, Link) or case is None:
            return "이 주소는 더 쓸 수 없습니다 · this link cannot be used any more"
        if not links.may_act(link, case):
            return "다른 분이 맡았거나 끝난 사례입니다 · somebody else has it, or it is closed"
        try:
            sealed = comments.seal(self.vault, link.case_id, form.get("comment", ""))
            if action == "acknowledge":
                hours = float(form.get("hours") or 2)
                self.desk.acknowledge(link.case_id, link.person_id, now, sealed, now + timedelta(hours=hours))
            elif action == "note":
                self.desk.note(link.case_id, link.person_id, sealed, now)
                return ""
            else:
                code = OutcomeCode(form.get("code", ""))
                self.desk.close(link.case_id, link.person_id, code, now, sealed, until=self._until(form))
        except ValueError as e:
            return _sentence(form, e)
        except (comments.CommentError, NoCaseError) as e:
            return str(e)
        with self.desk.engine.begin() as conn:
            links.used(conn, token, now)
        return ""

    def _until(self, form: dict[str, str]) -> datetime | None:
        """The end of the day that was given."""
        if not form.get("until"):
            return None
        day = datetime.fromisoformat(form["until"]).date()
        return datetime.combine(day, time(23, 59), self.desk.hours.tz).astimezone(UTC)

    def _show(self, token: str, address: str, form: dict[str, str], said: str) -> Response:
        now = self.now()
        with self.desk.engine.begin() as conn:
            link = links.read(conn, token, now)
            if isinstance(link, Link):
                return self._case(conn, link, token, address, form, said, now)
        status = 429 if link == "unknown" and self.wrong.often(address, now) else 404 if link == "unknown" else 410
        return self._html("wrong.html", status, callback=self.settings.callback_number, expired=link == "expired")

    def _case(
        self, conn: Connection, link: Link, token: str, address: str, form: dict[str, str], said: str, now: datetime
    ) -> Response:
        entries = log.entries(conn, link.case_id)
        case = fold(link.case_id, entries)
        mine = case.owner == link.person_id
        resident = self._resident(conn, link, case, mine, address, now)
        known, hours = facts(case), self.desk.hours
        around = partial(self.desk.circle, conn, case.household_id, case.dong)
        return self._html(
            "case.html", 422 if said else 200, token=token, case=case, known=known, mine=mine, form=form, said=said,
            may=links.may_act(link, case), level=names.level(case.level), phase=names.PHASES[case.phase],
            name=(resident.name if mine else masked(resident.name)) if resident else "",
            resident=resident if mine else None, office=self.settings.office_name,
            past=[(line, comments.opened(self.vault if mine else None, link.case_id, line.comment))
                  for line in reversed(timeline.past(entries, case, hours))],
            coming=timeline.coming(case, hours, now, around),
            codes=[(code, *names.CODES[code], code in MUST_END) for code in OutcomeCode], drill=case.drill,
            today=now.astimezone(hours.tz).date(),
        )  # fmt: skip

    def _resident(
        self, conn: Connection, link: Link, case: Case, mine: bool, address: str, now: datetime
    ) -> Person | None:
        if self.vault is None:
            return None
        person_id = registry.resident(conn, case.household_id)
        if person_id is None:
            return None
        if mine:  # within the transaction that reads: without its entry nothing is shown
            why = "맡은 사례 · a case of one's own"
            viewing(conn, link.person_id, f"page {address}", person_id, "case page", why, link.case_id, now)
        return registry.person(conn, self.vault, person_id)

    def _html(self, template: str, status: int, **values: Any) -> Response:
        return HTMLResponse(_env.get_template(template).render(style=STYLE, **values), status, headers=HEADERS)


def app(
    desk: Desk, vault: Vault | None, settings: ResponseSettings, *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC), extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:  # fmt: skip
    """The page, /healthz, and ``extra_routes`` (a vendor's webhook)."""
    page = Page(desk, vault, settings, now)
    return Starlette(
        routes=[
            Route("/healthz", lambda _: PlainTextResponse("ok")),
            Route("/c/{token}", page.show, methods=["GET"]),
            Route("/c/{token}/{action}", page.act, methods=["POST"]),
            *extra_routes,
        ]
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _sentence(form: dict[str, str], e: ValueError) -> str:
    code = form.get("code", "")
    if code in MUST_END:
        return "언제까지인지 날짜를 적어 주십시오 · give the day until when this holds"
    if "code" in form or "is not a valid" in str(e):
        return "결과를 골라 주십시오 · choose an outcome" if "is not a valid" in str(e) else str(e)
    return str(e)

"""The page behind a one-time link: one case, plain, on an old phone. GET shows, POST acts; no script.

Nobody is read for a GET: whatever fetches an address that is in a message (previews, scanners) sees no name and leaves
no view in the log. A press does both, and the browser that pressed is known by a cookie from then on. Whoever has the
case sees name, number and address then, and every such view is in the access log before it is shown.
"""

import asyncio
import hashlib
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct
from sqlalchemy import Connection, select
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from response import comments, forms, names, openings, registry, tables, timeline, who
from response.access import Sight, Viewer
from response.acts import undoable
from response.case import Case
from response.desk import Desk
from response.draft import UNDO_S, facts
from response.forms import FormError
from response.hours import Hours
from response.links import Link
from response.names import Words
from response.openings import Opening
from response.presses import ACTIONS, HOURS, SureWantedError, press
from response.records import Person
from response.sentences import Shown, colleague, english_days, stamp
from response.settings import ResponseSettings
from response.vault import Vault
from stream import plain
from stream.outcomes import GONE, MUST_END
from stream.records import OutcomeCode
from stream.serving.guarded import HTTPS_FROM_NOW_ON, Guarded
from stream.serving.limits import Limits, Refused
from stream.serving.source import group, source

MOST_BYTES = 64 * 1024
"""Of a request: a form, or a vendor's webhook."""
AT_ONCE = 8
"""Requests that are at the database at once: what else this process does there has to go on."""
LANGUAGES = ("ko", "en")
T = TypeVar("T")
WRONG_AT_MOST = 20
"""So many unknown links of one address within ``WRONG_WITHIN_S`` are looked up, then it has to wait."""
WRONG_WITHIN_S = 600.0
ADDRESSES = 10_000
OWN, OTHERS = "맡은 사례 · a case of one's own", "다른 분이 맡은 사례 · a case that somebody else has"
PRESSED = "anbu_pressed"
"""The cookie of a browser in which somebody pressed; of this link's page alone, by its path."""
PRESSED_S = 12 * 3600
WHY = "사례 화면 · the page of a case"
"""The reason under which names are read."""
_env = Environment(
    loader=PackageLoader("response", "templates/page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_env.filters["ro"] = names.ro
STYLE = _env.loader.get_source(_env, "style.css")[0] if _env.loader else ""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
}


@dataclass(slots=True)
class Wrong:
    """Counts unknown links by address, so that nobody tries them all. A link that is right is never held up."""

    times: OrderedDict[str, list[datetime]] = field(default_factory=OrderedDict)

    def often(self, address: str, now: datetime) -> bool:
        """Note one more; whether there were too many."""
        since = now - timedelta(seconds=WRONG_WITHIN_S)
        whose = group(address)
        kept = [at for at in self.times.pop(whose, []) if at > since][-WRONG_AT_MOST:]
        self.times[whose] = [*kept, now]
        while len(self.times) > ADDRESSES:
            self.times.popitem(last=False)
        return len(kept) >= WRONG_AT_MOST


class Asked(Struct, frozen=True):
    """A request for a link's page. ``here``: the page's own address, as seen from the address that was asked for.
    ``pressed``: by somebody who presses, or has."""

    token: str
    address: str
    lang: str
    here: str
    pressed: bool


@dataclass(slots=True)
class Page:
    """What the routes share."""

    desk: Desk
    sight: Sight
    vault: Vault | None
    settings: ResponseSettings
    now: Callable[[], datetime]
    wrong: Wrong = field(default_factory=Wrong)
    turns: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, AT_ONCE))

    async def show(self, request: Request) -> Response:
        """The case of a link."""
        if request.method == "HEAD":  # nobody reads it
            return HTMLResponse("", headers=HEADERS)
        token = request.path_params["token"]
        here = f"../{token}" if request.url.path.endswith("/") else token
        return await self._turn(self._show, _asked(request, here), {}, ("", ""))

    async def back(self, request: Request) -> Response:
        """A browser that comes back to the address of a press (a tab restored, a link copied) sees the case."""
        return RedirectResponse(f"../{request.path_params['token']}{_lang(request)}", 303, headers=HEADERS)

    async def act(self, request: Request) -> Response:
        """What a press asks for; then the page again."""
        token, action = request.path_params["token"], request.path_params["action"]
        if action not in ACTIONS:
            return PlainTextResponse("no such page", 404)
        asked = _asked(request, f"../{token}")
        try:
            form = await forms.fields(request, self.settings.link_url)
        except FormError as e:
            return self._wrong(asked, e.status, e.words, ("", ""), back=True)
        sure = False
        try:
            said = await self._turn(self._press, asked, action, form)
        except SureWantedError:
            said, sure = ("", ""), True
        if said is None or said[0] or sure or action == "show":
            answer = await self._turn(self._show, asked, form, said or ("", ""), sure)
        else:
            answer = RedirectResponse(f"../{token}{_lang(request)}", 303, headers=HEADERS)
        # without a path: that of this page, whatever is before it
        secure = _by_tls(self.settings)
        answer.set_cookie(PRESSED, "1", PRESSED_S, path=None, secure=secure, httponly=True, samesite="lax")
        return answer

    async def _turn(self, work: Callable[..., T], *given: Any) -> T:
        async with self.turns:
            return await run_in_threadpool(work, *given)

    def _opened(self, conn: Connection, asked: Asked, now: datetime) -> Opening | openings.Refused:
        return openings.opened(conn, asked.token, now, self.settings.link_closed_hours, self.desk.hours.tz)

    def _press(self, asked: Asked, action: str, form: dict[str, str]) -> Words | None:
        """What came of it; None: the link opens nothing."""
        now = self.now()
        with self.desk.engine.connect() as conn:
            opening = self._opened(conn, asked, now)
        if not isinstance(opening, Opening):
            return None

        def shown(link: Link, person: str) -> str:
            return self._shown(asked, link, [person], now)(person)

        return press(self.desk, self.vault, opening, action, form, now, shown)

    def _shown(
        self, asked: Asked, link: Link, ids: Iterable[str | None], now: datetime, whole: bool = False
    ) -> Shown:
        return who.shown(self.sight, self.vault, ids, _me(link, asked), WHY, now, link.case_id, whole, "")

    def _show(self, asked: Asked, form: dict[str, str], said: Words, sure: bool = False) -> Response:
        now = self.now()
        with self.desk.engine.begin() as conn:
            opening = self._opened(conn, asked, now)
            if isinstance(opening, Opening):
                return self._case(conn, opening, asked, form, said, sure, now)
        status, what, todo = openings.WHY[opening]
        often = opening == "unknown" and self.wrong.often(asked.address, now)
        return self._wrong(asked, 429 if often else status, what, todo)

    def _wrong(self, asked: Asked, status: int, what: Words, todo: Words, back: bool = False) -> Response:
        return self._html(
            "wrong.html", status, asked.lang or "ko", asked, what=what, todo=todo, back=back,
            callback=self.settings.callback_number,
        )  # fmt: skip

    def _case(
        self, conn: Connection, opening: Opening, asked: Asked, form: dict[str, str], said: Words, sure: bool,
        now: datetime,
    ) -> Response:  # fmt: skip
        link, case, hours = opening.link, opening.case, self.desk.hours
        has = opening.has and asked.pressed
        resident = self._person(asked, opening, _resident(conn, case, has), now)
        other = case.owner if asked.pressed and case.closed is None and case.owner != link.person_id else None
        ids = who.in_log(opening.entries, home=has) if asked.pressed else set()
        shown = self._shown(asked, link, ids, now, whole=has)
        past = timeline.past(opening.entries, case, hours, shown)
        around = partial(self.desk.circle, conn, case.household_id, case.dong)
        lang = asked.lang if asked.lang in LANGUAGES else _language(conn, link.person_id)
        code = form.get("code", "")
        return self._html(
            "sure.html" if sure else "case.html", 422 if said[0] else 200, lang, asked, case=case, known=facts(case),
            me=link.person_id, mine=opening.has, pressed=asked.pressed, sees=resident, may=opening.may, form=form,
            said=said, place=self.settings.place(case.dong), level=names.level(case.level),
            phase=names.PHASES[case.phase], owner=colleague(shown(case.owner or "")),
            ring=self._person(asked, opening, other, now),
            until=stamp(case.owner_until, hours.tz) if case.owner_until else "",
            undo=_undo_until(case, link, now, hours), ended=_ended(case),
            past=[(line, comments.opened(self.vault, link.case_id, line.comment) if has else bool(line.comment))
                  for line in reversed(past)],
            coming=timeline.coming(case, hours, now, around), hours=HOURS, chosen=code, longest=plain.COMMENT,
            codes=[(code, names.CODES[code], code in MUST_END) for code in OutcomeCode],
            code=names.CODES[OutcomeCode(code)] if sure else None, gone=sure and OutcomeCode(code) in GONE,
            today=now.astimezone(hours.tz).date(),
        )  # fmt: skip

    def _person(
        self, asked: Asked, opening: Opening, person_id: str | None, now: datetime
    ) -> Person | None:
        """Somebody whose number is shown: the resident to whoever has the case, a colleague who has it to the others.
        In the access log within the transaction that reads: without its entry nothing is shown."""
        if self.vault is None or person_id is None:
            return None
        action, why = ("colleague", OTHERS) if person_id == opening.case.owner else ("case page", OWN)
        rows = self.sight.people(_me(opening.link, asked), [(person_id, action)], why, now, opening.case.case_id)
        return registry.opened(rows[0], self.vault) if rows else None

    def _html(self, template: str, status: int, lang: str, asked: Asked, **values: Any) -> Response:
        at = LANGUAGES.index(lang) if lang in LANGUAGES else 0
        said = {
            "style": STYLE, "lang": LANGUAGES[at], "other": LANGUAGES[1 - at], "here": asked.here,
            "w": lambda *words: _said(words[0] if len(words) == 1 else words, at),
        }  # fmt: skip
        return HTMLResponse(_env.get_template(template).render(**said, **values), status, headers=HEADERS)


def app(
    desk: Desk, sight: Sight, vault: Vault | None, settings: ResponseSettings, *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC), extra_routes: Sequence[BaseRoute] = (),
    refused: Refused = lambda reason: None,
) -> Guarded:  # fmt: skip
    """The page, /healthz, and ``extra_routes`` (a vendor's webhook)."""
    page = Page(desk, sight, vault, settings, now)
    served = Starlette(
        routes=[
            Route("/healthz", lambda _: PlainTextResponse("ok")),
            Route("/c/{token}", page.show, methods=["GET"]),
            Route("/c/{token}/", page.show, methods=["GET"]),
            Route("/c/{token}/{action}", page.act, methods=["POST"]),
            Route("/c/{token}/{action}", page.back, methods=["GET"]),
            *extra_routes,
        ]
    )
    limits = Limits(
        body_bytes=MOST_BYTES, bodies_bytes=MOST_BYTES * settings.connections, connections=settings.connections
    )
    return Guarded(served, limits, refused, HTTPS_FROM_NOW_ON if _by_tls(settings) else ())


def _by_tls(settings: ResponseSettings) -> bool:
    return settings.link_url.startswith("https:")


def _asked(request: Request, here: str) -> Asked:
    pressed = request.method == "POST" or request.cookies.get(PRESSED) == "1"
    lang = request.query_params.get("lang", "")
    return Asked(request.path_params["token"], source(request.scope), lang, here, pressed)


def _lang(request: Request) -> str:
    lang = request.query_params.get("lang", "")
    return f"?lang={lang}" if lang in LANGUAGES else ""


def _resident(conn: Connection, case: Case, has: bool) -> str | None:
    return registry.resident(conn, case.household_id) if has else None


def _me(link: Link, asked: Asked) -> Viewer:
    """Whoever holds a link, who sees colleagues and the home of the link's case: no dong."""
    return Viewer(link.person_id, f"page {asked.address}", ())


def _said(words: Words, at: int) -> str:
    return english_days(words[at]) if at else words[at]


def _language(conn: Connection, person_id: str) -> str:
    """The language of whom a link was made for."""
    query = select(tables.people.c.language).where(tables.people.c.person_id == person_id)
    return conn.execute(query).scalar_one_or_none() or LANGUAGES[0]


def _undo_until(case: Case, link: Link, now: datetime, hours: Hours) -> str:
    """Until when this person may take back what they have just done: a time of day, empty where there is nothing."""
    act = case.act
    if act is None or act.by != link.person_id or not undoable(act, now):
        return ""
    return f"{(act.at + timedelta(seconds=UNDO_S)).astimezone(hours.tz):%H:%M:%S}"


def _ended(case: Case) -> Words:
    """What a closed case was."""
    if case.closed is None:
        return "", ""
    return names.CODES[case.closed.code] if case.closed.code is not None else names.HOW[case.closed.how]

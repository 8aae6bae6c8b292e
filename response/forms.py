"""A form as our own page sends it: its fields, or in a sentence why it is not taken. Nothing is cut in silence."""

from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from response.names import Words

TOO_LARGE = 413
MOST_FIELDS = 100
TYPE = "application/x-www-form-urlencoded"
OURS = ("same-origin", "none")
"""Where a browser may say that a request began: on our page, or by whoever sits there."""


class FormError(Exception):
    """A form is not taken: the HTTP status, and why in Korean and English."""

    def __init__(self, status: int, ko: str, en: str) -> None:
        self.status = status
        self.words: Words = ko, en
        super().__init__(en)


async def fields(request: Request, link_url: str = "") -> dict[str, str]:
    """The fields of a form; of one that is given twice the last. ``link_url``: where people reach the page.

    Raises:
        FormError: it was sent by another site, is no form, too long, or holds bytes that are no text.
    """
    if not _ours(request, link_url):
        raise FormError(403, "다른 사이트에서 보냈습니다: 여기서 눌러 주십시오", "sent by another site: press it here")
    try:
        body = await request.body()
    except HTTPException as e:  # of the bound on what is read
        if e.status_code != TOO_LARGE:
            raise
        raise FormError(TOO_LARGE, "너무 깁니다: 메모를 줄여 주십시오", "too long: shorten the comment") from e
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != TYPE:
        raise FormError(415, "이 화면의 양식이 아닙니다: 여기서 눌러 주십시오", "no form of this page: press it here")
    if body.count(b"&") >= MOST_FIELDS:
        raise FormError(TOO_LARGE, "항목이 너무 많습니다: 여기서 눌러 주십시오", "too many fields: press it here")
    try:
        given = parse_qs(body.decode("ascii"), errors="strict")
    except ValueError as e:
        raise FormError(400, "읽을 수 없는 글자가 있습니다: 다시 적어 주십시오", "some letters cannot be read") from e
    return {name: values[-1] for name, values in given.items()}


def _ours(request: Request, link_url: str) -> bool:
    """Whether our own page sent it, as far as the browser says. Ours sends no referrer, so its origin may be null."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in OURS
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc in {request.headers.get("host"), urlsplit(link_url).netloc}

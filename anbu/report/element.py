"""Elements of a page, HTML and SVG alike: built as a tree, so that nothing in them can break out of its place."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

from stream.plain import plain

__all__ = ["Child", "Element", "el", "html", "number", "pair", "table"]

Child = Element | str | None


def el(tag: str, *children: Child, **attributes: object) -> Element:
    """An element. ``class_`` is written class, ``stroke_width`` stroke-width; None is left out; text is escaped, and
    what is not seen of it is shown."""
    out = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            said = number(value) if isinstance(value, float) else plain(str(value))
            out.set(name.rstrip("_").replace("_", "-"), said)
    for child in children:
        if isinstance(child, Element):
            out.append(child)
        elif child and len(out):
            out[-1].tail = (out[-1].tail or "") + plain(child)
        elif child:
            out.text = (out.text or "") + (child if tag == "style" else plain(child))
    return out


def number(value: float) -> str:
    """A number with two decimals at most and none that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value == value else "–"


def pair(korean: str, english: str) -> Element:
    """A paragraph in Korean, and beside it in English."""
    return el("div", el("p", korean, lang="ko"), el("p", english, lang="en"), class_="pair")


def table(head: Iterable[tuple[str, str]], rows: Iterable[Iterable[Child | float]]) -> Element:
    """A table; ``head``: Korean and English; numbers stand right."""
    top = el("tr", *(el("th", ko, el("span", en, lang="en"), scope="col") for ko, en in head))
    body = [el("tr", *(_cell(c) for c in row)) for row in rows]
    return el("table", el("thead", top), el("tbody", *body))


def _cell(value: Child | float) -> Element:
    if isinstance(value, int | float):
        return el("td", f"{value:,}" if isinstance(value, int) else number(value), class_="n")
    return el("td", value)


def html(page: Element) -> str:
    """The page as text."""
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"

"""The page of a history: whole, well-formed, its figures those of the review."""

from html.parser import HTMLParser
from xml.etree.ElementTree import Element

import pytest

from anbu.report import page as pages
from anbu.report.charts import against, bars, top_of
from anbu.report.element import el, html, number, table
from anbu.report.words import CAUSES, LEVELS, UNABLE
from models.judgeable import NAMES
from simulators.review import Review, review
from simulators.trouble import _TESTS
from tests.lives import SHORT, lives

VOID = {"meta", "br", "hr", "img", "link"}


class Reader(HTMLParser):
    """Reads a page strictly: every tag is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def said(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="module")
def made() -> Review:
    """The review of a small history."""
    life = lives(homes=12, days=20, stop=15.3)
    return review(life.meter, life.phone, life.households, SHORT, lambda a: None)


def test_the_page_is_whole_and_by_itself(made: Review) -> None:
    """Well-formed, seven sections with pictures, Korean and English; no script, nothing fetched."""
    read = Reader(pages.page(made))
    assert read.open == []
    names = [tag for tag, _ in read.tags]
    assert names.count("section") == names.count("h2") == 7
    assert names.count("svg") >= 6
    assert "script" not in names
    assert not [a for _, attributes in read.tags for a in attributes if a in ("src", "href", "onload", "onclick")]
    assert "@import" not in pages.page(made)
    assert "url(" not in pages.page(made)
    assert sum(attributes.get("lang") == "ko" for _, attributes in read.tags) > 8
    assert sum(attributes.get("lang") == "en" for _, attributes in read.tags) > 8


def test_figures_on_the_page_are_the_reviews(made: Review) -> None:
    """What was read, and how many alerts reached each level."""
    said = Reader(pages.page(made, bad=17)).said
    assert f"{made.readings:,} readings and {made.events:,} phone events; 17 rows could not be used" in said
    for name, n in zip(LEVELS, made.tally.total, strict=True):
        assert f"{' '.join(LEVELS[name])}{n:,}" in said
    assert [f.household_id in said for f in made.troubled] == [True] * len(made.troubled)


def test_the_same_history_gives_the_same_page(made: Review) -> None:
    """Byte for byte: no clock, no chance."""
    assert pages.page(made) == pages.page(made)


def test_nothing_breaks_out_of_its_place() -> None:
    """Ids, names and models that look like HTML are words."""
    text = html(el("p", "<script>x()</script>", title='"><img src=x>'))
    read = Reader(text)
    assert [tag for tag, _ in read.tags] == ["p"]
    assert read.said == "<script>x()</script>"
    assert Reader(html(table((("a", "b"),), [["<b>", 1, 2.5]]))).said == "a b<b>12.5".replace(" ", "")


def test_what_a_model_says_of_itself_is_told_and_escaped(made: Review) -> None:
    """A model file of one's own names what it was fitted on."""
    said = Reader(pages.page(made, model="own<i>.npz", about={"fitted on": ["a & b", "<c>"], "homes": 3})).said
    assert "own<i>.npz" in said
    assert "fitted on: a & b, <c>; homes: 3" in said


def rects(chart: Element) -> list[Element]:
    return list(chart.iter("rect"))


def test_bars_are_as_high_as_their_figures() -> None:
    """Heights are in proportion, and each says its name and figure."""
    found = rects(bars([1.0, 4.0, 0.0], ["a", "b", "c"], ["", "", ""], "red", "t", line=2.0))
    heights = [float(r.get("height") or 0) for r in found]
    assert heights[1] == pytest.approx(4 * heights[0], abs=0.05)
    assert heights[2] == 0
    assert [r.findtext("title") for r in found] == ["a: 1", "b: 4", "c: 0"]
    assert rects(bars([], [], [], "red", "t")) == []


def test_points_lie_on_the_line_where_asked_is_found() -> None:
    """Twice as often as asked lies above it, none at all at the bottom; the present setting is larger."""
    chart = against([10.0, 10.0, 1.0], [10.0, 20.0, 0.0], 1.0, "t")
    points = list(chart.iter("circle"))
    across, up = ([float(p.get(k) or 0) for p in points] for k in ("cx", "cy"))
    line = next(chart.iter("line"))
    x1, y1, x2, y2 = (float(line.get(k) or 0) for k in ("x1", "y1", "x2", "y2"))
    on_line = [y1 + (y2 - y1) * (x - x1) / (x2 - x1) for x in across]
    assert up[0] == pytest.approx(on_line[0], abs=0.05)
    assert up[1] < on_line[1]
    assert up[2] == pytest.approx(y1, abs=0.05)
    assert [p.get("r") for p in points] == ["4", "4", "6"]


def test_scales_end_on_round_numbers() -> None:
    """Never below the highest."""
    assert [top_of(v) for v in (0, 0.3, 1, 7, 20, 21, 260)] == [1, 0.5, 1, 10, 20, 25, 500]
    assert [number(v) for v in (2.0, 2.5, 0.123, 100.0, float("nan"))] == ["2", "2.5", "0.12", "100", "–"]


def test_every_cause_and_reason_has_words() -> None:
    """Whatever can be found can be told."""
    assert set(CAUSES) == {*_TESTS, "unclear"}
    assert set(UNABLE) == set(NAMES)


def test_nothing_unseen_is_on_the_page() -> None:
    """An id that turns the direction of what follows, or breaks its line, is shown as what it is."""
    text = html(el("p", "h\u202e1\x1b[2J", el("b", "x"), "\u200btail", title="a\nb\0"))
    assert "\u202e" not in text
    assert all(c == "\n" or c.isprintable() for c in text)

"""The pages of security name the tests that hold each line: they are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGES = ("security.md", "asvs.md")
NAMED = re.compile(r"`(?:tests/)?([\w/]+\.py)::(test_\w+)`")


def named(page: str) -> list[tuple[str, str]]:
    """File below tests, name of a test."""
    return NAMED.findall((TESTS.parent / "docs" / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "test"), sorted({one for page in PAGES for one in named(page)}))
def test_each_test_that_is_named_is_there(file: str, test: str) -> None:
    """Whoever renames or removes one has to look at the page."""
    assert re.search(rf"^(async )?def {test}\(", (TESTS / file).read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("page", PAGES)
def test_each_table_of_evidence_names_some(page: str) -> None:
    """The pattern still reads the page."""
    assert len(named(page)) > 20


def test_no_bound_and_nobody_trusted_is_without_a_test() -> None:
    """Each line of the two tables ends with the test that attacks it."""
    page = (TESTS.parent / "docs/security.md").read_text(encoding="utf-8")
    tables = page[page.index("## Bounds") : page.index("## What each process holds")]
    heads = ("| What |", "| Who |")
    rows = [line for line in tables.splitlines() if line.startswith("| ") and not line.startswith(heads)]
    assert len(rows) > 40
    assert [row for row in rows if not NAMED.search(row)] == []

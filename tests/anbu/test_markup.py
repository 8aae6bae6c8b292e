"""What others wrote is no markup on our terminal: `[/]` in a name would end a command, `[link=...]` would lead away."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import anbu

OTHERS = frozenset({
    "areas", "by", "comment", "detail", "dong", "error", "example", "feed", "file", "folder", "household",
    "household_id", "message", "meter", "out", "path", "person", "phone", "subject", "text", "text_en", "text_ko",
    "what_en", "what_ko", "whose", "why",
})  # fmt: skip
"""Names of values that somebody else may have written."""
FILES = sorted(Path(anbu.__file__).parent.rglob("*.py"))


def _printed(tree: ast.AST) -> Iterator[ast.expr]:
    """Texts that rich reads as markup."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        given = {word.arg: word.value for word in call.keywords}
        if call.func.attr in ("print", "add_row", "add_task") and "markup" not in given:
            yield from call.args
        if call.func.attr in ("update", "add_task", "sheet") and "description" in given:
            yield given["description"]


def _bare(text: ast.expr) -> Iterator[str]:
    """Values of others within a text that nothing escapes."""
    if isinstance(text, ast.Call) and getattr(text.func, "id", "") in ("escape", "len", "sum"):
        return
    if getattr(text, "attr", getattr(text, "id", "")) in OTHERS:
        yield ast.unparse(text)
        return
    if isinstance(text, ast.FormattedValue) and text.format_spec is not None:
        return  # a number or a time
    for part in ast.iter_child_nodes(text):
        if isinstance(part, ast.expr):
            yield from _bare(part)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_others_wrote_is_escaped_where_it_is_printed(file: Path) -> None:
    """In lines, cells and descriptions."""
    bare = [f"{text.lineno}: {name}" for text in _printed(ast.parse(file.read_text())) for name in _bare(text)]
    assert bare == []


def test_this_test_sees_what_is_bare() -> None:
    """The rule itself, on lines of before."""
    for line in ('out.print(f"[b]✓[/] {file}: 3")', "t.add_row(row.dong)", 'p.update(t, description=f"{path.name}")'):
        assert [list(_bare(text)) for text in _printed(ast.parse(line))] != [[]]
    assert [list(_bare(text)) for text in _printed(ast.parse('out.print(f"{escape(file)}")'))] == [[]]

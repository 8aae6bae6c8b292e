"""What the terminal shows."""

import re
from io import StringIO

from rich.console import Console

from anbu.console import Terminal, sheet


def test_tables_keep_every_letter() -> None:
    """Korean sentences among English ones, at any width."""
    said = "사람이 있을 때와 없을 때의 전기 사용이 비슷해 늦게 알게 됩니다. cancelled, not needed any more"
    for width in range(30, 150):
        table = sheet("무엇 what")
        table.add_row(said)
        out = StringIO()
        Console(file=out, width=width).print(table)
        shown = [line.strip("│") for line in out.getvalue().splitlines() if line.startswith("│")]
        assert "".join(shown).replace(" ", "") == said.replace(" ", "")


def test_nothing_that_is_printed_acts_on_the_terminal() -> None:
    """Escapes, links, bells and marks of direction come out as signs, in lines and in cells; rich's own styles stay."""
    attack = "김\x1b[2J\x1b]8;;http://x\x07철\x9b1A\u202e수\x00\x08"
    table = sheet("이름 name")
    table.add_row(attack)
    for what in (attack, f"[red]{attack}[/]", table):
        file = StringIO()
        Terminal(file=file, width=80, force_terminal=True, color_system="standard").print(what, highlight=False)
        said = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())  # colours: rich's own
        assert "\x1b" not in said
        assert all(c.isprintable() for c in said.replace("\n", ""))
        assert "김\ufffd[2J" in said


def test_lines_of_one_text_stay_lines() -> None:
    """What a command composes of several lines is several lines."""
    file = StringIO()
    Terminal(file=file, width=80).print("one\ntwo")
    assert file.getvalue() == "one\ntwo\n"

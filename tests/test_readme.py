"""README and recipes are true: each command in them is understood, what can run is run, links and names exist."""

import re
import shlex
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.console import Console
from typer.main import get_command

from anbu import cli, configuration, demo_show
from anbu.demo_story import Story
from anbu.errors import UserError
from models.reasons import sentences
from simulators.events import Event, EventKind
from simulators.town import make_town
from stream import enrolment, http
from stream.records import Alert, Household, ReasonCode

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.md", "docs/how-to.md", "docs/why.md", "docs/detection.md", "docs/ladder.md", "docs/privacy.md",
    "docs/officer.md", "docs/operations.md", "docs/messages.md", "CHANGELOG.md",
)  # fmt: skip
MADE_BY_SHELL = re.compile(r"cat > (\S+) <<'END'\n(.*?)\nEND\n", re.S)
MADE_BY_A_COMMAND = re.compile(r"\$\([^()]*\)")
MAKES_A_KEY = ("openssl", "printf")
GROUP = get_command(cli.app)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[str]:
    """Code blocks of a page by their language."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text(page), re.S | re.M)


def shell_lines(block: str) -> list[str]:
    """Lines of a shell block: here-documents left out, continued lines joined."""
    return [line for line in MADE_BY_SHELL.sub("", block).replace("\\\n", " ").splitlines() if line.strip()]


PROJECT = tomllib.loads(text("pyproject.toml"))["project"]
SHELL = [(page, shell_lines(block)) for page in PAGES for block in blocks(page, "sh")]
LINES = [(page, line) for page, lines in SHELL for line in lines]


def split(line: str) -> tuple[dict[str, str], list[str]]:
    """Variables set before a command, and the command."""
    while made := MADE_BY_A_COMMAND.search(line):
        line = line.replace(made[0], "made-by" + re.sub(r"\W+", "-", made[0]))
    words = shlex.split(line, comments=True)
    if words[0] == "export":
        return dict(word.split("=", 1) for word in words[1:]), []
    sets = [word for word in words if re.match(r"^ANBU_\w+=", word)]
    return dict(word.split("=", 1) for word in sets), words[len(sets) :]


def test_every_page_has_its_blocks_marked() -> None:
    """A block without a language would not be looked at."""
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", text(page), re.M)
        assert set(fences[::2]) <= {"sh", "python", "text", "toml"}, page
        assert set(fences[1::2]) <= {""}, page


@pytest.mark.parametrize(("page", "line"), LINES)
def test_each_command_is_one_we_have(page: str, line: str) -> None:
    """`anbu` commands parse with their options, `make` targets and extras exist, anything else is curl on our
    endpoint, or makes a key."""
    _, words = split(line)
    if not words:
        return
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", text("Makefile"), re.M)
    elif words[0] == "curl":
        assert words[-1].endswith(("/v1/readings", "/v1/events"))
        sent = [w.removeprefix("Content-Type: ") for w in words if w.startswith("Content-Type: ")]
        assert set(sent) <= set(http.FORMATS)
    elif words[:2] == ["pip", "install"]:
        assert re.fullmatch(r"anbu\[(\w+)\]", words[2])
        assert words[2][5:-1] in PROJECT["optional-dependencies"]
    elif words[0] not in MAKES_A_KEY:
        assert words[0] == "anbu", line
        command, rest = GROUP, words[1:]
        while hasattr(command, "commands"):
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(words[1], rest)


def test_each_variable_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every ANBU_ variable in a recipe is understood by the settings, with the value given and those beside it."""
    monkeypatch.chdir(tmp_path)
    for page, lines in SHELL:
        given = {name: value for line in lines for name, value in split(line)[0].items()}
        with monkeypatch.context() as recipe:
            for name, value in given.items():
                recipe.setenv(name, value)
            whole = configuration.load()
            for name, value in given.items():
                recipe.delenv(name)
                with suppress(UserError):  # the others cannot be without it
                    assert configuration.load() != whole, f"{page}: {name}"
                recipe.setenv(name, value)


def test_the_files_of_the_recipes_are_right() -> None:
    """Enrolments decode as records; readings have the columns that tell them."""
    files = dict(found for block in blocks("docs/how-to.md", "sh") for found in MADE_BY_SHELL.findall(block))
    csvs = {"readings.csv", "people.csv", "duties.csv", "drill-people.csv"}
    assert set(files) == {"households.jsonl", "closed.jsonl", *csvs}
    closed = [msgspec.json.decode(line, type=Household) for line in files["closed.jsonl"].splitlines()]
    assert [enrolment.fault_of(h) for h in closed] == [None, None]
    enrolled = [msgspec.json.decode(line, type=Household) for line in files["households.jsonl"].splitlines()]
    assert [h.household_id for h in enrolled] == ["p-0001", "p-0002"]
    assert files["readings.csv"].splitlines()[0] == "household_id,start,kwh,minutes"


def test_the_readme_s_history_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block that simulates and judges a history runs as it stands."""
    (block,) = [b for b in blocks("README.md", "sh") if "anbu backtest" in b]
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        with pytest.raises(SystemExit) as ended:
            cli.main(shlex.split(line)[1:])
        assert not ended.value.code, line
    assert (tmp_path / "out" / "alerts.jsonl").stat().st_size > 1000


def test_the_readme_s_alert_is_what_the_demonstration_shows() -> None:
    """Its first line is drawn by the same function; its sentences begin as ours do."""
    seoul = ZoneInfo("Asia/Seoul")
    fell = int(datetime(2026, 5, 1, 16, 46, tzinfo=seoul).timestamp())
    event = Event(EventKind.collapse, fell, None, ("h000985",))
    values: dict[str, float | str] = {"hours": 16.0, "usual_hours": 6.0}
    korean, english = sentences([("silent", values)])
    at = datetime(2026, 5, 2, 9, 30, tzinfo=seoul)
    alert = Alert(
        "raised", "id", "h000985", "silence", "caution", "resident", at, datetime.fromtimestamp(fell, UTC), None, 80,
        (ReasonCode("silent", values),), korean, english,
    )  # fmt: skip
    out = StringIO()
    for line in demo_show.lines(alert, Story(make_town(1), 60, [event], [event])):
        Console(file=out, width=200).print(line)
    shown = [line.rstrip() for line in out.getvalue().splitlines()]
    (block,) = blocks("README.md", "text")
    assert [line.removesuffix(" ...") for line in block.splitlines()] == shown


def test_the_table_of_commands_is_complete() -> None:
    """Each command of `anbu --help` is in the README, and no other."""
    named = re.findall(r"`anbu (\w+)`", text("README.md").split("## 명령")[1].split("```")[0])
    assert sorted(named) == sorted(GROUP.commands)  # type: ignore[attr-defined]


def test_every_dependency_says_why() -> None:
    """What pyproject.toml asks for is in the README's table, and nothing else is."""
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["train"]
    names = {re.split(r"[=<>;\[ ]", d)[0] for d in wanted}
    table = text("README.md").split("## 무엇을 쓰나")[1].split("For tests")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")][1:]
    assert {name.strip() for row in rows for name in row.split(",")} == names


def test_every_folder_is_named() -> None:
    """The packages that are installed have their row."""
    packages = tomllib.loads(text("pyproject.toml"))["tool"]["setuptools"]["packages"]
    for folder in {p.split(".")[0] for p in packages}:
        assert f"`{folder}/`" in text("README.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Files that are linked to or shown exist."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text(page)):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_files_named_in_the_text_exist(page: str) -> None:
    """A path in backquotes with one of our folders in front is there."""
    for path in re.findall(r"`((?:models|stream|simulators|anbu|deploy|docs|tests|benchmarks)/[\w./-]*)`", text(page)):
        assert (ROOT / path).exists(), path

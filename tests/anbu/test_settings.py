"""Settings with names and values that nobody can have meant: one line each that names the setting, never a surprise."""

import json
from pathlib import Path
from typing import Any

import pytest

from anbu import configuration, setting_names
from anbu.configuration import Settings
from anbu.errors import UserError
from stream.settings import Settings as StreamSettings
from tests.anbu.conftest import Run

NAMED = {"<name>": "meter"}
PATHS = sorted(setting_names._paths(Settings))
SHOWN = {".".join(path): path for path in PATHS}
NONSENSE = ["", "nonsense", "-1", "nan", "99999999999999999999", "[1", "{}", "\x07"]
IN_FILE = ['""', '"nonsense"', "-1", "nan", "[1]", '{ x = "y" }', "1979-05-27", '"\\u0007"']


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no setting of this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANBU_CONFIG", raising=False)
    return tmp_path


def said() -> str:
    """The line that loading ends with; empty where it takes the settings."""
    try:
        configuration.load()
    except UserError as e:
        line = str(e)
        assert "\n" not in line
        return line
    return ""


@pytest.mark.parametrize("path", SHOWN.values(), ids=SHOWN)
def test_nonsense_in_the_environment_is_one_line_that_names_the_setting(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands there: it is taken, or the line has the variable's name (or, of values that do not go with one
    another, that of their table)."""
    if "steps" in path[:-1]:
        return  # a member of a list has no variable: the list is JSON
    variable = setting_names.variable([NAMED.get(part, part) for part in path])
    for value in NONSENSE:
        monkeypatch.setenv(variable, value)
        line = said()
        assert not line or variable.rpartition("__")[0] in line, (value, line)


@pytest.mark.parametrize("path", SHOWN.values(), ids=SHOWN)
def test_nonsense_in_the_file_is_one_line_that_names_the_setting(path: tuple[str, ...], folder: Path) -> None:
    """The same in anbu.toml, with the types that TOML has."""
    if "steps" in path[:-1]:
        return
    *tables, last = [NAMED.get(part, part) for part in path]
    for value in IN_FILE:
        head = f"[{'.'.join(tables)}]\n" if tables else ""
        (folder / "anbu.toml").write_text(f"{head}{last} = {value}\n", encoding="utf-8")
        line = said()
        assert not line or setting_names.variable(tables or [last]) in line or ".".join([*tables, last]) in line, line


@pytest.mark.parametrize("path", SHOWN.values(), ids=SHOWN)
def test_a_misspelt_name_is_an_error_with_the_right_one(path: tuple[str, ...], folder: Path) -> None:
    """A letter too few, at any depth of the file: the line has the name that was meant."""
    if "steps" in path:
        return
    *tables, last = [NAMED.get(part, part) for part in path]
    wrong = last[:1] + last[2:]
    if last == "<name>" or path[-1] == "<name>" or (path[:-1] and path[-2] == "<name>" and path[0] != "feeds"):
        return
    head = f"[{'.'.join(tables)}]\n" if tables else ""
    (folder / "anbu.toml").write_text(f"{head}{wrong} = 1\n", encoding="utf-8")
    line = said()
    assert "unknown setting" in line
    assert f"did you mean {'.'.join(path)} (" in line


@pytest.mark.parametrize(("variable", "meant"), [
    ("ANBU_WORKRS", "ANBU_WORKERS"),
    ("ANBU_RESPONSE__LINKURL", "ANBU_RESPONSE__LINK_URL"),
    ("ANBU_RESPONSE_LINK_URL", "ANBU_RESPONSE__LINK_URL"),
    ("ANBU_LNK_URL", "ANBU_RESPONSE__LINK_URL"),
    ("ANBU_RESPONSE__SIP__DOMIAN", "ANBU_RESPONSE__SIP__DOMAIN"),
    ("ANBU_KEYS", "ANBU_RESPONSE__KEYS"),
    ("ANBU_BOOTSTRAP", "ANBU_BROKER__BOOTSTRAP"),
    ("ANBU_FEEDS__METER__STALL", "ANBU_FEEDS__<name>__STALL_SECONDS"),
    ("ANBU_RESPONSE__KEYS__0", "ANBU_RESPONSE__KEYS"),
])  # fmt: skip
def test_a_variable_that_no_setting_has_is_an_error_with_the_nearest(
    variable: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be passed over in silence, and somebody would believe it set."""
    monkeypatch.setenv(variable, "1")
    assert f"unknown setting {variable}: did you mean" in said()
    assert f"({meant})" in said()


def test_what_nothing_is_like_is_to_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No far-fetched guess."""
    monkeypatch.setenv("ANBU_QQQQ", "1")
    assert "unknown setting ANBU_QQQQ: remove it" in said()


def test_our_variables_that_are_no_settings_are_none(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """ANBU_CONFIG and ANBU_DEBUG are read elsewhere."""
    (folder / "other.toml").write_text("workers = 3\n", encoding="utf-8")
    monkeypatch.setenv("ANBU_CONFIG", "other.toml")
    monkeypatch.setenv("ANBU_DEBUG", "1")
    assert configuration.load().workers == 3


@pytest.mark.parametrize(("name", "value", "shown"), [
    ("ANBU_RESPONSE__KEYS", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=", "as in ANBU_RESPONSE__KEYS='[\"...\"]'"),
    ("ANBU_RESPONSE__CHANNELS", "nonsense", "ANBU_RESPONSE__CHANNELS='{\"name\": \"...\"}'"),
    ("ANBU_RESPONSE__CHANNELS", '["sms"]', "a table as JSON"),
    ("ANBU_RESPONSE", "x", "a table as JSON"),
])  # fmt: skip
def test_a_bare_value_for_a_list_or_a_table_says_how_to_write_it(
    name: str, value: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line has an example, and never the value: it may be a secret."""
    monkeypatch.setenv(name, value)
    assert shown in said()
    assert value not in said() or value in ("x", "nonsense")


def test_the_command_line_ends_with_that_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, one line, nothing that nobody foresaw."""
    monkeypatch.setenv("ANBU_RESPONSE__KEYS", "bare")
    done = run("cases", "list")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "ANBU_RESPONSE__KEYS" in done.err


def test_a_file_that_is_no_text_is_one_line(folder: Path) -> None:
    """Saved by an editor in another encoding."""
    (folder / "anbu.toml").write_bytes("tz = '서울'".encode("cp949"))
    assert "not valid UTF-8" in said()


@pytest.mark.parametrize(("given", "named"), [
    ({"ladders": {"silense": {"steps": [], "urgent": "x"}}}, "SILENSE"),
    ({"acknowledged_minutes": {"seriuos": 5}}, "'seriuos' is none of caution, serious"),
    ({"acknowledged_minutes": {"serious": -5}}, "serious: -5 is no number of minutes"),
    ({"ladders": {"silence": {"urgent": "tell", "steps": [
        {"name": "tell", "to": ["officer"], "by": ["call"], "repeat_minutes": 5}]}}}, "for a resident alone"),
])  # fmt: skip
def test_a_name_within_a_table_of_names_is_looked_at(
    given: dict[str, Any], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Levels and kinds that there are not would be passed over; officers are not asked whether they are well."""
    for name, value in given.items():
        monkeypatch.setenv(f"ANBU_RESPONSE__{name.upper()}", json.dumps(value))
    assert named in said()


def test_a_level_that_is_not_given_keeps_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the serious ones are to be quicker."""
    monkeypatch.setenv("ANBU_RESPONSE__ACKNOWLEDGED_MINUTES", '{"serious": 60}')
    assert configuration.load().response.acknowledged_minutes == {"caution": 1440.0, "serious": 60.0}


def test_a_program_with_the_streams_settings_reads_the_same_file(folder: Path) -> None:
    """The recipes of docs/how-to.md run beside a file that has the response's table too."""
    (folder / "anbu.toml").write_text('workers = 3\n[response]\nlink_url = "https://a.kr"\n', encoding="utf-8")
    assert StreamSettings().workers == 3


def test_every_setting_has_a_variable_that_is_known() -> None:
    """What the page of settings names is taken."""
    names = {setting_names.variable([NAMED.get(p, p) for p in path]) for path in PATHS if "steps" not in path[:-1]}
    given = dict.fromkeys(names, "x")
    assert not [line for line in setting_names.faults(given, Settings) if "unknown" in line]

"""The generated pages: what is committed is what the code says, and the schemas hold for real records."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError
from pydantic import BaseModel

from anbu import docs, docs_ladder, docs_topics
from anbu.configuration import Settings
from response.ladder import DEFAULT, Ladder, Step
from response.settings import HoursSettings, ResponseSettings
from stream import warned
from stream.records import Alert, OutcomeCode, Reason, Strip
from stream.topics import wanted

PAGES = docs.pages()
LADDER_PAGE = (docs.DOCS / "ladder.md").read_text(encoding="utf-8")
BY_RECORD = {record: name for name, record in docs.SCHEMAS.items()}


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(
        json.loads(PAGES[f"schemas/{name}.json"]), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


@pytest.mark.parametrize("name", PAGES)
def test_committed_page_is_what_the_generator_writes(name: str) -> None:
    """Whoever changes a type runs `python -m anbu.docs` and commits the pages with it."""
    assert (docs.DOCS / name).read_text(encoding="utf-8") == PAGES[name]


def test_no_schema_is_left_over() -> None:
    """A record that is gone takes its schema along."""
    assert {p.stem for p in (docs.DOCS / "schemas").iterdir()} == set(docs.SCHEMAS)


@pytest.mark.parametrize("name", docs.SCHEMAS)
def test_schema_is_valid(name: str) -> None:
    """Each is a JSON Schema of the draft it names."""
    schema = json.loads(PAGES[f"schemas/{name}.json"])
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    assert Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)


@pytest.mark.parametrize("topic", docs_topics.EXAMPLES)
def test_example_is_valid_by_its_schema_and_by_our_reader(topic: str) -> None:
    """What docs/topics.md shows can be sent as it stands."""
    example = docs_topics.EXAMPLES[topic]
    wire = msgspec.json.encode(example)
    validator(BY_RECORD[type(example)]).validate(json.loads(wire))
    assert msgspec.json.decode(wire, type=type(example)) == example


def test_the_warning_shown_is_valid() -> None:
    """The second record on the topic of households can be sent as it stands, too."""
    wire = msgspec.json.encode(docs_topics.WARNING)
    validator("area_warning").validate(json.loads(wire))
    assert warned.read(b"area/feeder-0412/heat", wire) == docs_topics.WARNING
    assert warned.fault_of(docs_topics.WARNING) is None
    assert json.dumps(json.loads(wire), indent=2) in PAGES["topics.md"]


def test_every_outcome_is_explained() -> None:
    """A new code needs its row in the table."""
    assert all(f"`{code}`" in PAGES["topics.md"] for code in OutcomeCode)


def test_alert_with_its_strip_is_valid() -> None:
    """168 hourly columns, hours without a reading as null."""
    hours: tuple[float | None, ...] = (0.1,) * 167 + (None,)
    strip = Strip(datetime(2026, 11, 1, tzinfo=UTC), hours, hours, hours, (0,) * 168)
    alert = docs_topics.EXAMPLES["alerts"]
    assert isinstance(alert, Alert)
    wire = msgspec.json.encode(msgspec.structs.replace(alert, strip=strip))
    assert validator("alert").is_valid(json.loads(wire))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"minutes": 20}, "interval"),
        ({"household_id": ""}, "id"),
        ({"start": "yesterday"}, "time"),
        ({"start": "2026-11-02T00:15:00"}, "time without zone"),
        ({"quality": "guessed"}, "quality"),
        ({"number": "010-1234-5678"}, "unknown field"),
        ({"kwh": "0.1"}, "type"),
    ],
)
def test_schema_refuses_what_our_reader_refuses(change: dict[str, Any], why: str) -> None:
    """A sender who validates learns of the fault before we do."""
    reading = json.loads(msgspec.json.encode(docs_topics.EXAMPLES["meter.readings"])) | change
    with pytest.raises(ValidationError):
        validator("meter_reading").validate(reading)


def test_every_reason_is_explained() -> None:
    """A new reason needs its line in the table."""
    assert set(docs_topics.REASONS) == set(Reason)


def test_every_topic_is_described() -> None:
    """Each topic that `anbu topics` makes has its section."""
    sections = set(re.findall(r"^## (.+)$", PAGES["topics.md"], re.M))
    assert {topic.name for topic in wanted(Settings.model_construct())} <= sections


def leaves(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        nested = docs._nested(info.annotation)
        yield from leaves(nested) if nested else [name]


def test_every_setting_is_listed_with_a_meaning() -> None:
    """One row a setting, none without a sentence."""
    rows = re.findall(r"^\| `([\w.<>]+)` \| `(ANBU_[\w<>]+)` \|.*\| (.+) \|$", PAGES["settings.md"], re.M)
    assert Counter(key.rpartition(".")[2] for key, _, _ in rows) == Counter(leaves(Settings))
    assert all(meaning != "None" for _, _, meaning in rows)


def test_environment_name_on_the_page_is_the_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the table says can be copied into an environment file."""
    assert "`ANBU_BROKER__BOOTSTRAP`" in PAGES["settings.md"]
    assert "`ANBU_FEEDS__<feed>__STALL_SECONDS`" in PAGES["settings.md"]
    monkeypatch.setenv("ANBU_BROKER__BOOTSTRAP", "kafka-1:9093")
    monkeypatch.setenv("ANBU_BROKER__SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("ANBU_FEEDS__kt__STALL_SECONDS", "30")
    settings = Settings()
    assert settings.broker.bootstrap == "kafka-1:9093"
    assert settings.feed("kt").stall_seconds == 30


def test_environment_name_of_a_ladders_steps_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is JSON; what is not given keeps its default, the other kinds' ladders too."""
    assert "`ANBU_RESPONSE__LADDERS__<ladder>__STEPS`" in PAGES["settings.md"]
    steps = json.dumps([{"name": "x", "to": ["deputy"], "repeat_minutes": 60}])
    monkeypatch.setenv("ANBU_RESPONSE__LADDERS__data_gap__STEPS", steps)
    monkeypatch.setenv("ANBU_RESPONSE__LADDERS__data_gap__URGENT", "x")
    ladders = Settings().response.ladders
    assert ladders["data_gap"].steps[0].to == ("deputy",)
    assert ladders["silence"] == DEFAULT["silence"]


def test_defaults_on_the_page_can_be_copied_into_a_file() -> None:
    """Times, lists and tables are written as TOML has them."""
    found = dict(re.findall(r"^\| `response\.([\w.]+)` \|.*\| `(.+?)` \| [^|]+ \|$", PAGES["settings.md"], re.M))
    assert found["hours.calling_from"] == "08:00"
    assert found["sms.form"] == "false"
    own = ResponseSettings()
    body = tomllib.loads(f"body = {found['http_calls.body']}")["body"]
    assert body == own.http_calls.body
    limits = tomllib.loads(f"limits = {found['acknowledged_minutes']}")["limits"]
    assert limits == own.acknowledged_minutes


def test_the_ladder_is_drawn_from_its_literal() -> None:
    """Another step is another box, with its name and its time; the picture is SVG and says what it shows."""
    root = ElementTree.fromstring(PAGES["ladder.svg"])
    words = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {step.name for step in DEFAULT["silence"].steps} <= set(words)
    assert [w for w in words if re.match(r"\+\d+분", w)] == ["+0분", "+10분", "+60분", "+65분", "+80분", "+95분"]
    assert "every 15 minutes" in (root.findtext("{http://www.w3.org/2000/svg}desc") or "")
    steps = (Step(name="a", to=("guardian",)), Step(name="b", to=("centre",), repeat_minutes=60))
    other = Ladder(urgent="b", steps=steps)
    assert docs_ladder.picture(other, HoursSettings()).count(">보호자 · guardian<") == 1


@pytest.mark.parametrize("block", re.findall(r"^```toml\n(.*?)^```", LADDER_PAGE, re.S | re.M))
def test_the_example_of_a_ladder_can_be_loaded(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/ladder.md shows is a file that works, and it changes something."""
    (tmp_path / "anbu.toml").write_text(block, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    loaded = Settings().response
    assert loaded != ResponseSettings()
    assert loaded.ladders["data_gap"].steps


def test_every_step_and_every_outcome_is_on_the_page_of_the_ladder() -> None:
    """A step or a code that is new needs its sentence."""
    steps = [step.name for ladder in DEFAULT.values() for step in ladder.steps]
    assert all(f"`{name}`" in LADDER_PAGE for name in [*steps, *OutcomeCode])


def test_no_secret_is_on_the_page() -> None:
    """Defaults of secrets are none, whatever this environment holds."""
    secrets = [line for line in PAGES["settings.md"].splitlines() if "secret" in line or "_keys" in line]
    assert secrets
    assert all("| none |" in line for line in secrets if line.startswith("|"))

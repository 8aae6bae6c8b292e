"""The generated pages: what is committed is what the code says, and the schemas hold for real records."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError
from pydantic import BaseModel

from anbu import docs, docs_topics
from stream import warned
from stream.records import Alert, OutcomeCode, Reason, Strip
from stream.settings import Settings
from stream.topics import wanted

PAGES = docs.pages()
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
    monkeypatch.setenv("ANBU_FEEDS__kt__STALL_SECONDS", "30")
    settings = Settings()
    assert settings.broker.bootstrap == "kafka-1:9093"
    assert settings.feed("kt").stall_seconds == 30


def test_no_secret_is_on_the_page() -> None:
    """Defaults of secrets are none, whatever this environment holds."""
    secrets = [line for line in PAGES["settings.md"].splitlines() if "secret" in line or "api_keys" in line]
    assert secrets
    assert all("| none |" in line for line in secrets if line.startswith("|"))

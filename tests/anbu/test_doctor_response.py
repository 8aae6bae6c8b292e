"""What the doctor says of the response: what is to be mended, and what is not real."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert

from anbu import doctor_channels, doctor_feeds, doctor_people, doctor_response
from anbu.configuration import Settings
from anbu.doctor import Finding, render
from response import tables
from response.database import Logins
from response.settings import ResponseSettings
from response.vault import Vault
from stream.records import Feeds
from stream.settings import HttpSettings
from tests.anbu.conftest import Run
from tests.response.conftest import database, logins, postgres
from tests.response.people import KEY, KEY_2, add_duty, add_household, add_person

__all__ = ["database", "logins", "postgres"]
NOW = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)  # a Wednesday, ten in Seoul


def given(**own: object) -> Settings:
    """Settings with these of the response."""
    return Settings(response=ResponseSettings(**own))  # type: ignore[arg-type]


@pytest.fixture
def service() -> Iterator[str]:
    """host:port of something that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_keys_are_needed_where_somebody_is_to_be_reached() -> None:
    """Without channels and with simulated calls their absence is not real; else it is to be mended."""
    assert doctor_response.keys(given()).ok
    assert doctor_response.keys(given()).unreal
    assert not doctor_response.keys(given(gateway="sip")).ok
    assert not doctor_response.keys(given(channels={"email": SecretStr("json://127.0.0.1/{address}")})).ok
    assert doctor_response.keys(given(gateway="sip", keys=[SecretStr(KEY)])).ok
    assert not doctor_response.keys(given(keys=[SecretStr("short")])).ok


def test_a_telephone_without_a_voice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIP needs recordings or espeak-ng; simulated calls are not real."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not doctor_response.telephone(given(gateway="sip")).ok
    assert doctor_response.telephone(given()).unreal
    assert "/none" in doctor_response.telephone(given(gateway="sip", recordings="/none")).value


@pytest.mark.postgres
def test_a_database_of_ones_own_is_asked(logins: Logins, tmp_path: Path) -> None:
    """Reachable and of this version, or one line that says what to do; none yet is not real, and none is made."""
    none = Settings(data_dir=tmp_path)
    (yet,) = doctor_response.database(none, NOW)
    assert (yet.ok, yet.unreal, list(tmp_path.iterdir())) == (True, True, [])
    own = given(database_url=SecretStr(logins.service), viewer_url=SecretStr(logins.viewer))
    well, *rights, nobody = doctor_response.database(own, NOW)
    assert [(right.ok, right.value) for right in rights] == [(True, "anbu_service"), (True, "anbu_viewer")]
    assert (well.ok, well.unreal, nobody.unreal) == (True, False, True)
    (away,) = doctor_response.database(given(database_url=SecretStr("postgresql://nobody@127.0.0.1:1/none")), NOW)
    assert not away.ok


@pytest.mark.postgres
def test_a_feed_that_speaks_for_nobody_is_to_be_mended(database: Engine) -> None:
    """Homes by feed; a key under a name that no home has, or has for the other signal: all that it sends is dropped."""
    keys = {"kepco": SecretStr("kepco-key-0123456789"), "meter": SecretStr("meter-key-0123456789")}
    http = HttpSettings(meter_keys=keys, phone_keys={"kepco": SecretStr("phone-key-0123456789")})
    settings = Settings(http=http)
    with database.begin() as conn:
        assert doctor_feeds.look(conn, settings) == []
        for n in range(3):
            add_household(conn, f"h{n}", feeds=Feeds("kepco", None if n else "kt"))
        homes, *wrong = doctor_feeds.look(conn, settings)
    assert homes.value == "가구 수 · homes: meter kepco 3; phone - 2, kt 1"
    assert [f.value.partition(":")[0] for f in wrong] == ["http.meter_keys.meter", "http.phone_keys.kepco"]
    assert not any(f.ok for f in wrong)


def test_a_trial_is_never_all_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of the box: no key, no calls, no channel, no database: each is said, and the last line says that people are
    not reached."""
    findings = doctor_response.look(Settings(), NOW)
    assert all(f.ok for f in findings)
    assert [f.what_en for f in findings if f.unreal] == [
        "keys of personal data", "automatic calls", "messages", "database",
    ]  # fmt: skip
    assert render(findings) == 3
    monkeypatch.setattr("anbu.doctor._TIMEOUT_S", 0.2)
    last = run("doctor").out.strip().splitlines()[-1]
    assert "people are not reached" in last


@pytest.mark.parametrize("own", [
    {"channels": {"sms": SecretStr("nonsense")}}, {"drill_channels": {"sms": SecretStr("nonsense://x")}},
    {"sms": {"url": "https://x.kr", "body": {"to": "{txet}"}}}, {"gateway": "http"}, {"gateway": "sip"},
])  # fmt: skip
def test_what_the_response_would_not_start_with_is_to_be_mended(own: dict[str, object]) -> None:
    """A channel that is nonsense, a gateway without its address: the line that the start would end with."""
    settings = ResponseSettings.model_validate(own)
    bad = [f for f in (*doctor_channels.messages(settings), *doctor_channels.telephone(settings)) if not f.ok]
    assert [f.value for f in bad if "response." in f.value or "ANBU_RESPONSE" in f.value]


def test_a_channel_that_takes_no_connection_is_to_be_mended(service: str, unused_port: int) -> None:
    """One finding a channel: what connects, what refuses; nothing is sent."""
    settings = ResponseSettings.model_validate({
        "channels": {
            "sms": f"json://{service}/?:to={{address}}", "email": f"json://u:p@127.0.0.1:{unused_port}/?:to={{address}}",
        },
        "alimtalk": {"url": f"http://127.0.0.1:{unused_port}/send"},
    })  # fmt: skip
    found = {f.what_en: f for f in doctor_channels.messages(settings)}
    assert {name: f.ok for name, f in found.items()} == {
        "messages by sms": True, "messages by email": False, "messages by alimtalk": False,
    }  # fmt: skip
    assert "connects" in found["messages by sms"].value
    assert "refused" in found["messages by alimtalk"].value
    assert "u:p" not in found["messages by email"].value


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def looked(database: Engine, **own: object) -> list[Finding]:
    """What the doctor says of the people in it."""
    settings = given(keys=[SecretStr(KEY)], channels={"sms": SecretStr("json://127.0.0.1/{address}")}, **own)
    with database.connect() as conn:
        return doctor_people.look(conn, settings, NOW)


@pytest.mark.postgres
def test_who_is_missing_in_the_coming_week_is_named(database: Engine) -> None:
    """Each gap with dong, role, from, until and what to do: a roster's hole, leave of everybody; a number that is
    none."""
    with database.begin() as conn:
        for dong in ("역삼1동", "역삼2동"):
            add_household(conn, f"h-{dong}", dong)
        for person, role, dong in (
            ("o-1", "officer", "역삼1동"), ("o-2", "officer", "역삼2동"), ("d-1", "deputy", ""), ("c-1", "centre", ""),
            ("op", "operator", ""),
        ):  # fmt: skip
            add_person(conn, person, role, dong=dong)
    assert [f.ok for f in looked(database)] == [True]
    with database.begin() as conn:
        add_duty(conn, "centre", "c-1", "1111101", "00:00", "00:00", dong="")
        conn.execute(insert(tables.leaves).values(
            person_id="o-1", from_at=NOW + timedelta(days=1), until_at=NOW + timedelta(days=1, hours=3)
        ))  # fmt: skip
        add_person(conn, "d-2", "deputy", dong="역삼2동", phone="12")
        add_person(conn, "r-1", "resident", dong="역삼1동", household_id="h-역삼1동", phone=None)
    bad = [f for f in looked(database) if not f.ok]
    assert [(f.what_ko, f.value) for f in bad] == [
        ("전화번호", "전화번호가 아님 · no numbers: d-2"),
        ("역삼1동 담당 공무원", "03-05 목 10:00 - 03-05 목 13:00: 모두 휴가입니다 · all are on leave (o-1)"),
        ("모든 동 · every dong 관제센터",
         "03-07 토 00:00 - 03-08 일 00:00: 당직표가 비어 있습니다 · the roster is empty"),
    ]  # fmt: skip
    assert all(f.mend_ko and f.mend_en for f in bad)
    assert [f.value for f in looked(database) if f.ok and "역삼1동 1" in f.value]


@pytest.mark.postgres
def test_a_number_that_is_none_on_duty_alone_is_a_gap(database: Engine) -> None:
    """The officer's number reaches nobody: told with its first time and how often it comes again."""
    with database.begin() as conn:
        add_household(conn, "h1", "A")
        add_person(conn, "o-1", "officer", phone="12", vault=Vault([KEY]))
        for person, role in (("d-1", "deputy"), ("c-1", "centre"), ("op", "operator")):
            add_person(conn, person, role)
    (number, gap) = [f for f in looked(database) if not f.ok]
    assert number.value.endswith("o-1")
    assert gap.what_ko == "A 담당 공무원"
    assert "no message can reach them (o-1)" in gap.value
    assert "+5번 더 · more" in gap.value


@pytest.mark.postgres
def test_people_whom_no_key_opens_are_named(database: Engine) -> None:
    """A key was lost or left out: nobody sealed with it can be called or told."""
    with database.begin() as conn:
        add_household(conn, "h1", "A")
        for person, role in (("o-1", "officer"), ("d-1", "deputy"), ("c-1", "centre"), ("op", "operator")):
            add_person(conn, person, role, vault=Vault([KEY_2]) if person == "o-1" else None)
    sealed, gap = [f for f in looked(database) if not f.ok]
    assert sealed.value.endswith("o-1")
    assert "no message can reach them (o-1)" in gap.value


@pytest.mark.postgres
def test_an_empty_registry_is_not_real_or_to_be_mended(database: Engine) -> None:
    """In a trial nobody is registered yet; with channels for real people it is a fault."""
    with database.connect() as conn:
        (trial,) = doctor_people.look(conn, given(), NOW)
    assert (trial.ok, trial.unreal) == (True, True)
    (real,) = looked(database)
    assert not real.ok


def test_no_secret_of_a_channel_is_shown() -> None:
    """What is found names host and port alone."""
    shown = json.dumps([f.value for f in doctor_channels.messages(ResponseSettings.model_validate(
        {"channels": {"sms": "json://user:hunter2@127.0.0.1:1/?:to={address}"}}))])  # fmt: skip
    assert "hunter2" not in shown


def test_what_is_not_real_is_said_at_the_start() -> None:
    """`anbu up` says it as the doctor does, and nothing where all is real."""
    assert [f.what_en for f in doctor_response.not_real(Settings())] == [
        "keys of personal data", "automatic calls", "messages",
    ]  # fmt: skip
    real = given(gateway="sip", keys=[SecretStr(KEY)], channels={"sms": SecretStr("json://127.0.0.1/{address}")})
    assert doctor_response.not_real(real) == []


def test_a_trunk_that_nobody_knows_is_said() -> None:
    """SIP is taken from the trunk's addresses alone: where there is none, no call goes out or comes in."""
    looked_at = doctor_response.telephone(given(gateway="sip", sip={"domain": "trunk.invalid:5060", "user": "070"}))
    assert not looked_at.ok
    assert "accept_from" in looked_at.mend_en

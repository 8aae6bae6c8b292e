"""What the doctor says of the response."""

import pytest
from pydantic import SecretStr

from anbu import doctor_response
from anbu.configuration import Settings
from response.settings import ResponseSettings
from tests.response.conftest import database, database_url, postgres
from tests.response.people import KEY

__all__ = ["database", "database_url", "postgres"]


def given(**own: object) -> Settings:
    """Settings with these of the response."""
    return Settings(response=ResponseSettings(**own))  # type: ignore[arg-type]


def test_keys_are_needed_where_somebody_is_to_be_reached() -> None:
    """Without channels and with simulated calls their absence is only said; else it is to be mended."""
    assert doctor_response.keys(given()).ok
    assert not doctor_response.keys(given(gateway="sip")).ok
    assert not doctor_response.keys(given(channels={"email": SecretStr("json://127.0.0.1/{address}")})).ok
    assert doctor_response.keys(given(gateway="sip", keys=[SecretStr(KEY)])).ok
    assert not doctor_response.keys(given(keys=[SecretStr("short")])).ok


def test_a_telephone_without_a_voice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIP needs recordings or espeak-ng."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not doctor_response.telephone(given(gateway="sip")).ok
    assert "simulated" in doctor_response.telephone(given()).value


@pytest.mark.postgres
def test_a_database_of_ones_own_is_asked(database_url: str) -> None:
    """Reachable and of this version, or one line that says what to do."""
    assert doctor_response.database(given()) == []
    (well,) = doctor_response.database(given(database_url=SecretStr(database_url)))
    assert well.ok
    (away,) = doctor_response.database(given(database_url=SecretStr("postgresql://nobody@127.0.0.1:1/none")))
    assert not away.ok

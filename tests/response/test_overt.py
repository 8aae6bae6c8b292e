"""Nothing personal leaves this machine in the clear, unless somebody said that it may."""

import pytest
from pydantic import ValidationError

from anbu import doctor_overt
from anbu.configuration import Settings
from response.channels.make import make
from response.records import GatewayError
from response.settings import ResponseSettings
from stream.settings import BrokerSettings

FAR = "vendor.example"
URLS = {
    "http_calls.url": {"http_calls": {"url": f"http://u:geheim@{FAR}/calls?key=geheim"}},
    "http_calls.callback_url": {"http_calls": {"callback_url": f"http://{FAR}:8480/v1/calls/status"}},
    "sms.url": {"sms": {"url": f"http://{FAR}/geheim"}},
    "alimtalk.url": {"alimtalk": {"url": f"http://127.0.0.1@{FAR}/geheim"}},
    "link_url": {"link_url": f"http://{FAR}"},
    "deadman_url": {"deadman_url": f"http://{FAR}/ping/geheim"},
    "database_url": {"database_url": f"postgresql://u:geheim@{FAR}/anbu"},
}
DATABASES = {
    "prefer takes what comes": f"postgresql://u:p@{FAR}/n?sslmode=prefer",
    "one of two": f"postgresql://u:p@localhost:5432,{FAR}:5432/n",
    "named in the query": f"postgresql:///n?host={FAR}",
    "by address": "postgresql:///n?hostaddr=10.0.0.1&host=localhost",
    "sslmode twice": f"postgresql://u:p@{FAR}/n?sslmode=disable&sslmode=require",
    "a password with signs": f"postgresql://u:a/b?sslmode=require[@{FAR}/n",
}
CHANNELS = {
    "json": f"json://{FAR}/geheim", "form": f"form://{FAR}", "mail": f"mailto://u:geheim@{FAR}?to={{address}}",
    "mail made insecure": f"mailtos://u:geheim@{FAR}?to={{address}}&mode=insecure",
    "whoever answers": f"jsons://{FAR}/geheim?verify=no",
}


@pytest.mark.parametrize("setting", URLS)
def test_a_vendor_in_the_clear_is_refused_in_one_line(setting: str) -> None:
    """It says which setting, which host, what to do and how to allow it; no secret is in it."""
    with pytest.raises(ValidationError) as raised:
        ResponseSettings.model_validate(URLS[setting])
    said = raised.value.errors()[0]["msg"]
    assert f"response.{setting}: {FAR} would be spoken to without encryption" in said
    assert f"ANBU_RESPONSE__ALLOW_PLAIN='[\"{FAR}\"]'" in said
    assert "geheim" not in str(raised.value)
    ResponseSettings.model_validate({**URLS[setting], "allow_plain": [FAR]})
    with pytest.raises(ValidationError):
        ResponseSettings.model_validate({**URLS[setting], "allow_plain": ["other.example"]})


@pytest.mark.parametrize("url", DATABASES.values(), ids=DATABASES)
def test_a_database_must_be_asked_for_encryption(url: str) -> None:
    """libpq takes a connection in the clear unless it is told not to."""
    with pytest.raises(ValidationError, match="sslmode=verify-full"):
        ResponseSettings.model_validate({"database_url": url})


@pytest.mark.parametrize("url", [
    "postgresql://u:p@127.0.0.1:5432/n", "postgresql:///n?host=/run/pg", "postgresql://u@localhost/n",
    f"postgresql://u:p@{FAR}/n?sslmode=require", f"postgresql://u:p@{FAR}/n?sslmode=verify-full&sslrootcert=/ca.pem",
])  # fmt: skip
def test_a_database_here_or_encrypted_is_taken(url: str) -> None:
    """Sockets and loopback as they are."""
    ResponseSettings.model_validate({"database_url": url})


@pytest.mark.parametrize("drill", [False, True])
@pytest.mark.parametrize("url", CHANNELS.values(), ids=CHANNELS)
def test_a_channel_in_the_clear_stops_the_start(url: str, drill: bool) -> None:
    """Plain schemes, mail without STARTTLS, certificates that nobody looks at."""
    own = {"drill_channels" if drill else "channels": {"email": url}}
    with pytest.raises(GatewayError, match=f"{FAR} would be spoken to without encryption") as raised:
        make(ResponseSettings.model_validate(own), drill)
    assert "geheim" not in str(raised.value)
    make(ResponseSettings.model_validate({**own, "allow_plain": [FAR]}), drill)


@pytest.mark.parametrize("url", [
    "jsons://vendor.example/x", "mailtos://u:p@vendor.example?to={address}", "mailto://u:p@gmail.com?to={address}",
    "json://127.0.0.1:9/x", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#x",
])  # fmt: skip
def test_a_channel_that_is_encrypted_or_here_is_taken(url: str) -> None:
    """Services that know no other way, and our own machine."""
    make(ResponseSettings.model_validate({"channels": {"email": url}}), False)


def test_the_doctor_shows_what_is_allowed() -> None:
    """Each by name, none of them a fault; and that there is none."""
    own = ResponseSettings.model_validate({
        "link_url": f"http://{FAR}", "channels": {"email": f"json://{FAR}/geheim"}, "allow_plain": [FAR],
        "gateway": "sip", "sip": {"domain": "trunk.example:5060"}, "host": "0.0.0.0",
    })  # fmt: skip
    broker = BrokerSettings(bootstrap="kafka-1:9092", allow_plain=True)
    found = doctor_overt.look(Settings(broker=broker, response=own))
    assert all(f.ok for f in found)
    assert [f.value.partition(":")[0] for f in found] == [
        "broker", "response.link_url", "response.channels.email", "response.host", "response.sip",
    ]  # fmt: skip
    assert "geheim" not in str(found)
    (none,) = doctor_overt.look(Settings())
    assert "all that leaves this machine is encrypted" in none.value

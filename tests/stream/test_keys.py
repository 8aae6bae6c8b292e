"""A key is one feed's, for one signal: what it opens, what it does not, and how settings say so."""

import asyncio
import json
import threading
from hashlib import sha256

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from starlette.testclient import TestClient

from stream import http as ingest_http
from stream.http import create_app
from stream.metrics import Metrics
from stream.settings import HttpSettings, Settings
from tests.stream.test_http import CSV, GOOD, KEPCO, OLD, SKT, Broker, T, broker, client, metrics, settings  # noqa: F401

# ruff: noqa: F811 -- fixtures of test_http

KEY, OTHER = "0123456789abcdef-key", "another-0123456789abcdef"
EVENT = json.dumps({"household_id": "h1", "at": "2026-01-01T00:00:05+00:00", "kind": "call_out", "duration_s": 5})
LIMIT_S = 10


@pytest.mark.parametrize(
    ("path", "headers", "own"),
    [("/v1/events", KEPCO, "/v1/readings"), ("/v1/readings", SKT, "/v1/events")],
)
def test_a_key_of_one_signal_does_not_post_the_other(client, broker, metrics, path, headers, own):
    """The meter company's key gives nobody a call, the carrier's no load: 403 in a sentence, counted by feed."""
    answer = client.post(path, content=EVENT, headers={**headers, "Content-Type": "application/json"})
    assert (answer.status_code, broker.sent) == (403, [])
    feed = "kepco" if headers is KEPCO else "skt"
    assert f"of the feed {feed}" in answer.json()["error"]
    assert own in answer.json()["error"]
    found = metrics.registry.get_sample_value("anbu_http_feed_refused_total", {"feed": feed, "status": "403"})
    assert found == 1


def test_while_a_key_changes_both_are_taken(client, broker):
    """The old and the new one speak for the same feed, so that no sender is shut out for a minute."""
    headers = {**SKT, "Content-Type": "application/json"}
    assert client.post("/v1/events", content=EVENT, headers=headers).status_code == 202
    headers["Authorization"] = f"Bearer {OLD}"
    assert client.post("/v1/events", content=EVENT, headers=headers).status_code == 202
    assert [feed for _, _, feed, _ in broker.sent] == ["skt", "skt"]


def test_several_keys_may_be_a_list(tmp_path, monkeypatch):
    """As they are written in TOML; in the environment blanks are between them."""
    (tmp_path / "anbu.toml").write_text(f'[http.meter_keys]\nkepco = ["{KEY}", "{OTHER}"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANBU_HTTP__PHONE_KEYS__KT", f"{KEY}-kt {OTHER}-kt")
    whose = [(sender.feed, sender.signal) for sender in Settings().http.senders().values()]
    assert whose == [("kepco", "meter")] * 2 + [("kt", "phone")] * 2


def test_settings_may_hold_the_digest_alone(broker):
    """Whoever reads the file cannot post: the key opens, its digest does not."""
    digest = "sha256:" + sha256(KEY.encode()).hexdigest()
    app = create_app(Settings(http=HttpSettings(meter_keys={"kepco": digest})), broker, clock=lambda: T + 3600)
    for bearer, status in ((KEY, 202), (digest, 401), (digest.removeprefix("sha256:"), 401)):
        headers = {**CSV, "Authorization": f"Bearer {bearer}"}
        assert TestClient(app).post("/v1/readings", content=GOOD, headers=headers).status_code == status


def test_one_feed_may_have_a_key_for_each_signal(broker):
    """A city's hub that sends both has two keys, neither of which posts the other signal."""
    own = HttpSettings(meter_keys={"hub": KEY}, phone_keys={"hub": OTHER})
    app = TestClient(create_app(Settings(http=own), broker, clock=lambda: T + 3600))
    posted = [
        app.post("/v1/readings", content=GOOD, headers={**CSV, "Authorization": f"Bearer {key}"}).status_code
        for key in (KEY, OTHER)
    ]
    assert posted == [202, 403]


WRONG = {
    "the same of two feeds": ({"meter_keys": {"kepco": KEY, "gas": KEY}}, "meter_keys.gas is the key of meter_keys.k"),
    "of two signals": ({"meter_keys": {"hub": KEY}, "phone_keys": {"hub": KEY}}, "phone_keys.hub is the key of meter_"),
    "the same as its digest": (
        {"meter_keys": {"kepco": KEY, "gas": "sha256:" + sha256(KEY.encode()).hexdigest()}}, "needs its own"
    ),
    "empty": ({"meter_keys": {"kepco": ""}}, "meter_keys.kepco is empty"),
    "short": ({"phone_keys": {"kt": "geheim"}}, "phone_keys.kt can be guessed"),
    "one letter": ({"phone_keys": {"kt": "0" * 64}}, "phone_keys.kt can be guessed"),
    "of our own page": ({"phone_keys": {"kt": "choose-a-long-secret"}}, "phone_keys.kt can be guessed"),
    "one of two short": ({"phone_keys": {"kt": f"{KEY} geheim"}}, "phone_keys.kt can be guessed"),
    "a digest cut short": ({"meter_keys": {"kepco": "sha256:abc"}}, "64 hexadecimal digits"),
    "no feed's name": ({"meter_keys": {"kepco seoul": KEY}}, "the name of a feed holds a blank"),
    "of old, of which signal": ({"api_keys": {"kepco": KEY}}, "http.meter_keys.kepco (ANBU_HTTP__METER_KEYS__KEPCO)"),
}  # fmt: skip


@pytest.mark.parametrize("given", WRONG, ids=WRONG)
def test_keys_that_cannot_hold_are_an_error_at_the_start(given):
    """One line that says which and what to do, and has no key in it."""
    told, said = WRONG[given]
    with pytest.raises(ValidationError) as raised:
        HttpSettings(**told)
    line = raised.value.errors()[0]["msg"]
    assert said in line
    assert not {KEY, "geheim"} & set(str(raised.value).replace("'", " ").split())
    assert "geheim" not in str(raised.value)


def test_keys_of_old_are_understood_where_they_are_clear(monkeypatch, tmp_path):
    """`api_keys.meter` was the feed of readings by default; what a child is told is the new form alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANBU_HTTP__API_KEYS__METER", KEY)
    monkeypatch.setenv("ANBU_HTTP__API_KEYS__PHONE", OTHER)
    http = Settings().http
    assert {(s.feed, s.signal) for s in http.senders().values()} == {("meter", "meter"), ("phone", "phone")}
    assert http.api_keys == {}
    assert http.meter_keys["meter"].get_secret_value() == KEY


async def both(app, feeds: list[dict]) -> list[httpx2.Response]:
    """Answers to requests made at once."""
    transport = httpx2.ASGITransport(app)
    async with asyncio.timeout(LIMIT_S), httpx2.AsyncClient(transport=transport, base_url="http://anbu") as asking:
        return await asyncio.gather(*(asking.post("/v1/readings", content=GOOD, headers=h) for h in feeds))


async def test_a_feed_that_floods_is_told_to_wait_and_others_are_served(monkeypatch):
    """Of fifty requests at once two are worked on, one body at a time, 48 are 429; another feed is served."""
    own = HttpSettings(meter_keys={"kepco": KEY, "gas": OTHER}, requests_per_feed=2)
    served = Settings(http=own)
    metrics, broker = Metrics(CollectorRegistry()), Broker(served)
    go, lock, most, now = threading.Event(), threading.Lock(), 0, 0
    real = ingest_http._parse

    def slow(*args):
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        go.wait(LIMIT_S)
        with lock:
            now -= 1
        return real(*args)

    monkeypatch.setattr(ingest_http, "_parse", slow)
    app = create_app(served, broker, metrics, clock=lambda: T + 3600)
    kepco, gas = ({**CSV, "Authorization": f"Bearer {key}"} for key in (KEY, OTHER))
    flood = asyncio.create_task(both(app, [kepco] * 50))
    while metrics.registry.get_sample_value("anbu_http_feed_refused_total", {"feed": "kepco", "status": "429"}) != 48:
        await asyncio.sleep(0)
    other = asyncio.create_task(both(app, [gas]))
    while most < 2:  # one body of each feed
        await asyncio.sleep(0)
    go.set()
    answers = await flood
    assert sorted(a.status_code for a in answers) == [202] * 2 + [429] * 48
    assert {a.headers.get("retry-after") for a in answers if a.status_code == 429} == {"5"}
    assert [a.status_code for a in await other] == [202]
    assert most == 2
    assert [a.status_code for a in await both(app, [kepco, kepco])] == [202, 202]


def test_a_refused_request_gives_its_place_back(client):
    """However a request ends, the next one has its place."""
    for _ in range(5):
        assert client.post("/v1/readings", content="a,b\n", headers=CSV).status_code == 400
    assert client.post("/v1/readings", content=GOOD, headers=CSV).status_code == 202

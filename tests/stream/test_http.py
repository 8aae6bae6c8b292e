"""The ingest endpoint, as a utility's or carrier's program meets it."""

import asyncio
import io
import json
import logging
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiokafka.errors import KafkaConnectionError
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from stream import frames
from stream import http as ingest_http
from stream.http import create_app
from stream.metrics import Metrics
from stream.producer import FrameProducer
from stream.settings import HttpSettings, Settings

T = 1_767_225_600  # 2026-01-01T00:00:00Z
KEPCO_KEY, SKT_KEY, OLD = "kepco-key-0123456789", "skt-key-0123456789", "skt-key-of-the-year-before"
KEPCO, SKT = {"Authorization": f"Bearer {KEPCO_KEY}"}, {"Authorization": f"Bearer {SKT_KEY}"}
CSV = {**KEPCO, "Content-Type": "text/csv"}
GOOD = "household_id,start,kwh,minutes\nh1,2026-01-01T00:00:00Z,0.25,15\nh2,2026-01-01T00:00:00Z,0.5,15\n"


class Broker(FrameProducer):
    """Stands where the broker is: keeps what is sent, or answers as a broker in trouble does."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.sent: list[tuple] = []
        self.trouble: BaseException | None = None
        self.silent = False

    async def send(self, signal, columns, feed=None, complete_until=None) -> int:
        """Keep it, raise the trouble, or never answer."""
        if self.silent:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble
        self.sent.append((signal, columns, feed, complete_until))
        return 1


@pytest.fixture
def settings() -> Settings:
    """Two feeds with keys, a small limit."""
    meter, phone = {"kepco": KEPCO_KEY}, {"skt": f"{OLD} {SKT_KEY}"}
    return Settings(http=HttpSettings(meter_keys=meter, phone_keys=phone, max_body_bytes=10_000, requests_per_feed=2))


@pytest.fixture
def broker(settings) -> Broker:
    """The stand-in for the broker."""
    return Broker(settings)


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of this test's own."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def client(settings, broker, metrics) -> TestClient:
    """A client of the application, on a clock at T + 1 hour; the broker has 0.2 s to answer."""
    return TestClient(create_app(settings, broker, metrics, answer_s=0.2, clock=lambda: T + 3600))


def test_readings_are_accepted_when_the_broker_has_them(client, broker):
    """Good rows are sent under the feed of the key and answered with 202."""
    answer = client.post("/v1/readings", content=GOOD, headers=CSV)
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (202, 2, [])
    ((signal, columns, feed, until),) = broker.sent
    assert (signal, feed, until) == ("meter", "kepco", None)
    assert columns.household_id.to_pylist() == ["h1", "h2"]
    assert columns.kwh.tolist() == [0.25, 0.5]


def test_events_are_accepted(client, broker):
    """Events of a carrier go to the phone topic under its own feed."""
    record = {"household_id": "h1", "at": "2026-01-01T00:00:05+00:00", "kind": "call_out", "duration_s": 5}
    headers = {**SKT, "Content-Type": "application/json"}
    answer = client.post("/v1/events", content=json.dumps(record, indent=1), headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert broker.sent[0][0] == "phone"
    assert broker.sent[0][2] == "skt"


def bodies() -> dict[str, bytes]:
    """The two good readings in every content type."""
    rows = [
        {"household_id": h, "start": "2026-01-01T00:00:00Z", "kwh": k, "minutes": 15}
        for h, k in (("h1", 0.25), ("h2", 0.5))
    ]
    table = pa.Table.from_pylist(rows)
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    columns = frames.decode("meter", *frames.encode(frames.decode("meter", json.dumps(rows).encode(), JSON).columns))
    return {
        "text/csv; charset=utf-8": GOOD.encode(),
        "application/x-ndjson": "\n".join(map(json.dumps, rows)).encode(),
        "application/json": json.dumps(rows).encode(),
        "application/vnd.apache.parquet": parquet.getvalue(),
        "application/vnd.apache.arrow.stream": frames.encode(columns.columns)[0],
    }


JSON = [("schema", b"1"), ("content-type", b"application/json")]


@pytest.mark.parametrize("content_type", bodies())
def test_every_content_type_gives_the_same_readings(client, broker, content_type):
    """CSV, JSON lines, a JSON array, Parquet and our own Arrow frames are all understood."""
    answer = client.post(
        "/v1/readings", content=bodies()[content_type], headers={**KEPCO, "Content-Type": content_type}
    )
    assert answer.status_code == 202, answer.text
    columns = broker.sent[0][1]
    assert columns.household_id.to_pylist() == ["h1", "h2"]
    assert columns.start.tolist() == [T, T]
    assert columns.quality.tolist() == [0, 0]


def test_a_bad_row_is_answered_by_line_and_the_good_ones_are_sent(client, broker):
    """202 with what was rejected, by line, reason and words."""
    answer = client.post("/v1/readings", content=GOOD + "h3,2026-01-01T00:00:00Z,-1,15\nragged\n", headers=CSV)
    assert answer.status_code == 202
    body = answer.json()
    assert [(r["line"], r["reason"]) for r in body["rejected"]] == [(4, "bad_energy"), (5, "truncated")]
    assert "-1" in body["rejected"][0]["detail"]
    assert (body["accepted"], body["rejected_total"], len(broker.sent[0][1])) == (2, 2, 2)


def test_only_bad_rows_are_a_bad_request(client, broker):
    """400 where no row is good, and nothing is sent, no promise of completeness either."""
    headers = {**CSV, "Complete-Until": "2026-01-01T00:15:00Z"}
    answer = client.post("/v1/readings", content="household_id,start,kwh,minutes\nh,x,1,15\n", headers=headers)
    assert (answer.status_code, answer.json()["rejected_total"]) == (400, 1)
    assert broker.sent == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/readings", "a,b\n"),
        ("/v1/readings", ""),
        ("/v1/readings", "household_id,start,kwh\n"),
    ],
)
def test_a_body_of_something_else_is_a_bad_request(client, broker, path, content):
    """Wrong columns and nothing at all are answered with what there should be."""
    answer = client.post(path, content=content, headers=CSV)
    assert answer.status_code == 400
    assert "Complete-Until" in answer.json()["error"] or "no column" in answer.json()["error"]
    assert broker.sent == []


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {KEPCO_KEY}", KEPCO_KEY, f"Bearer {KEPCO_KEY}x",
     f"Bearer {OLD} {SKT_KEY}", "Bearer sha256:" + sha256(KEPCO_KEY.encode()).hexdigest()],
)
def test_without_a_valid_key_nothing_is_read(client, broker, authorization):
    """401 for every request whose key is no feed's; what the settings hold of keys opens nothing by itself."""
    headers = {"Content-Type": "text/csv"} | ({} if authorization is None else {"Authorization": authorization})
    answer = client.post("/v1/readings", content=GOOD, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert broker.sent == []


def test_a_large_body_is_refused_by_its_declared_length(client, broker):
    """413 for more than the limit."""
    answer = client.post("/v1/readings", content=GOOD * 200, headers=CSV)
    assert answer.status_code == 413
    assert broker.sent == []


async def test_a_large_body_is_refused_while_it_is_read(settings, broker):
    """Without a declared length the body is read no further than the limit."""
    app, asked, answers = create_app(settings, broker), 0, []

    async def receive():
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 4_000, "more_body": True}

    async def send(message):
        answers.append(message)

    headers = [(k.lower().encode(), v.encode()) for k, v in CSV.items()]
    scope = {"type": "http", "method": "POST", "path": "/v1/readings", "headers": headers, "query_string": b""}
    await app({**scope, "http_version": "1.1", "raw_path": b"/v1/readings", "scheme": "http"}, receive, send)
    assert answers[0]["status"] == 413
    assert asked == 3


def test_more_rows_than_a_request_may_hold_are_refused(client, broker, monkeypatch):
    """A small body that unpacks into very many rows is refused as well."""
    monkeypatch.setattr(ingest_http, "MAX_ROWS", 1)
    assert client.post("/v1/readings", content=GOOD, headers=CSV).status_code == 413
    assert broker.sent == []


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/html"}, {"Content-Type": ""}, {**CSV, "Content-Encoding": "gzip"}]
)
def test_an_unknown_content_type_is_refused(client, headers):
    """415 with the types there are."""
    answer = client.post("/v1/readings", content=GOOD, headers={**KEPCO, **headers})
    assert answer.status_code == 415
    assert "send" in answer.json()["error"]


def test_complete_until_is_passed_on(client, broker):
    """The header reaches the frames, with rows and, as a heartbeat, without."""
    headers = {**CSV, "Complete-Until": "2026-01-01T09:15:00+09:00"}
    assert client.post("/v1/readings", content=GOOD, headers=headers).status_code == 202
    assert client.post("/v1/readings", content="", headers=headers).status_code == 202
    assert [(len(columns), until) for _, columns, _, until in broker.sent] == [(2, T + 900), (0, T + 900)]


@pytest.mark.parametrize("until", ["soon", "2026-01-01T00:00:00", "2030-01-01T00:00:00Z"])
def test_a_wrong_complete_until_is_refused(client, broker, until):
    """A promise that cannot hold is refused before anything is sent."""
    answer = client.post("/v1/readings", content=GOOD, headers={**CSV, "Complete-Until": until})
    assert answer.status_code == 400
    assert "complete-until" in answer.json()["error"]
    assert broker.sent == []


@pytest.mark.parametrize("silent", [True, False])
def test_a_broker_that_does_not_take_it_is_said_so(client, broker, silent):
    """503 with Retry-After, whether the broker is silent or refuses: never a 202 for rows it does not have."""
    broker.silent, broker.trouble = silent, KafkaConnectionError()
    answer = client.post("/v1/readings", content=GOOD, headers=CSV)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_rows_from_the_future_are_rejected(client):
    """The endpoint's clock bounds times."""
    answer = client.post(
        "/v1/readings", content="household_id,start,kwh,minutes\nh,2026-01-02T00:00:00Z,1,15\n", headers=CSV
    )
    assert answer.json()["rejected"][0]["reason"] == "future"


def test_requests_and_rows_are_counted(client, metrics):
    """Accepted and rejected rows and answers by status are in the metrics."""
    client.post("/v1/readings", content=GOOD + "bad\n", headers=CSV)
    client.post("/v1/readings", content=GOOD)
    value = metrics.registry.get_sample_value
    assert value("anbu_http_requests_total", {"status": "202"}) == 1
    assert value("anbu_http_requests_total", {"status": "401"}) == 1
    assert value("anbu_http_rows_total", {"outcome": "accepted"}) == 2
    assert value("anbu_http_rows_total", {"outcome": "rejected"}) == 1


def test_nothing_of_a_body_is_logged(client, caplog, capsys):
    """Neither ids nor values of a request reach the logs."""
    with caplog.at_level(logging.DEBUG):
        client.post("/v1/readings", content=GOOD.replace("h2", "pseudonym-77") + "pseudonym-78,x,1,15\n", headers=CSV)
    written = caplog.text + "".join(capsys.readouterr())
    assert "pseudonym" not in written
    assert KEPCO_KEY not in written


def test_healthz_answers(client):
    """A load balancer may ask without a key."""
    assert client.get("/healthz").status_code == 200


def test_other_methods_and_paths_are_not_served(client):
    """Only what is documented exists."""
    assert client.get("/v1/readings").status_code == 405
    assert client.post("/v1/other").status_code == 404

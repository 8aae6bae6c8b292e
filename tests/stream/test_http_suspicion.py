# ruff: noqa: F811 -- fixtures of test_http
"""Bodies that would blind the detector, as a utility's program meets the answer."""

from tests.stream.suspicion_files import HEADER, csv, rows, uses
from tests.stream.test_http import CSV, broker, client, metrics, settings  # noqa: F401 -- fixtures
from tests.stream.test_suspicion import daily


def post(client, text, query=""):
    """The answer to readings."""
    return client.post(f"/v1/readings{query}", content=text, headers=CSV)


def counter(household="h1"):
    """Two days of a daily counter."""
    return [(h, t.replace("2026-03", "2025-03"), k) for h, t, k in rows(daily(uses(2)), household=household)]


def home(household="h2"):
    """Two days of a home."""
    return [(h, t.replace("2026-03", "2025-03"), k) for h, t, k in rows(uses(2), household=household)]


def test_a_counter_is_answered_422_with_its_rows_and_nothing_is_sent(client, broker):
    """Rows are named by line, the household with evidence and what to send."""
    answer = post(client, csv(counter()))
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["rejected_total"]) == (422, 0, 48)
    assert [row["line"] for row in body["rejected"]] == list(range(2, 50))
    assert {row["reason"] for row in body["rejected"]} == {"suspect"}
    (one,) = body["suspicions"]
    assert (one["household_id"], one["what"], one["blinds"]) == ("h1", "register", True)
    assert "difference" in one["detail"]
    assert broker.sent == []


def test_the_neighbours_of_a_counter_are_sent(client, broker):
    """422 says that something was held back; what can be used is with the broker."""
    answer = post(client, csv(counter() + home()))
    assert (answer.status_code, answer.json()["accepted"]) == (422, 48)
    assert set(broker.sent[0][1].household_id.to_pylist()) == {"h2"}


def test_force_sends_it_and_says_so_all_the_same(client, broker):
    """``?force=1``: 202, and the suspicion in the answer."""
    answer = post(client, csv(counter()), "?force=1")
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (202, 48, [])
    assert [one["what"] for one in answer.json()["suspicions"]] == ["register"]
    assert len(broker.sent[0][1]) == 48


def test_what_only_looks_odd_is_told_with_202(client):
    """A steady home is taken, with a word; an ordinary one without."""
    steady = [(h, t, "0.1") for h, t, _ in home()]
    answer = post(client, csv(steady))
    assert (answer.status_code, answer.json()["accepted"]) == (202, 48)
    assert [(one["what"], one["blinds"]) for one in answer.json()["suspicions"]] == [("unchanging", False)]
    assert "suspicions" not in post(client, csv(home())).json()


def test_times_of_ends_are_asked_for_in_the_query(client, broker):
    """``?time=end`` moves each reading to its beginning; another word is refused."""
    text = f"{HEADER},minutes\nh1,2025-03-02T01:00:00Z,0.5,60\n"
    assert post(client, text, "?time=end").status_code == 202
    assert broker.sent[0][1].start.tolist() == [1_740_873_600]
    assert post(client, text, "?time=middle").status_code == 400


def test_no_cell_of_a_file_without_a_header_is_repeated(client):
    """A portal's lines hold a name and an address; ids and values that are refused may be names too."""
    preamble = '"Name : Jane X Doe",,,\n"Address: 1 Some St",,,\n"Meter Number","Date","Used"\n"0","09/04/2024","1"\n'
    shifted = f"{HEADER}\nJane Doe,010-1234-5678,Some Street\nh1,Jane X Doe,0.1\nh1,2025-03-02 00:00,Doe Jane\n"
    for text in (preamble, shifted):
        answer = post(client, text)
        assert answer.status_code == 400
        for part in ("Jane", "Doe", "Street", "Some St", "1234"):
            assert part not in answer.text

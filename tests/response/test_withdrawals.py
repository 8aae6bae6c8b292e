"""Consent withdrawn: at once nothing is said or shown; a day later all is deleted; until then it can be undone."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from response import comments, homes, links, log, registry, tables, withdrawals
from response.access import Sight, Viewer
from response.page import app
from response.people_files import Imported, import_people
from response.refusals import RefusedError
from response.settings import ResponseSettings
from tests.response.leaving import DAY, HOME, NOW, SECRETS, VAULT, everything, note, people, settle
from tests.response.scenarios.times import an_officer_is_told
from tests.response.town import Town

pytestmark = pytest.mark.postgres
MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(database: Engine) -> Town:
    """A morning."""
    return Town(database, NOW)


def opened(town: Town) -> str:
    """The resident's name, as the registry opens it."""
    with town.engine.connect() as conn:
        person = registry.person(conn, VAULT, "resi-h1")
    return "" if person is None else person.name


def test_one_forged_message_stops_all_at_once_and_deletes_nobody(town: Town) -> None:
    """The case ends, its owner is told with nothing personal, nobody is in the registry. Undone a minute before its
    time all are there as they were, leave and comments too. Before, they were gone for good."""
    topic = settle(town)
    an_officer_is_told(town)
    town.takes()
    note(town)
    before = people(town)
    topic.leaves(withdrawn=NOW - 9_000 * DAY)
    said = town.message("officer", "withdrawn").what["values"]
    assert said == {"case": str(town.case().case_id), "dong": "d1"}
    assert town.case().closed is not None
    assert people(town) == ["offi"]
    town.nothing_else()
    assert homes.forget_due(town.desk, town.now + DAY - MINUTE) == 0
    town.now += DAY - MINUTE
    topic.anew()
    assert people(town) == before
    assert opened(town) == "김영자"
    with town.engine.connect() as conn:
        assert conn.scalar(select(tables.leaves.c.person_id)) == "guar-h1"
        (comment,) = [e.what.comment for e in log.entries(conn, town.case().case_id) if getattr(e.what, "comment", "")]
    assert comments.opened(VAULT, town.case().case_id, comment) == "아들 김아들과 통화"
    assert homes.forget_due(town.desk, town.now + 9 * DAY) == 0
    assert people(town) == before


@pytest.mark.parametrize("how", ["withdrawn", "deleted"])
def test_a_day_later_nothing_personal_is_left(town: Town, how: str) -> None:
    """Neither sealed nor masked: of the person there are pseudonymous ids and times; who comes anew is a stranger."""
    topic = settle(town)
    an_officer_is_told(town)
    town.takes()
    note(town)
    topic.leaves() if how == "withdrawn" else topic.says(None)
    town.message("officer", "withdrawn")
    with town.engine.connect() as conn:
        aside = conn.execute(select(tables.set_aside)).all()
    assert len(aside) == 2
    sealed = [row.person[name].removeprefix("\\x") for row in aside for name in ("name", "phone")]
    assert all(value in everything(town) for value in sealed)
    town.now += DAY
    assert homes.forget_due(town.desk, town.now) == 1
    left = everything(town)
    assert not [value for value in (*sealed, *SECRETS, "김○자") if value in left]
    assert "16시간째" not in "".join(str(row) for row in _outbox(town))
    assert homes.forget_due(town.desk, town.now) == 0
    topic.anew()
    assert people(town) == ["offi"]


def _outbox(town: Town) -> list[object]:
    with town.engine.connect() as conn:
        return list(conn.scalars(select(tables.outbox.c.what)))


def test_the_time_counts_from_when_it_was_heard_and_no_repetition_moves_it(town: Town) -> None:
    """A withdrawal of long ago, one more, the topic read anew: the same hour."""
    topic = settle(town)
    topic.leaves(withdrawn=NOW - 9_000 * DAY)
    town.now += timedelta(hours=5)
    topic.leaves()
    topic.says(None)
    topic.again()
    with town.engine.connect() as conn:
        (one,) = withdrawals.pending(conn)
    assert (one.heard_at, one.delete_at) == (NOW, NOW + DAY)


def test_no_old_record_brings_anybody_back(town: Town) -> None:
    """An old file, a topic read from its beginning, an outcome of ours that still waited: consent stays withdrawn,
    before and after the data are deleted."""
    topic = settle(town)
    topic.leaves()
    topic.says(HOME)
    assert topic.counted("old") == 1
    assert people(town) == ["offi"]
    with town.engine.connect() as conn:
        assert homes.with_outcomes(conn, "h1", town.now) is None
    town.now += DAY
    homes.forget_due(town.desk, town.now)
    topic.says(HOME)
    topic.again()
    assert topic.counted("old") == 2 + 3
    with town.engine.connect() as conn:
        assert withdrawals.stands(conn, "h1") == "deleted"
    assert people(town) == ["offi"]


def test_a_withdrawal_that_was_undone_ends_nothing_when_it_is_read_again(town: Town) -> None:
    """`anbu response --from-beginning` after an undoing: the case that is open by now goes on."""
    topic = settle(town)
    topic.leaves()
    town.now += MINUTE
    topic.anew()
    town.now += MINUTE
    town.alert("caution")
    town.asked()
    topic.again()
    assert town.case().closed is None
    assert people(town) == ["guar-h1", "offi", "resi-h1"]


def test_a_withdrawal_of_the_future_is_refused(town: Town) -> None:
    """It is put aside with a sentence; the household is watched on."""
    topic = settle(town)
    topic.leaves(withdrawn=NOW + 30 * DAY)
    assert topic.counted("dead") == 1
    assert "has not come" in str(_outbox(town))
    assert len(people(town)) == 3


def test_an_alert_that_comes_late_opens_no_case_and_none_is_lost_when_it_is_undone(town: Town) -> None:
    """While consent is withdrawn nobody is rung. What the stream says once it is undone may be heard before the undoing
    is: it waits, and is acted on then."""
    topic = settle(town)
    topic.leaves()
    town.alert("caution")
    town.wait(hours=2)
    assert town.cases() == 0
    topic.anew()
    assert town.desk.release(town.now) == 1
    town.gather()
    town.asked()
    assert town.cases() == 1


def test_nothing_waits_of_who_is_forgotten(town: Town) -> None:
    """An alert of that time is gone with the rest, and later ones are nobody's."""
    topic = settle(town)
    topic.leaves()
    town.alert("serious")
    town.now += DAY
    homes.forget_due(town.desk, town.now)
    town.alert("serious", alert_id="later")
    topic.anew()
    town.wait(hours=2)
    assert town.cases() == 0


def test_nothing_is_written_to_a_case_once_consent_is_withdrawn(town: Town) -> None:
    """Take, note, close, reopen: refused with a sentence. Before, a later comment stayed for good."""
    topic = settle(town)
    an_officer_is_told(town)
    town.takes()
    topic.leaves()
    acts: list[Callable[[], None]] = [
        lambda: note(town), town.takes, lambda: town.asks("depu"), lambda: town.closes("safe_visited"), town.undoes,
        town.reopens,
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(RefusedError, match="consent was withdrawn"):
            act()


def test_the_link_says_so_and_shows_nothing(town: Town, sight: Sight) -> None:
    """Of any case of that home; the page of a press too."""
    topic = settle(town)
    an_officer_is_told(town)
    with town.engine.begin() as conn:
        token = links.make(conn, town.case().case_id, "offi", "officer", town.now, 72)
    client = TestClient(app(town.desk, sight, VAULT, ResponseSettings(places={"d1": "별빛1동"}), now=lambda: town.now))
    assert "16시간" in client.get(f"/c/{token}").text
    topic.leaves()
    for answer in (client.get(f"/c/{token}"), client.post(f"/c/{token}/note", data={"comment": "x"})):
        assert answer.status_code == 410
        assert "동의가 철회되었습니다" in answer.text
        assert not [word for word in ("김○자", "별빛1동", "심각", *SECRETS) if word in answer.text]


def imported(town: Town, path: Path) -> Imported:
    """A file of before, with the whole household."""
    path.write_text(
        "번호,역할,동,가구,이름,전화\nresi-h1,대상자,d1,h1,김영자,010-1234-5678\n"
        "guar-h1,보호자,d1,h1,김아들,010-1234-5679\nresi-h2,대상자,d1,h2,이순자,010-1234-5680\n", encoding="utf-8",
    )  # fmt: skip
    with town.engine.begin() as conn:
        return import_people(conn, VAULT, path, Viewer("root", "test", ("*",)), town.now)


@pytest.mark.parametrize("deleted", [False, True])
def test_an_old_file_of_people_brings_nobody_back(town: Town, tmp_path: Path, deleted: bool) -> None:
    """Their lines are refused with a sentence, the others go in; once consent is given anew they go in too."""
    topic = settle(town)
    topic.leaves()
    if deleted:
        town.now += DAY
        homes.forget_due(town.desk, town.now)
    done = imported(town, tmp_path / "people.csv")
    assert (done.new, [fault.line for fault in done.faults]) == (1, [2, 3])
    assert "consent was withdrawn" in str(done.faults[0])
    assert people(town) == ["offi", "resi-h2"]
    town.now += MINUTE
    topic.anew()
    assert imported(town, tmp_path / "people.csv").faults == []
    assert people(town) == ["guar-h1", "offi", "resi-h1", "resi-h2"]
